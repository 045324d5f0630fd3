#include "signer/gate.h"

#include "sql/proof.h"

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

ERRFN gate_open(struct call *call, enum gate gate, const struct machine *machine)
{
    struct buf *storage;
    struct evidence_record last;
    ENSURE(gate == GATE_CERTIFICATES, BUG);
    TRY(gate_check_state(machine));
    TRY(call_buffer(call, 3 * EVIDENCE_PART_MAX_BYTES, &storage));
    err_t found = evidence_last(call->signer->db, machine->machine_id, storage, &last);
    ENSURE(!IS_E(found, NOT_FOUND), MACHINE_NOT_ATTESTED);
    TRY(found);
    ENSURE(last.verdict != POLICY_RESULT_FAIL, PCR_POLICY);
    return OK;
}
