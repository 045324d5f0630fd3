/* GET /machines/{id}/evidence: what a machine proved lately, the latest first. */
#include "signer/evidence_record.h"
#include "signer/machine_reply.h"
#include "signer/operator.h"

ERRFN handle_machine_evidence(struct call *call, const struct ipc_machine_evidence_request *request,
                              struct ipc_machine_evidence_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    TRY(operator_may_read(call, &act));
    struct machine machine;
    struct buf *rows;
    AUTO(buf) storage = NULL;
    TRY(machine_find(call, request->machine_id, &machine));
    TRY(call_buffer(call, EVIDENCE_KEPT * EVIDENCE_RECORD_MAX_BYTES, &rows));
    TRY(buf_new(EVIDENCE_STORAGE_BYTES, &storage));
    for (uint32_t back = 0; back < EVIDENCE_KEPT; back++) {
        struct evidence_record evidence;
        err_t found = evidence_get(call->signer->db, machine.machine_id, back, storage, &evidence);
        if (IS_E(found, NOT_FOUND)) {
            return OK;
        }
        TRY(found);
        struct ipc_evidence_record record = evidence_on_wire(&evidence);
        TRY(ipc_list_add_evidence(&out_reply->evidence, rows, &record));
    }
    return OK;
}
