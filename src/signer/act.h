/* The bodies of the acts on a machine: lock, unlock, revoke, reject, wipe-ack. */
#ifndef ITL_SIGNER_ACT_H
#define ITL_SIGNER_ACT_H

#include "signer/signer.h"

struct act {
    char reason[257];                     /* for the audit log; "" when not given */
    char ek_fingerprint[MACHINE_EK_SIZE]; /* which machine the operator saw; "" when not given */
    bool wipe;
};

/* Reads {"reason", "ek_fingerprint"} and, where `may_wipe`, {"wipe"}; all may be absent, the body as well. Errors: as body_read. */
ERRFN act_parse(struct call *call, struct view body, bool may_wipe, struct act *out_act);

/* Whether the operator saw the machine that the database has under this id; an act that grants must say which it saw, so that a lying
 * front can't swap machines. Errors: FIELD_MISSING, MACHINE_CHANGED. */
ERRFN act_check_identity(struct call *call, const char *seen_fingerprint, const struct machine *machine, bool grants);

#endif
