/* What a machine's state and last verdict unlock. */
#ifndef ITL_SIGNER_GATE_H
#define ITL_SIGNER_GATE_H

#include "signer/signer.h"

enum gate { GATE_NONE = 0, GATE_CERTIFICATES };

/* Whether a machine in this state may have anything at all: attested. Errors: MACHINE_PENDING, MACHINE_LOCKED, MACHINE_REVOKED,
 * MACHINE_REJECTED, MACHINE_NOT_ATTESTED. */
ERRFN gate_check_state(const struct machine *machine);

/* Whether the gate is open now: the state, and policy's verdict on the last evidence. Errors: as above, PCR_POLICY. */
ERRFN gate_open(struct call *call, enum gate gate, const struct machine *machine);

#endif
