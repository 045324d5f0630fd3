/* POST /policies, GET /policies, GET /policies/{number}, POST /policies/{number}/activate. */
#include "front/json_write.h"
#include "front/operator_request.h"
#include "front/query.h"
#include "front/route.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    POLICIES_ANSWER_MAX = 2 * 1024 * 1024, /* 200 rows of at most 2 KiB, or a policy of 1 MiB escaped */
    LIST_LIMIT = IPC_ROWS_MAX_policy
};

/* `text` is left out when empty. */
static void put_policy(struct json_writer *w, const struct ipc_policy_record *p, struct view text)
{
    json_open(w, NULL, '{');
    json_put_number(w, "number", p->number);
    json_put_text(w, "name", p->name);
    json_put_number(w, "version", p->version);
    json_put_hex(w, "sha384", view_of(p->sha384, sizeof p->sha384));
    json_put_text(w, "author", p->author);
    json_put_text(w, "comment", p->comment);
    json_put_time(w, "created_at", p->created_at);
    json_put_time(w, "activated_at", p->activated_at);
    json_put_bool(w, "active", p->active);
    if (text.len > 0) {
        json_put_text(w, "policy", text);
    }
    json_close(w, '}');
}

static ERRFN answer_policy(struct exchange *x, struct ipc_list policies, struct view text)
{
    struct ipc_policy_record policy;
    ENSURE(ipc_list_next_policy(&policies, &policy), WIRE);
    TRY(buf_new(POLICIES_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    put_policy(&w, &policy, text);
    return json_write_end(&w);
}

/* 422 that names the place in the policy: {"detail":[{"loc":["body","policy",PATH,LINE,COLUMN],…}]}. */
static ERRFN answer_problem(struct exchange *x, const struct ipc_policy_push_reply *reply)
{
    const char *reason = err_reason(E(POLICY_INVALID));
    x->status = 422;
    TRY(buf_new(POLICIES_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    json_open(&w, "detail", '[');
    json_open(&w, NULL, '{');
    json_open(&w, "loc", '[');
    json_put_text(&w, NULL, view_text("body"));
    json_put_text(&w, NULL, view_text("policy"));
    json_put_text(&w, NULL, reply->path);
    json_put_number(&w, NULL, reply->line);
    json_put_number(&w, NULL, reply->column);
    json_close(&w, ']');
    json_put_text(&w, "msg", reply->problem);
    json_put_text(&w, "type", view_text(reason));
    json_close(&w, '}');
    json_close(&w, ']');
    json_put_text(&w, "reason", view_text(reason));
    json_close(&w, '}');
    return json_write_end(&w);
}

static ERRFN answer_push(struct exchange *x, const struct ipc_policy_push_reply *reply)
{
    if (reply->policy.count == 0) {
        return answer_problem(x, reply);
    }
    x->status = reply->known ? 200 : 201;
    return answer_policy(x, reply->policy, VIEW_EMPTY);
}

ERRFN handle_policy_push(struct exchange *x)
{
    struct ipc_policy_push_request request = {0};
    TRY(operator_check_lengths(x));
    TRY(operator_check_body(x));
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_policy_push_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_policy_push(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? answer_push(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

static ERRFN answer_list(struct exchange *x, const struct ipc_policy_list_reply *reply)
{
    TRY(buf_new(POLICIES_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    struct ipc_list policies = reply->policies;
    struct ipc_policy_record policy = {0};
    json_open(&w, NULL, '[');
    while (ipc_list_next_policy(&policies, &policy)) {
        put_policy(&w, &policy, VIEW_EMPTY);
    }
    json_close(&w, ']');
    if (reply->more) {
        snprintf(x->next_after, sizeof x->next_after, "%" PRIu64, policy.number);
    }
    return json_write_end(&w);
}

static ERRFN read_page(const char *query, struct ipc_policy_list_request *request, const char **out_name)
{
    static const char *const names[] = {"before", "limit", NULL};
    char value[QUERY_VALUE_SIZE];
    *out_name = "";
    TRY(query_only(query, names));
    *out_name = "before";
    TRY(query_get(query, "before", value));
    if (value[0]) {
        TRY(operator_read_number(view_text(value), &request->before));
    }
    *out_name = "limit";
    return query_get_number(query, "limit", 1, LIST_LIMIT, LIST_LIMIT, &request->limit);
}

ERRFN handle_policy_list(struct exchange *x)
{
    struct ipc_policy_list_request request = {0};
    const char *fault;
    TRY(operator_check_lengths(x));
    err_t read = read_page(x->query, &request, &fault);
    if (!IS_OK(read)) {
        return exchange_fault(x, read, "query", fault);
    }
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_policy_list_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_policy_list(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? answer_list(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

/* {number} is a number, "active" or "previous". */
static ERRFN read_which(struct view argument, struct ipc_policy_get_request *request)
{
    request->which = IPC_POLICY_NUMBER;
    if (view_is(argument, "active")) {
        request->which = IPC_POLICY_ACTIVE;
    } else if (view_is(argument, "previous")) {
        request->which = IPC_POLICY_PREVIOUS;
    } else {
        ENSURE(IS_OK(operator_read_number(argument, &request->number)), POLICY_VERSION);
    }
    return OK;
}

ERRFN handle_policy_get(struct exchange *x)
{
    struct ipc_policy_get_request request = {0};
    TRY(operator_check_lengths(x));
    TRY(read_which(x->argument, &request));
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_policy_get_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_policy_get(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_policy(x, reply.policy, reply.text) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

ERRFN handle_policy_activate(struct exchange *x)
{
    struct ipc_policy_activate_request request = {0};
    TRY(operator_check_lengths(x));
    ENSURE(IS_OK(operator_read_number(x->argument, &request.number)), POLICY_VERSION);
    TRY(operator_check_body(x));
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_policy_activate_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_policy_activate(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_policy(x, reply.policy, VIEW_EMPTY) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
