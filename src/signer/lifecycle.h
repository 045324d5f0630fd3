/* What operators do to a machine, as the state machine of the contract has it (A.2): which act is allowed in which state, where it leads
 * and what dies with it. */
#ifndef ITL_SIGNER_LIFECYCLE_H
#define ITL_SIGNER_LIFECYCLE_H

#include "signer/act.h"

enum lifecycle_event {
    LIFECYCLE_NONE = 0,
    LIFECYCLE_LOCK,   /* registered, attested -> locked */
    LIFECYCLE_UNLOCK, /* locked -> the state before */
    LIFECYCLE_REVOKE, /* any but revoked -> revoked, for good */
    LIFECYCLE_REJECT, /* pending_approval, registered -> rejected */
    LIFECYCLE_DELETE  /* revoked, rejected -> unknown; the audit trail stays, its certificates stay revoked */
};

/* Where the event leads; MACHINE_NONE for LIFECYCLE_DELETE. Errors: MACHINE_STATE. */
ERRFN lifecycle_next(enum lifecycle_event event, const struct machine *machine, enum machine_status *out_status);

/* Does it: state, tokens, votes, certificates and the audit row. Updates *machine. Errors: MACHINE_STATE. */
ERRFN lifecycle_apply(struct call *call, enum lifecycle_event event, const struct act *act, struct machine *machine);

/* An approval of other content than a machine attested with: its configuration token dies, and certificates that say what is no longer
 * so. `before` is what the machine was. */
ERRFN lifecycle_close_gates(struct call *call, const struct machine *before, struct machine *machine);

/* The machine wiped itself, or an operator says so: the order is over. Errors: MACHINE_STATE when there is none. */
ERRFN lifecycle_end_wipe(struct call *call, const struct act *act, struct machine *machine);

#endif
