/* GET /machines/{id}/explain and /machines/{id}/baseline: what a machine's last evidence amounts to, and a baseline made of it. */
#include "policy/golden.h"
#include "signer/advice.h"
#include "signer/facts.h"
#include "signer/machine_reply.h"
#include "signer/operator.h"
#include "signer/verdict.h"
#include "sql/stored_logs.h"
#include "tpm/event_diff.h"

#include <string.h>

enum { DIFFERENCE_BYTES = 64 * 1024, NO_PCR = 255 };

/* -- what changed since the last accepted boot ------------------------------------------------------------------------ */

static ERRFN add_difference(struct ipc_list *list, struct buf *rows, const char *claim, uint8_t pcr, const char *text)
{
    struct ipc_difference_record row = {.claim = view_text(claim), .pcr = pcr, .text = view_text(text)};
    return list->count < IPC_ROWS_MAX_difference ? ipc_list_add_difference(list, rows, &row) : OK;
}

static ERRFN list_changes(struct call *call, const struct event_diff *diff, struct ipc_list *out_list)
{
    struct buf *rows;
    TRY(call_buffer(call, DIFFERENCE_BYTES, &rows));
    for (size_t i = 0; i < diff->meaning->count; i++) {
        TRY(add_difference(out_list, rows, diff->meaning->items[i].name, NO_PCR, diff->meaning->items[i].value));
    }
    for (size_t i = 0; i < diff->count; i++) {
        TRY(add_difference(out_list, rows, "", (uint8_t)diff->changes[i].pcr, diff->changes[i].text));
    }
    return OK;
}

static ERRFN compare_logs(struct call *call, const struct machine *machine, const struct facts *facts, struct ipc_list *out_list)
{
    struct buf *accepted_bytes;
    AUTO(event_log) accepted = NULL;
    AUTO(event_diff) diff = NULL;
    struct event_log_problem problem;
    TRY(call_buffer(call, STORED_LOG_MAX_BYTES, &accepted_bytes));
    err_t found = stored_log_get(call->signer->db, machine->machine_id, STORED_LOG_ACCEPTED, accepted_bytes);
    if (!facts->log || IS_E(found, NOT_FOUND)) {
        return OK;
    }
    TRY(found);
    TRY(event_log_parse(buf_view(accepted_bytes), &accepted, &problem));
    err_t compared = event_diff(accepted, facts->log, &diff);
    return IS_E(compared, EVENT_LOG_UNREADABLE) ? OK : IS_OK(compared) ? list_changes(call, diff, out_list) : compared;
}

/* -- explain ------------------------------------------------------------------------------------------------------------- */

static ERRFN explain_verdict(struct call *call, const struct policy_verdict *verdict, struct ipc_machine_explain_reply *out_reply)
{
    out_reply->verdict = verdict_on_wire(verdict->result);
    out_reply->chain = outcome_on_wire(verdict->chain.outcome);
    out_reply->replay = outcome_on_wire(verdict->replay.outcome);
    out_reply->policy = outcome_on_wire(verdict->policy.outcome);
    out_reply->reason = verdict->result == POLICY_RESULT_FAIL ? verdict_reason(verdict).code : 0;
    TRY(call_text(call, verdict->baseline, &out_reply->baseline));
    TRY(call_text(call, verdict->note, &out_reply->note));
    return verdict_failures(call, verdict, &out_reply->failures);
}

static ERRFN explain_evidence(struct call *call, const struct machine *machine, const struct facts_storage *storage,
                              const struct facts *facts, struct ipc_machine_explain_reply *out_reply)
{
    struct policy_verdict verdict;
    policy_evaluate(call->signer->policy, &facts->policy, &verdict);
    out_reply->evidence_at = storage->time_ms;
    out_reply->verdict_then = verdict_on_wire((enum policy_result)storage->verdict);
    out_reply->log_read = facts->policy.event_log == POLICY_LOG_READ;
    out_reply->log_replays = facts->policy.log_replays;
    out_reply->log_differs = facts->policy.log_differs;
    TRY(explain_verdict(call, &verdict, out_reply));
    TRY(compare_logs(call, machine, facts, &out_reply->differences));
    return advice_list(call, machine, &verdict, &out_reply->advice);
}

static ERRFN explain_nothing(struct call *call, const struct machine *machine, struct ipc_machine_explain_reply *out_reply)
{
    out_reply->verdict_then = out_reply->verdict = IPC_VERDICT_NOT_EVALUATED;
    out_reply->chain = out_reply->replay = out_reply->policy = IPC_OUTCOME_NOT_EVALUATED;
    return advice_list(call, machine, NULL, &out_reply->advice);
}

ERRFN handle_machine_explain(struct call *call, const struct ipc_machine_explain_request *request,
                             struct ipc_machine_explain_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    const struct policy *policy = call->signer->policy;
    struct machine machine;
    struct facts_storage storage;
    AUTO(facts) facts = NULL;
    TRY(operator_may_read(call, &act));
    TRY(machine_find(call, request->machine_id, &machine));
    TRY(machine_reply(call, &machine, &out_reply->machine));
    TRY(machine_eks_reply(call, &machine, &out_reply->eks));
    TRY(call_text(call, policy->name, &out_reply->policy_name));
    out_reply->policy_version = policy->version;
    out_reply->policy_number = call->signer->policy_number;
    err_t explained = facts_load(call, &machine, call->signer->trust, &storage, &facts);
    if (IS_OK(explained)) {
        explained = explain_evidence(call, &machine, &storage, facts, out_reply);
    } else if (IS_E(explained, NOT_FOUND)) {
        explained = explain_nothing(call, &machine, out_reply);
    }
    facts_free(STEAL(facts)); /* before what it points into */
    facts_storage_clear(&storage);
    return explained;
}

/* -- baseline --------------------------------------------------------------------------------------------------------------- */

ERRFN handle_machine_capture(struct call *call, const struct ipc_machine_capture_request *request,
                             struct ipc_machine_capture_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    struct machine machine;
    struct facts_storage storage;
    struct buf *yaml;
    char name[POLICY_NAME_SIZE];
    AUTO(facts) facts = NULL;
    TRY(operator_may_read(call, &act));
    TRY(machine_find(call, request->machine_id, &machine));
    TRY(view_to_text(request->name, name, sizeof name));
    TRY(call_buffer(call, IPC_POLICY_MAX, &yaml));
    err_t captured = facts_load(call, &machine, call->signer->trust, &storage, &facts);
    if (IS_OK(captured)) {
        captured = policy_capture(&facts->policy, name, yaml);
    }
    facts_free(STEAL(facts));
    facts_storage_clear(&storage);
    out_reply->baseline = buf_view(yaml);
    if (IS_E(captured, FIELD_INVALID)) {
        return call_refuse(call, captured, "query.name");
    }
    return IS_E(captured, NOT_FOUND) ? E(EVIDENCE_NONE) : captured;
}
