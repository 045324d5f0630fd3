/* GET /machines/{id}/evidence: what a machine proved lately, the latest first. */
#include "signer/machine_reply.h"
#include "signer/operator.h"
#include "signer/verdict.h"
#include "sql/proof.h"

static struct ipc_evidence_record to_record(const struct evidence_record *e)
{
    return (struct ipc_evidence_record){
        .time = e->time_ms,
        .verdict = verdict_on_wire((enum policy_result)e->verdict),
        .chain = outcome_on_wire((enum policy_outcome)e->chain),
        .replay = outcome_on_wire((enum policy_outcome)e->replay),
        .reason = view_text(e->reason),
        .policy_number = e->policy_number,
        .clock = e->clock,
        .reset_count = e->reset_count,
        .restart_count = e->restart_count,
        .firmware_version = e->firmware_version,
        .event_log_sha384 = e->event_log_sha384,
        .ek_fingerprint = e->ek_fingerprint,
    };
}

ERRFN handle_machine_evidence(struct call *call, const struct ipc_machine_evidence_request *request,
                              struct ipc_machine_evidence_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    TRY(operator_may_read(call, &act));
    struct machine machine;
    struct buf *rows;
    AUTO(buf) storage = NULL;
    TRY(machine_find(call, request->machine_id, &machine));
    TRY(call_buffer(call, EVIDENCE_KEPT * 256, &rows));
    TRY(buf_new(EVIDENCE_STORAGE_BYTES, &storage));
    for (uint32_t back = 0; back < EVIDENCE_KEPT; back++) {
        struct evidence_record evidence;
        err_t found = evidence_get(call->signer->db, machine.machine_id, back, storage, &evidence);
        if (IS_E(found, NOT_FOUND)) {
            return OK;
        }
        TRY(found);
        struct ipc_evidence_record record = to_record(&evidence);
        TRY(ipc_list_add_evidence(&out_reply->evidence, rows, &record));
    }
    return OK;
}
