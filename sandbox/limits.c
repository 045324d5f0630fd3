#include "sandbox/sandbox.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum {
    FILES_SUPERVISOR = 4096, /* also the ceiling of its children */
    FILES_FRONT = 4096,      /* connections: workers, and those that wait for one */
    FILES_KEYHOLDER = 128,   /* token files and a channel */
    FILES_SIGNER = 256,      /* database, token files and channels */
    FILES_COURIER = 256      /* outbound connections */
};

/* Only the log grows there, when standard error is a file; a journal's socket is not counted. */
#define LOG_FILE_MAX_BYTES (UINT64_C(1) << 30)

/* For five processes' guarded keys, SQLCipher's pages and module sessions. */
#define LOCKED_MEMORY_BYTES (UINT64_C(64) << 20)

/* Sets soft and hard limit to `value`, or to the hard limit where that is lower already. */
static ERRFN cap_limit(__rlimit_resource_t resource, rlim_t value)
{
    struct rlimit limit;
    ENSURE(getrlimit(resource, &limit) == 0, SANDBOX);
    if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > value) {
        limit.rlim_max = value;
    }
    limit.rlim_cur = limit.rlim_max;
    ENSURE(setrlimit(resource, &limit) == 0, SANDBOX);
    return OK;
}

static ERRFN raise_locked_memory(void)
{
    struct rlimit limit;
    ENSURE(getrlimit(RLIMIT_MEMLOCK, &limit) == 0, SANDBOX);
    if (limit.rlim_cur >= LOCKED_MEMORY_BYTES) {
        return OK;
    }
    const struct rlimit raised = {LOCKED_MEMORY_BYTES, LOCKED_MEMORY_BYTES};
    if (limit.rlim_max < LOCKED_MEMORY_BYTES && setrlimit(RLIMIT_MEMLOCK, &raised) == 0) {
        return OK;
    }
    limit.rlim_cur = limit.rlim_max < LOCKED_MEMORY_BYTES ? limit.rlim_max : LOCKED_MEMORY_BYTES;
    ENSURE(setrlimit(RLIMIT_MEMLOCK, &limit) == 0, SANDBOX);
    return OK;
}

static ERRFN limits_of(enum sandbox_profile profile)
{
    switch (profile) {
    case SANDBOX_NONE:
        return E(SANDBOX);
    case SANDBOX_SUPERVISOR:
        /* No limit on files: the signer would inherit it, and its database may grow. */
        TRY(raise_locked_memory());
        return cap_limit(RLIMIT_NOFILE, FILES_SUPERVISOR);
    case SANDBOX_FRONT:
        TRY(cap_limit(RLIMIT_FSIZE, LOG_FILE_MAX_BYTES));
        return cap_limit(RLIMIT_NOFILE, FILES_FRONT);
    case SANDBOX_KEYHOLDER:
        TRY(cap_limit(RLIMIT_NPROC, 0));
        TRY(cap_limit(RLIMIT_FSIZE, LOG_FILE_MAX_BYTES));
        return cap_limit(RLIMIT_NOFILE, FILES_KEYHOLDER);
    case SANDBOX_SIGNER:
        TRY(cap_limit(RLIMIT_NPROC, 0));
        return cap_limit(RLIMIT_NOFILE, FILES_SIGNER);
    case SANDBOX_COURIER:
        TRY(cap_limit(RLIMIT_FSIZE, LOG_FILE_MAX_BYTES));
        return cap_limit(RLIMIT_NOFILE, FILES_COURIER);
    }
    return E(SANDBOX);
}

ERRFN sandbox_limits(enum sandbox_profile profile)
{
    umask(077);
    TRY(limits_of(profile));
    TRY(cap_limit(RLIMIT_CORE, 0));
    ENSURE(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, SANDBOX);
    /* A full log file is a failed write, not a dead process. */
    ENSURE(signal(SIGXFSZ, SIG_IGN) != SIG_ERR, SANDBOX);
    return OK;
}
