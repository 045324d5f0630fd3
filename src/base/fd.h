/* File descriptors as owned values. Every descriptor is close-on-exec from birth. */
#ifndef ITL_BASE_FD_H
#define ITL_BASE_FD_H

#include "base/bytes.h"

#include <unistd.h>

#define FD_NONE (-1)

typedef int auto_type_fd;
static inline void auto_release_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

/* Takes a descriptor out of an AUTO(fd) variable. */
static inline int fd_steal(int *fd)
{
    int stolen = *fd;
    *fd = FD_NONE;
    return stolen;
}

/* Reads or writes exactly len bytes, blocking. Errors: PEER_GONE at end of file, err_from_errno otherwise. */
ERRFN fd_read_full(int fd, void *data, size_t len);
ERRFN fd_write_full(int fd, const void *data, size_t len);

/* The whole file, at most max bytes. Errors: CONFIG_UNREADABLE when it can't be opened, TOO_LONG, NO_MEMORY, IO. */
ERRFN fd_read_file(const char *path, size_t max, struct buf **out_content);

/* Writes a file so that after a crash either the old or the new content is there: temporary file in the same folder, fsync, rename,
 * fsync of the folder. `mode` are the permission bits. */
ERRFN fd_write_file_atomic(const char *path, struct view content, unsigned mode);

/* Makes names in the folder of `path` last: fsync of that folder. */
ERRFN fd_sync_folder_of(const char *path);

ERRFN fd_set_nonblocking(int fd, bool on);

#endif
