#include "provision/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "provision/say.h"

static bool is_root(void)
{
    return geteuid() == 0;
}

static ERRFN make_parents(const char *path)
{
    char partial[PATH_MAX];
    size_t len = strlen(path);
    ENSURE(len > 0 && len < sizeof partial && path[0] == '/', CONFIG_INVALID);
    for (size_t i = 1; i < len; i++) {
        if (path[i] == '/') {
            memcpy(partial, path, i);
            partial[i] = '\0';
            if (mkdir(partial, 0755) != 0 && errno != EEXIST) {
                return err_from_errno(errno);
            }
        }
    }
    return OK;
}

static ERRFN correct(int folder, const char *path, struct owner owner, mode_t mode)
{
    struct stat st;
    ENSURE(fstat(folder, &st) == 0, IO);
    bool foreign = is_root() && (st.st_uid != owner.uid || st.st_gid != owner.gid);
    if (!foreign && (st.st_mode & 07777) == mode) {
        say("kept", "%s", path);
        return OK;
    }
    ENSURE(!foreign || fchown(folder, owner.uid, owner.gid) == 0, IO);
    ENSURE(fchmod(folder, mode) == 0, IO);
    say("set", "%s: owner %u, mode %04o", path, (unsigned)(foreign ? owner.uid : st.st_uid),
        (unsigned)mode);
    return OK;
}

ERRFN place_folder(const char *path, struct owner owner, mode_t mode)
{
    err_t err = make_parents(path);
    bool made = IS_OK(err) && mkdir(path, 0700) == 0;
    AUTO(fd)
    folder = IS_OK(err) ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : FD_NONE;
    if (folder < 0) {
        return say_problem(IS_OK(err) ? E(IO) : err, "folder %s (%s)", path, strerror(errno));
    }
    if (made) {
        if ((is_root() && fchown(folder, owner.uid, owner.gid) != 0) || fchmod(folder, mode) != 0) {
            return say_problem(E(IO), "folder %s", path);
        }
        say("made", "%s", path);
        return OK;
    }
    err = correct(folder, path, owner, mode);
    return IS_OK(err) ? OK : say_problem(err, "owner and permissions of %s", path);
}

ERRFN place_file(const char *path, struct view content, struct owner owner, mode_t mode)
{
    bool existed = place_exists(path);
    err_t err = fd_write_file_atomic(path, content, mode);
    if (IS_OK(err) && is_root() && lchown(path, owner.uid, owner.gid) != 0) {
        err = E(IO);
    }
    if (!IS_OK(err)) {
        return say_problem(err, "writing %s", path);
    }
    say(existed ? "renewed" : "made", "%s", path);
    return OK;
}

ERRFN place_read(const char *path, size_t max, struct buf **out_content)
{
    if (!place_exists(path)) {
        *out_content = NULL;
        return OK;
    }
    err_t err = fd_read_file(path, max, out_content);
    return IS_OK(err) ? OK : say_problem(err, "reading %s", path);
}

ERRFN place_parent(const char *path, char *out_folder, size_t size)
{
    const char *slash = strrchr(path, '/');
    ENSURE(slash && slash != path, CONFIG_INVALID);
    size_t len = (size_t)(slash - path);
    ENSURE(len < size, TOO_LONG);
    memcpy(out_folder, path, len);
    out_folder[len] = '\0';
    return OK;
}

/* A path that can't be looked at counts as taken: better to fail than to overwrite. */
bool place_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 || errno != ENOENT;
}
