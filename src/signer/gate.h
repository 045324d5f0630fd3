/* What a machine may have: only while it is attested, its evidence holds, and that evidence opened the gate. */
#ifndef ITL_SIGNER_GATE_H
#define ITL_SIGNER_GATE_H

#include "signer/signer.h"

/* Attested, but its evidence is older than policy lets it be. */
bool gate_is_stale(const struct machine *machine, uint64_t now_ms);

/* Whether a machine in this state may have anything at all: attested. Errors: MACHINE_PENDING, MACHINE_LOCKED, MACHINE_REVOKED,
 * MACHINE_REJECTED, MACHINE_NOT_ATTESTED. */
ERRFN gate_check_state(const struct machine *machine);

/* Whether the gate is open now. Errors: as above, EVIDENCE_STALE, GATE_CLOSED. */
ERRFN gate_check(const struct machine *machine, enum ipc_gate gate, uint64_t now_ms);

/* The gates for which gate_check would be OK. */
uint32_t gates_open(const struct machine *machine, uint64_t now_ms);

#endif
