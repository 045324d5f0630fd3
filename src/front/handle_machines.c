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
    err_t done = IS_OK(called) ? machine_answer_with_eks(x, reply.machine, reply.eks)
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
