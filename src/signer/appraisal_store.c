#include "signer/appraise.h"

#include "base/text.h"
#include "crypto/digest.h"
#include "signer/record.h"
#include "signer/stored_values.h"
#include "signer/verdict.h"
#include "sql/policies.h"
#include "sql/proof.h"
#include "sql/stored_logs.h"

#include <string.h>

/* The last log is kept whatever it says, so that what is wrong can be explained; the last accepted one is what it is compared with. */
static ERRFN store_log(struct call *call, const struct machine *machine, const struct appraisal *a,
                       uint8_t out_sha384[static STORED_LOG_SHA384_BYTES])
{
    struct db *db = call->signer->db;
    TRY(sha384(a->event_log, out_sha384));
    TRY(stored_log_put(db, machine->machine_id, STORED_LOG_LAST, out_sha384, a->event_log, call->now_ms));
    bool explained = a->verdict.replay.outcome == POLICY_OUTCOME_PASS && a->verdict.result != POLICY_RESULT_FAIL;
    return explained ? stored_log_put(db, machine->machine_id, STORED_LOG_ACCEPTED, out_sha384, a->event_log, call->now_ms) : OK;
}

static ERRFN store_evidence(struct call *call, const struct machine *machine, const struct appraisal *a, struct view log_sha384)
{
    struct buf *values;
    uint8_t fingerprint[EK_FINGERPRINT_BYTES];
    TRY(call_buffer(call, EVIDENCE_PART_MAX_BYTES, &values));
    TRY(stored_values_encode(&a->facts->values, values));
    TRY(hex_decode(view_text(call->ek_fingerprint), fingerprint, sizeof fingerprint));
    struct evidence_record evidence = {
        .time_ms = call->now_ms,
        .quote = a->quote.attest,
        .signature = a->signature,
        .pcr_values = buf_view(values),
        .clock = a->quote.clock,
        .reset_count = a->quote.reset_count,
        .restart_count = a->quote.restart_count,
        .firmware_version = a->quote.firmware_version,
        .event_log_sha384 = log_sha384,
        .ek_fingerprint = view_of(fingerprint, sizeof fingerprint),
        .verdict = (int)a->verdict.result,
        .chain = (int)a->verdict.chain.outcome,
        .replay = (int)a->verdict.replay.outcome,
        .policy_number = call->signer->policy_number,
    };
    memcpy(evidence.machine_id, machine->machine_id, sizeof evidence.machine_id);
    if (a->verdict.result == POLICY_RESULT_FAIL) {
        TRY(view_to_text(view_text(err_reason(verdict_reason(&a->verdict))), evidence.reason, sizeof evidence.reason));
    }
    return evidence_put(call->signer->db, &evidence);
}

/* An exception that let the machine through once does not do so again. */
static ERRFN spend_exceptions(struct call *call, const struct machine *machine, const struct policy_verdict *verdict)
{
    for (size_t i = 0; i < verdict->exception_count; i++) {
        const struct policy_exception *exception = &call->signer->policy->exceptions[verdict->exceptions[i]];
        if (exception->once) {
            TRY(spent_exception_put(call->signer->db, machine->machine_id, exception->rule, exception->expires_ms, call->now_ms));
        }
        TRY(record_act(call, "exception_used", NULL, NULL, exception->rule, NULL));
    }
    return OK;
}

ERRFN appraisal_store(struct call *call, const struct machine *machine, const struct ek *ek, const struct appraisal *appraisal)
{
    uint8_t log_sha384[STORED_LOG_SHA384_BYTES];
    bool with_log = appraisal->event_log.len > 0;
    TRY(possession_store(call, machine, ek, &appraisal->possession));
    if (with_log) {
        TRY(store_log(call, machine, appraisal, log_sha384));
    }
    TRY(store_evidence(call, machine, appraisal, with_log ? view_of(log_sha384, sizeof log_sha384) : VIEW_EMPTY));
    return appraisal->verdict.result == POLICY_RESULT_FAIL ? OK : spend_exceptions(call, machine, &appraisal->verdict);
}
