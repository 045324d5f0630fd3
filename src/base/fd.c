#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

ERRFN fd_read_full(int fd, void *data, size_t len)
{
    uint8_t *at = data;
    while (len > 0) {
        ssize_t got = read(fd, at, len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return err_from_errno(errno);
        }
        ENSURE(got > 0, PEER_GONE);
        at += got;
        len -= (size_t)got;
    }
    return OK;
}

ERRFN fd_write_full(int fd, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        ssize_t put = write(fd, at, len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return err_from_errno(errno);
        }
        at += put;
        len -= (size_t)put;
    }
    return OK;
}

ERRFN fd_read_file(const char *path, size_t max, struct buf **out_content)
{
    AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ENSURE(fd >= 0, CONFIG_UNREADABLE);
    AUTO(buf) content = NULL;
    TRY(buf_new(max, &content));
    /* Files below /sys say size 0, so the size is found by reading. */
    uint8_t chunk[8192];
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return err_from_errno(errno);
        }
        if (got == 0) {
            break;
        }
        TRY(buf_put(content, view_of(chunk, (size_t)got)));
    }
    bytes_wipe(chunk, sizeof chunk);
    *out_content = STEAL(content);
    return OK;
}

ERRFN fd_sync_folder_of(const char *path)
{
    char copy[PATH_MAX];
    ENSURE(snprintf(copy, sizeof copy, "%s", path) < (int)sizeof copy, TOO_LONG);
    AUTO(fd) folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || fsync(folder) != 0) {
        return err_from_errno(errno);
    }
    return OK;
}

static ERRFN write_and_sync(const char *path, struct view content, unsigned mode)
{
    AUTO(fd) fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    if (fchmod(fd, mode) != 0) {
        return err_from_errno(errno);
    }
    TRY(fd_write_full(fd, content.data, content.len));
    if (fsync(fd) != 0) {
        return err_from_errno(errno);
    }
    return OK;
}

ERRFN fd_write_file_atomic(const char *path, struct view content, unsigned mode)
{
    char temporary[PATH_MAX];
    ENSURE(snprintf(temporary, sizeof temporary, "%s.new", path) < (int)sizeof temporary, TOO_LONG);
    err_t written = write_and_sync(temporary, content, mode);
    if (!IS_OK(written)) {
        unlink(temporary);
        return written;
    }
    if (rename(temporary, path) != 0) {
        err_t e = err_from_errno(errno);
        unlink(temporary);
        return e;
    }
    return fd_sync_folder_of(path);
}

ERRFN fd_set_nonblocking(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) {
        return err_from_errno(errno);
    }
    int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (fcntl(fd, F_SETFL, wanted) != 0) {
        return err_from_errno(errno);
    }
    return OK;
}
