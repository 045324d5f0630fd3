/* The audit log as the signer writes it: what happened, refusals (bounded), signed heads. */
#ifndef ITL_SIGNER_RECORD_H
#define ITL_SIGNER_RECORD_H

#include "signer/signer.h"

/* Appends a row about the call's actor and machine. Texts may be NULL. `detail` is JSON. */
ERRFN record_act(struct call *call, const char *action, const char *prev_state, const char *new_state, const char *reason,
                 const char *detail);

/* Appends the row of a refusal, unless refusals came so fast that they would fill the disk; then they are counted, and the count is one row
 * once the rush is over. */
ERRFN record_refusal(struct call *call, err_t why);

/* Signs the tail of the log with the audit key when it moved on since the last signed head and a second has passed, or at once when
 * `now` is set. Opens its own batch. */
ERRFN record_sign_head(struct signer *s, bool now);

/* Checks the last signed head's signature and the chain from there on; for the start. Errors: AUDIT_BROKEN. */
ERRFN record_check_tail(struct signer *s);

/* "pending_approval" … */
const char *machine_status_name(enum machine_status status);

#endif
