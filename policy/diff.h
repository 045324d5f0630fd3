/* What a new version of a policy changes, in words. */
#ifndef ITL_POLICY_DIFF_H
#define ITL_POLICY_DIFF_H

#include "policy/policy.h"

/* Appends one sentence a line, nothing when the two mean the same; name and version do not count.
 * The order of lists does not count either. Errors: TOO_LONG past the buffer's maximum, NO_MEMORY.
 */
ERRFN policy_diff(const struct policy *from, const struct policy *to, struct buf *out_lines);

#endif
