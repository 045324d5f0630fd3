#include "signer/gate.h"

bool gate_is_stale(const struct machine *machine, uint64_t now_ms)
{
    return machine->status == MACHINE_ATTESTED && machine->evidence_until != 0 && now_ms > machine->evidence_until;
}

ERRFN gate_check_state(const struct machine *machine)
{
    switch ((enum machine_status)machine->status) {
    case MACHINE_ATTESTED:
        return OK;
    case MACHINE_PENDING_APPROVAL:
        return E(MACHINE_PENDING);
    case MACHINE_LOCKED:
        return E(MACHINE_LOCKED);
    case MACHINE_REVOKED:
        return E(MACHINE_REVOKED);
    case MACHINE_REJECTED:
        return E(MACHINE_REJECTED);
    case MACHINE_REGISTERED:
    case MACHINE_NONE:
        break;
    }
    return E(MACHINE_NOT_ATTESTED);
}

ERRFN gate_check(const struct machine *machine, enum ipc_gate gate, uint64_t now_ms)
{
    TRY(gate_check_state(machine));
    ENSURE(!gate_is_stale(machine, now_ms), EVIDENCE_STALE);
    ENSURE((machine->gates & (uint32_t)gate) != 0, GATE_CLOSED);
    return OK;
}

uint32_t gates_open(const struct machine *machine, uint64_t now_ms)
{
    bool closed = !IS_OK(gate_check_state(machine)) || gate_is_stale(machine, now_ms);
    return closed ? 0 : machine->gates;
}
