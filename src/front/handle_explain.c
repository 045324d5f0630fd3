/* GET /machines/{id}/explain, GET /machines/{id}/baseline, GET /policies/{number}/simulate. */
#include "front/json_write.h"
#include "front/machine_answer.h"
#include "front/names.h"
#include "front/operator_request.h"
#include "front/query.h"
#include "front/route.h"
#include "front/verdict_answer.h"

enum { EXPLAIN_ANSWER_MAX = 512 * 1024, SIMULATE_LIMIT = IPC_ROWS_MAX_simulation, PCR_COUNT = 24, NO_PCR = 255 };

/* -- explain ------------------------------------------------------------------------------------ */

static void put_pcrs(struct json_writer *w, const char *name, uint32_t mask)
{
    json_open(w, name, '[');
    for (uint32_t pcr = 0; pcr < PCR_COUNT; pcr++) {
        if (mask >> pcr & 1) {
            json_put_number(w, NULL, pcr);
        }
    }
    json_close(w, ']');
}

static void put_log(struct json_writer *w, const struct ipc_machine_explain_reply *reply)
{
    if (!reply->log_read) {
        json_put_null(w, "event_log");
        return;
    }
    json_open(w, "event_log", '{');
    put_pcrs(w, "replays", reply->log_replays);
    put_pcrs(w, "differs", reply->log_differs);
    json_close(w, '}');
}

static void put_differences(struct json_writer *w, struct ipc_list differences)
{
    struct ipc_difference_record d;
    json_open(w, "differences", '[');
    while (ipc_list_next_difference(&differences, &d)) {
        json_open(w, NULL, '{');
        json_put_text_or_null(w, "claim", d.claim);
        if (d.pcr == NO_PCR) {
            json_put_null(w, "pcr");
        } else {
            json_put_number(w, "pcr", d.pcr);
        }
        json_put_text(w, "text", d.text);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_advice(struct json_writer *w, struct ipc_list advice)
{
    struct ipc_advice_record row;
    json_open(w, "advice", '[');
    while (ipc_list_next_advice(&advice, &row)) {
        json_put_text(w, NULL, row.text);
    }
    json_close(w, ']');
}

static void put_policy(struct json_writer *w, const struct ipc_machine_explain_reply *reply)
{
    json_open(w, "policy", '{');
    json_put_text(w, "name", reply->policy_name);
    json_put_number(w, "version", reply->policy_version);
    json_put_number(w, "number", reply->policy_number);
    json_close(w, '}');
}

static ERRFN answer_explain(struct exchange *x, const struct ipc_machine_explain_reply *reply)
{
    struct ipc_list machines = reply->machine;
    struct ipc_machine_record machine;
    ENSURE(ipc_list_next_machine(&machines, &machine), WIRE);
    TRY(buf_new(EXPLAIN_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    json_put_text(&w, "machine_id", machine.machine_id);
    json_put_text(&w, "status", view_text(status_name(machine.status)));
    json_put_bool(&w, "stale", machine.stale);
    machine_put_eks(&w, reply->eks);
    put_policy(&w, reply);
    json_put_time(&w, "evidence_at", reply->evidence_at);
    json_put_text(&w, "verdict_then", view_text(verdict_name(reply->verdict_then)));
    json_put_text(&w, "verdict", view_text(verdict_name(reply->verdict)));
    verdict_put_parts(&w, reply->chain, reply->replay, reply->policy);
    json_put_text_or_null(&w, "reason", view_text(reply->reason ? err_reason(err_from_code(reply->reason)) : ""));
    json_put_text_or_null(&w, "baseline", reply->baseline);
    json_put_text_or_null(&w, "note", reply->note);
    verdict_put_failures(&w, reply->failures);
    put_log(&w, reply);
    put_differences(&w, reply->differences);
    put_advice(&w, reply->advice);
    json_close(&w, '}');
    return json_write_end(&w);
}

ERRFN handle_machine_explain(struct exchange *x)
{
    struct ipc_machine_explain_request request = {.machine_id = x->argument};
    TRY(operator_check_lengths(x));
    ENSURE(x->argument.len <= IPC_UUID_MAX, MACHINE_UNKNOWN);
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_machine_explain_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_machine_explain(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? answer_explain(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

/* -- baseline ----------------------------------------------------------------------------------- */

static ERRFN answer_baseline(struct exchange *x, struct view yaml)
{
    TRY(buf_new(EXPLAIN_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    json_put_text(&w, "baseline", yaml);
    json_close(&w, '}');
    return json_write_end(&w);
}

ERRFN handle_machine_capture(struct exchange *x)
{
    static const char *const names[] = {"name", NULL};
    struct ipc_machine_capture_request request = {.machine_id = x->argument};
    char name[QUERY_VALUE_SIZE];
    TRY(operator_check_lengths(x));
    ENSURE(x->argument.len <= IPC_UUID_MAX, MACHINE_UNKNOWN);
    err_t read = query_only(x->query, names);
    read = IS_OK(read) ? query_get(x->query, "name", name) : read;
    if (!IS_OK(read) || name[0] == '\0' || view_text(name).len > IPC_NAME_MAX) {
        return exchange_fault(x, IS_OK(read) ? E(FIELD_INVALID) : read, "query", "name");
    }
    request.name = view_text(name);
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_machine_capture_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_machine_capture(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? answer_baseline(x, reply.baseline) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

/* -- simulate ----------------------------------------------------------------------------------- */

static void put_simulation(struct json_writer *w, const struct ipc_simulation_record *s)
{
    json_open(w, NULL, '{');
    json_put_text(w, "machine_id", s->machine_id);
    json_put_text_or_null(w, "hostname", s->hostname);
    json_put_text(w, "role", s->role);
    json_put_text(w, "now", view_text(verdict_name(s->now)));
    json_put_text(w, "then", view_text(verdict_name(s->then)));
    json_put_text_or_null(w, "baseline", s->baseline);
    json_put_text_or_null(w, "rule", s->rule);
    json_put_text_or_null(w, "expected", s->expected);
    json_put_text_or_null(w, "actual", s->actual);
    json_close(w, '}');
}

static ERRFN answer_simulate(struct exchange *x, const struct ipc_policy_simulate_reply *reply)
{
    struct ipc_list machines = reply->machines;
    struct ipc_simulation_record row = {0};
    TRY(buf_new(EXPLAIN_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '[');
    while (ipc_list_next_simulation(&machines, &row)) {
        put_simulation(&w, &row);
    }
    json_close(&w, ']');
    if (reply->more) {
        TRY(view_to_text(row.machine_id, x->next_after, sizeof x->next_after));
    }
    return json_write_end(&w);
}

static ERRFN read_page(const char *query, char after[static QUERY_VALUE_SIZE], struct ipc_policy_simulate_request *request,
                       const char **out_name)
{
    static const char *const names[] = {"after", "limit", NULL};
    *out_name = "";
    TRY(query_only(query, names));
    *out_name = "after";
    TRY(query_get(query, "after", after));
    request->after = view_text(after);
    ENSURE(request->after.len <= IPC_UUID_MAX, TOO_LONG);
    *out_name = "limit";
    return query_get_number(query, "limit", 1, SIMULATE_LIMIT, SIMULATE_LIMIT, &request->limit);
}

ERRFN handle_policy_simulate(struct exchange *x)
{
    struct ipc_policy_simulate_request request = {0};
    char after[QUERY_VALUE_SIZE];
    const char *fault;
    TRY(operator_check_lengths(x));
    ENSURE(IS_OK(operator_read_number(x->argument, &request.number)), POLICY_VERSION);
    err_t read = read_page(x->query, after, &request, &fault);
    if (!IS_OK(read)) {
        return exchange_fault(x, read, "query", fault);
    }
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_policy_simulate_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_policy_simulate(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? answer_simulate(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
