/* Folders and files with their owners. Nothing that exists is emptied or replaced unless asked. */
#ifndef ITL_PROVISION_PLACE_H
#define ITL_PROVISION_PLACE_H

#include <sys/types.h>

#include "base/bytes.h"

/* Whose something is. Without root everything is the caller's and neither is looked at. */
struct owner {
    uid_t uid;
    gid_t gid;
};
#define OWNER_ROOT ((struct owner){0, 0})

/* A folder with these permissions, made with its parents (0755) when missing; owner and permissions
 * are corrected when it is there. A symbolic link is refused. Says what it did. Errors: IO. */
ERRFN place_folder(const char *path, struct owner owner, mode_t mode);

/* Writes a file as fd_write_file_atomic does and gives it away. Says so. */
ERRFN place_file(const char *path, struct view content, struct owner owner, mode_t mode);

/* The content, or NULL when there is no such file. Errors: IO, TOO_LONG, NO_MEMORY. */
ERRFN place_read(const char *path, size_t max, struct buf **out_content);

/* The folder of a path, for example to make it. Errors: TOO_LONG. */
ERRFN place_parent(const char *path, char *out_folder, size_t size);

bool place_exists(const char *path);

#endif
