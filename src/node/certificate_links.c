#include "node/certificate_links.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/* Relative, so that the folder they are all in can be moved or mounted elsewhere. */
static ERRFN make_target(const char *prefix, const char *name, char out_target[static PATH_MAX])
{
    const char *slash = strrchr(prefix, '/');
    int len = snprintf(out_target, PATH_MAX, "%s.d/current/%s", slash ? slash + 1 : prefix, name);
    ENSURE(len > 0 && len < PATH_MAX, TOO_LONG);
    return OK;
}

static bool leads_to(const char *path, const char *target)
{
    char found[PATH_MAX];
    ssize_t len = readlink(path, found, sizeof found);
    return len > 0 && (size_t)len == strlen(target) && memcmp(found, target, (size_t)len) == 0;
}

static ERRFN make_link(const char *path, const char *target)
{
    char next[PATH_MAX];
    int len = snprintf(next, sizeof next, "%s.new", path);
    ENSURE(len > 0 && (size_t)len < sizeof next, TOO_LONG);
    bool clear = unlink(next) == 0 || errno == ENOENT;
    if (!clear || symlink(target, next) != 0 || rename(next, path) != 0) {
        err_t e = err_from_errno(errno);
        unlink(next);
        return e;
    }
    return fd_sync_folder_of(path);
}

ERRFN certificate_links_make(const char *prefix, bool with_svid)
{
    static const struct {
        const char *suffix;
        const char *name;
        bool svid;
    } links[] = {{".key", "enrollment.key", false},
                 {".crt", "enrollment.crt", false},
                 {"-ca.crt", "ca.crt", false},
                 {"-svid.key", "svid.key", true},
                 {"-svid.crt", "svid.crt", true}};
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        char path[PATH_MAX];
        char target[PATH_MAX];
        int len = snprintf(path, sizeof path, "%s%s", prefix, links[i].suffix);
        ENSURE(len > 0 && (size_t)len < sizeof path, TOO_LONG);
        TRY(make_target(prefix, links[i].name, target));
        if (with_svid || !links[i].svid) {
            TRY(leads_to(path, target) ? OK : make_link(path, target));
        }
    }
    return OK;
}
