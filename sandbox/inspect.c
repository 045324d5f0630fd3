#include "sandbox/sandbox.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "sandbox/capability.h"
#include "sandbox/status.h"

enum { LIMITS_MAX_BYTES = 8 * 1024, PROC_PATH_SIZE = 32 };

/* Where the sentence goes. */
struct why {
    char *text;
    size_t size;
};

static ERRFN require(struct why why, const char *field, uint64_t found, uint64_t wanted)
{
    if (found == wanted) {
        return OK;
    }
    snprintf(why.text, why.size, "%s is %llx, must be %llx", field, (unsigned long long)found,
             (unsigned long long)wanted);
    return E(SANDBOX_CHECK);
}

static ERRFN refuse(struct why why, const char *sentence)
{
    snprintf(why.text, why.size, "%s", sentence);
    return E(SANDBOX_CHECK);
}

static ERRFN require_ids(struct why why, const char *field, const uint64_t *ids, uint64_t wanted)
{
    for (size_t i = 0; i < ID_COUNT; i++) {
        TRY(require(why, field, ids[i], wanted));
    }
    return OK;
}

static ERRFN require_capabilities(struct why why, const struct status *s,
                                  const struct sandbox_expectation *expected)
{
    const uint64_t kept = expected->supervisor ? CAPABILITIES_OF_SUPERVISOR : 0;
    TRY(require(why, "CapEff beyond what is kept", s->capabilities_effective & ~kept, 0));
    TRY(require(why, "CapPrm beyond what is kept", s->capabilities_permitted & ~kept, 0));
    TRY(require(why, "CapInh", s->capabilities_inheritable, 0));
    TRY(require(why, "CapAmb", s->capabilities_ambient, 0));
    if (expected->started_privileged) {
        TRY(require(why, "CapBnd beyond what is kept", s->capabilities_bounding & ~kept, 0));
    }
    return OK;
}

static ERRFN require_status(struct why why, const struct status *s,
                            const struct sandbox_expectation *expected)
{
#ifndef ITL_SANITIZED
    TRY(require(why, "Seccomp", s->seccomp, 2));
#endif
    TRY(require(why, "NoNewPrivs", s->no_new_privs, 1));
    TRY(require_capabilities(why, s, expected));
    TRY(require_ids(why, "Uid", s->uids, expected->uid));
    TRY(require_ids(why, "Gid", s->gids, expected->gid));
    if (expected->started_privileged && !s->groups_empty) {
        return refuse(why, "Groups is not empty");
    }
    return OK;
}

/* The line is "Max core file size", spaces, the soft and the hard limit, spaces, the unit. */
static ERRFN require_no_core(struct why why, struct view limits)
{
    static const char NAME[] = "\nMax core file size ";
    const char *line = limits.len > 0 ? memmem(limits.data, limits.len, NAME, strlen(NAME)) : NULL;
    if (!line) {
        return refuse(why, "/proc/<pid>/limits has no line for core files");
    }
    size_t rest = limits.len - (size_t)((const uint8_t *)line - limits.data) - strlen(NAME);
    char values[64] = "";
    memcpy(values, line + strlen(NAME), rest < sizeof(values) - 1 ? rest : sizeof(values) - 1);
    char soft[16] = "";
    char hard[16] = "";
    int found = sscanf(values, " %15s %15s ", soft, hard);
    if (found != 2 || strcmp(soft, "0") != 0 || strcmp(hard, "0") != 0) {
        return refuse(why, "core files are not limited to 0");
    }
    return OK;
}

ERRFN sandbox_inspect(pid_t pid, const struct sandbox_expectation *expected, char *out_why,
                      size_t why_size)
{
    const struct why why = {out_why, why_size};
    char path[PROC_PATH_SIZE];
    snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
    struct status status;
    if (!IS_OK(status_read_file(path, &status))) {
        return refuse(
            why,
            "/proc/<pid>/status cannot be read: the process is gone, or /proc is out of reach");
    }
    TRY(require_status(why, &status, expected));
    snprintf(path, sizeof(path), "/proc/%ld/limits", (long)pid);
    AUTO(buf) limits = NULL;
    if (!IS_OK(fd_read_file(path, LIMITS_MAX_BYTES, &limits))) {
        return refuse(why, "/proc/<pid>/limits cannot be read");
    }
    return require_no_core(why, buf_view(limits));
}
