/* The folder PREFIX.d with numbered sets, for certificate_set.c only. */
#ifndef ITL_NODE_CERTIFICATE_FOLDER_H
#define ITL_NODE_CERTIFICATE_FOLDER_H

#include "base/fd.h"

enum { CERTIFICATE_FOLDER_NAME_SIZE = 32 }; /* "set-" and 20 digits */

/* Opens it, and with `make` makes it with mode 0700 where it is missing. Errors: NOT_FOUND,
 * CERTIFICATE_FOLDER unless it is a folder of this account that nobody else may write to, TOO_LONG,
 * IO. */
ERRFN certificate_folder_open(const char *prefix, bool make, int *out_fd);

/* The same, for changing it: blocks while another agent does. Closing the descriptor ends that. */
ERRFN certificate_folder_lock(const char *prefix, bool make, int *out_fd);

/* An empty folder for a new set, named out_name. */
ERRFN certificate_folder_begin(int folder, char out_name[static CERTIFICATE_FOLDER_NAME_SIZE],
                               int *out_fd);

/* Makes the finished set the current one. On failure the old one stays. */
ERRFN certificate_folder_commit(int folder, const char *name);

/* Does the same up to the last step, and takes it back. */
ERRFN certificate_folder_rehearse(int folder, const char *name);

/* Removes a set that is not the current one, as far as that works: what stays is tried again by
 * certificate_folder_tidy. */
void certificate_folder_remove(int folder, const char *name);

/* Removes all sets but the current one and the one before. */
ERRFN certificate_folder_tidy(int folder);

#endif
