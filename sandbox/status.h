/* The lines of /proc/<pid>/status that say how a process is confined (proc(5)). */
#ifndef ITL_SANDBOX_STATUS_H
#define ITL_SANDBOX_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { STATUS_MAX_BYTES = 64 * 1024 }; /* mostly the groups line, of an unconfined process */

enum { ID_REAL, ID_EFFECTIVE, ID_SAVED, ID_FILE_SYSTEM, ID_COUNT };

struct status {
    uint64_t uids[ID_COUNT];
    uint64_t gids[ID_COUNT];
    uint64_t threads;
    uint64_t capabilities_inheritable;
    uint64_t capabilities_permitted;
    uint64_t capabilities_effective;
    uint64_t capabilities_bounding;
    uint64_t capabilities_ambient;
    uint64_t no_new_privs; /* 1 when set */
    uint64_t seccomp;      /* 2 when a filter is active */
    bool groups_empty;
};

/* Every field must be there exactly once, under its exact name. Errors: SANDBOX_CHECK. */
ERRFN status_parse(struct view text, struct status *out_status);

/* Reads what is left in the descriptor, without lseek, and parses it. Errors: SANDBOX_CHECK,
 * NO_MEMORY. */
ERRFN status_read(int fd, struct status *out_status);

/* The same for a path. Errors: SANDBOX_CHECK, also when it can't be opened, NO_MEMORY. */
ERRFN status_read_file(const char *path, struct status *out_status);

#endif
