#include "front/verdict_answer.h"

#include "front/names.h"

void verdict_put_parts(struct json_writer *w, uint8_t chain, uint8_t replay, uint8_t policy)
{
    json_open(w, "verdicts", '{');
    json_put_text(w, "chain", view_text(outcome_name(chain)));
    json_put_text(w, "replay", view_text(outcome_name(replay)));
    json_put_text(w, "policy", view_text(outcome_name(policy)));
    json_close(w, '}');
}

void verdict_put_failures(struct json_writer *w, struct ipc_list failures)
{
    struct ipc_failure_record failure;
    json_open(w, "failures", '[');
    while (ipc_list_next_failure(&failures, &failure)) {
        json_open(w, NULL, '{');
        json_put_text(w, "rule", failure.rule);
        json_put_text(w, "expected", failure.expected);
        json_put_text(w, "actual", failure.actual);
        json_put_text_or_null(w, "gate", failure.gate);
        json_put_bool(w, "telemetry", failure.telemetry);
        json_put_bool(w, "excused", failure.excused);
        json_close(w, '}');
    }
    json_close(w, ']');
}
