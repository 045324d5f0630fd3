/* Landlock for the calling thread and those it makes later. */
#ifndef ITL_SANDBOX_LANDLOCK_H
#define ITL_SANDBOX_LANDLOCK_H

#include "sandbox/landlock_abi.h"
#include "sandbox/sandbox.h"

/* Everything that a kernel offering this ABI can refuse. */
struct ll_ruleset landlock_known(int abi);

/* The running kernel's ABI. Errors: SANDBOX_LANDLOCK when it has none or an older one than
 * SANDBOX_ABI_LEAST. */
ERRFN landlock_abi(int *out_abi);

/* Restricts the caller to the paths and ports of `settings`; no_new_privs must be set. Errors: see
 * sandbox_confine. */
ERRFN landlock_restrict(const struct sandbox_settings *settings);

#endif
