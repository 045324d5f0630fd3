/* What a machine may have: only while it is attested, its evidence holds, and that evidence opened the gate. */
#ifndef ITL_SIGNER_GATE_H
#define ITL_SIGNER_GATE_H

#include "signer/signer.h"

/* Attested, but its evidence is older than policy lets it be. */
bool gate_is_stale(const struct machine *machine, uint64_t now_ms);

/* Errors: MACHINE_NOT_ATTESTED; EVIDENCE_STALE; GATE_CLOSED. */
ERRFN gate_check(const struct machine *machine, enum ipc_gate gate, uint64_t now_ms);

#endif
