/* Capability sets (capabilities(7)) of the calling thread. */
#ifndef ITL_SANDBOX_CAPABILITY_H
#define ITL_SANDBOX_CAPABILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define CAPABILITY_BIT(capability) (UINT64_C(1) << (capability))

/* What the supervisor keeps: its children's drop needs the first three, signals to their accounts
 * the last. */
#define CAPABILITIES_OF_SUPERVISOR                                                           \
    (CAPABILITY_BIT(CAP_SETUID) | CAPABILITY_BIT(CAP_SETGID) | CAPABILITY_BIT(CAP_SETPCAP) | \
     CAPABILITY_BIT(CAP_KILL))

/* The effective set. Errors: SANDBOX_PRIVILEGES. */
ERRFN capability_effective(uint64_t *out_set);

/* Drops everything but `kept` from the bounding set; needs CAP_SETPCAP. Errors:
 * SANDBOX_PRIVILEGES. */
ERRFN capability_bound(uint64_t kept);

/* Makes uid 0 an ordinary number for execve and locks it so; needs CAP_SETPCAP. Errors:
 * SANDBOX_PRIVILEGES. */
ERRFN capability_lock_root(void);

/* Empties the ambient and inheritable sets and cuts the permitted and effective ones down to
 * `kept`, then reads them back. Errors: SANDBOX_PRIVILEGES. */
ERRFN capability_keep(uint64_t kept);

#endif
