#include "signer/gate.h"

bool gate_is_stale(const struct machine *machine, uint64_t now_ms)
{
    return machine->status == MACHINE_ATTESTED && machine->evidence_until != 0 && now_ms > machine->evidence_until;
}

ERRFN gate_check(const struct machine *machine, enum ipc_gate gate, uint64_t now_ms)
{
    ENSURE(machine->status == MACHINE_ATTESTED, MACHINE_NOT_ATTESTED);
    ENSURE(!gate_is_stale(machine, now_ms), EVIDENCE_STALE);
    ENSURE((machine->gates & (uint32_t)gate) != 0, GATE_CLOSED);
    return OK;
}
