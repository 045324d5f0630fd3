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

uint8_t outcome_on_wire(int outcome)
{
    return outcome == 1 ? IPC_OUTCOME_PASS : outcome == 2 ? IPC_OUTCOME_FAIL : IPC_OUTCOME_NOT_EVALUATED;
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
        };
        TRY(ipc_list_add_failure(out_list, rows, &row));
    }
    return OK;
}
