#include "signer/verdict.h"

enum { FAILURES_BYTES = 32 * 1024 };

uint8_t verdict_on_wire(enum policy_result result)
{
    switch (result) {
    case POLICY_RESULT_NONE:
        return IPC_VERDICT_NOT_EVALUATED;
    case POLICY_RESULT_PASS:
        return IPC_VERDICT_PASS;
    case POLICY_RESULT_FAIL:
        return IPC_VERDICT_FAIL;
    case POLICY_RESULT_TELEMETRY:
        return IPC_VERDICT_TELEMETRY;
    }
    return IPC_VERDICT_NOT_EVALUATED;
}

uint8_t outcome_on_wire(enum policy_outcome outcome)
{
    switch (outcome) {
    case POLICY_OUTCOME_NOT_EVALUATED:
        return IPC_OUTCOME_NOT_EVALUATED;
    case POLICY_OUTCOME_PASS:
        return IPC_OUTCOME_PASS;
    case POLICY_OUTCOME_FAIL:
        return IPC_OUTCOME_FAIL;
    }
    return IPC_OUTCOME_NOT_EVALUATED;
}

err_t verdict_reason(const struct policy_verdict *verdict)
{
    const struct policy_part *parts[] = {&verdict->chain, &verdict->replay, &verdict->policy};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i]->outcome == POLICY_OUTCOME_FAIL && !IS_OK(parts[i]->reason)) {
            return parts[i]->reason;
        }
    }
    return E(PCR_POLICY);
}

uint32_t verdict_gates(const struct policy_verdict *verdict)
{
    const struct policy_gates *gates = &verdict->gates;
    return (gates->config ? IPC_GATE_CONFIG : 0U) | (gates->certificates ? IPC_GATE_CERTIFICATES : 0U) |
           (gates->secrets ? IPC_GATE_SECRETS : 0U);
}

void verdict_take(const struct policy_verdict *verdict, uint64_t now_ms, struct machine *machine)
{
    machine->gates = verdict_gates(verdict);
    if (verdict->result != POLICY_RESULT_FAIL) {
        machine->evidence_at = now_ms;
        machine->evidence_until = verdict->valid_until_ms;
    }
}

ERRFN verdict_failures(struct call *call, const struct policy_verdict *verdict, struct ipc_list *out_list)
{
    struct buf *rows;
    TRY(call_buffer(call, FAILURES_BYTES, &rows));
    for (size_t i = 0; i < verdict->failure_count && i < IPC_ROWS_MAX_failure; i++) {
        struct ipc_failure_record row = {
            .rule = view_text(verdict->failures[i].rule),
            .expected = view_text(verdict->failures[i].expected),
            .actual = view_text(verdict->failures[i].actual),
            .gate = view_text(verdict->failures[i].gate),
            .telemetry = verdict->failures[i].telemetry,
            .excused = verdict->failures[i].excused,
        };
        TRY(ipc_list_add_failure(out_list, rows, &row));
    }
    return OK;
}
