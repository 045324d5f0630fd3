/* Argument rules of the tables, as libseccomp comparisons. */
#ifndef ITL_SANDBOX_RULE_H
#define ITL_SANDBOX_RULE_H

#include <seccomp.h>

#include "sandbox/profile.h"

/* Adds the row with its action, once for each alternative of its rule. Errors: SANDBOX_SECCOMP,
 * also for a rule without alternatives. */
ERRFN rule_add(scmp_filter_ctx filter, uint32_t action, const struct row *row);

#endif
