/* What operators ask: GET /machines, GET /machines/{id}, POST /machines/{id}/approve (contract
 * A.2, B.1.10, B.1.11). The signer authenticates and reads the body; here only its form is
 * checked. */
#include "front/json_write.h"
#include "front/machine_answer.h"
#include "front/names.h"
#include "front/operator_request.h"
#include "front/query.h"
#include "front/route.h"

enum {
    LIST_ANSWER_MAX = 1024 * 1024 /* 200 machines of at most 4 KiB */,
    LIST_LIMIT = IPC_ROWS_MAX_machine
};

static ERRFN answer_list(struct exchange *x, const struct ipc_machine_list_reply *reply)
{
    TRY(buf_new(LIST_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    struct ipc_list machines = reply->machines;
    struct ipc_machine_record machine = {0};
    json_open(&w, NULL, '[');
    while (ipc_list_next_machine(&machines, &machine)) {
        machine_put(&w, NULL, &machine);
    }
    json_close(&w, ']');
    if (reply->more) {
        TRY(view_to_text(machine.machine_id, x->next_after, sizeof x->next_after));
    }
    return json_write_end(&w);
}

/* The values of the query, which the request's views point into. */
struct list_filter {
    char status[QUERY_VALUE_SIZE];
    char role[QUERY_VALUE_SIZE];
    char after[QUERY_VALUE_SIZE];
};

static ERRFN read_filter(const char *query, struct list_filter *filter,
                         struct ipc_machine_list_request *request, const char **out_name)
{
    *out_name = "status";
    TRY(query_get(query, "status", filter->status));
    request->status = filter->status[0] ? status_from_name(view_text(filter->status)) : 0;
    ENSURE(request->status != 0 || filter->status[0] == '\0', FIELD_INVALID);
    *out_name = "role";
    TRY(query_get(query, "role", filter->role));
    request->role = view_text(filter->role);
    ENSURE(request->role.len <= IPC_NAME_MAX, TOO_LONG);
    *out_name = "after";
    TRY(query_get(query, "after", filter->after));
    request->after = view_text(filter->after);
    ENSURE(request->after.len <= IPC_UUID_MAX, TOO_LONG);
    *out_name = "limit";
    return query_get_number(query, "limit", 1, LIST_LIMIT, LIST_LIMIT, &request->limit);
}

ERRFN handle_machine_list(struct exchange *x)
{
    static const char *const names[] = {"status", "role", "after", "limit", NULL};
    struct ipc_machine_list_request request = {0};
    struct list_filter filter;
    const char *fault = "";
    TRY(operator_check_lengths(x));
    err_t read = query_only(x->query, names);
    if (IS_OK(read)) {
        read = read_filter(x->query, &filter, &request, &fault);
    }
    if (!IS_OK(read)) {
        return exchange_fault(x, read, "query", fault);
    }
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_machine_list_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_machine_list(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_list(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

ERRFN handle_machine_get(struct exchange *x)
{
    struct ipc_machine_get_request request = {.machine_id = x->argument};
    TRY(operator_check_lengths(x));
    ENSURE(x->argument.len <= IPC_UUID_MAX, MACHINE_UNKNOWN);
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_machine_get_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_machine_get(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? machine_answer(x, reply.machine)
                               : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

static void put_evidence(struct json_writer *w, const struct ipc_evidence_record *e)
{
    uint8_t firmware[8];
    for (size_t i = 0; i < sizeof firmware; i++) {
        firmware[i] = (uint8_t)(e->firmware_version >> (8 * (sizeof firmware - 1 - i)));
    }
    json_open(w, NULL, '{');
    json_put_time(w, "time", e->time);
    json_put_text(w, "verdict", view_text(verdict_name(e->verdict)));
    json_put_text(w, "chain", view_text(outcome_name(e->chain)));
    json_put_text(w, "replay", view_text(outcome_name(e->replay)));
    json_put_text_or_null(w, "reason", e->reason);
    json_put_number(w, "policy_number", e->policy_number);
    json_put_number(w, "clock", e->clock);
    json_put_number(w, "reset_count", e->reset_count);
    json_put_number(w, "restart_count", e->restart_count);
    json_put_hex(w, "firmware_version", view_of(firmware, sizeof firmware));
    if (e->event_log_sha384.len > 0) {
        json_put_hex(w, "event_log_sha384", e->event_log_sha384);
    } else {
        json_put_null(w, "event_log_sha384");
    }
    json_close(w, '}');
}

static ERRFN answer_evidence(struct exchange *x, struct ipc_list list)
{
    TRY(buf_new(LIST_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    struct ipc_evidence_record evidence;
    json_open(&w, NULL, '[');
    while (ipc_list_next_evidence(&list, &evidence)) {
        put_evidence(&w, &evidence);
    }
    json_close(&w, ']');
    return json_write_end(&w);
}

ERRFN handle_machine_evidence(struct exchange *x)
{
    struct ipc_machine_evidence_request request = {.machine_id = x->argument};
    TRY(operator_check_lengths(x));
    ENSURE(x->argument.len <= IPC_UUID_MAX, MACHINE_UNKNOWN);
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_machine_evidence_reply reply;
    struct ipc_answer answer;
    err_t called =
        ipc_call_machine_evidence(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? answer_evidence(x, reply.evidence)
                               : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

ERRFN handle_machine_approve(struct exchange *x)
{
    struct ipc_machine_approve_request request = {.machine_id = x->argument};
    TRY(operator_check_lengths(x));
    ENSURE(x->argument.len <= IPC_UUID_MAX, MACHINE_UNKNOWN);
    TRY(operator_check_body(x));
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_machine_approve_reply reply;
    struct ipc_answer answer;
    err_t called =
        ipc_call_machine_approve(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? machine_answer(x, reply.machine)
                               : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
