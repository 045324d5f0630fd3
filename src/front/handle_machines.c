/* What operators ask: GET /machines, GET /machines/{id}, POST /machines/{id}/approve (contract
 * A.2, B.1.10, B.1.11). The signer authenticates and reads the body; here only its form is
 * checked. */
#include "front/json_write.h"
#include "front/names.h"
#include "front/query.h"
#include "front/route.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    LIST_ANSWER_MAX = 1024 * 1024 /* 200 machines of at most 4 KiB */,
    LIST_LIMIT = IPC_ROWS_MAX_machine
};

/* The token of "Bearer <token>" (RFC 6750 section 2.1); empty when there is none. */
static struct view bearer_of(const char *authorization)
{
    static const char scheme[] = "Bearer ";
    if (strncasecmp(authorization, scheme, sizeof scheme - 1) != 0) {
        return VIEW_EMPTY;
    }
    const char *token = authorization + sizeof scheme - 1;
    return view_text(token + strspn(token, " "));
}

/* Lengths are compared here so that an over-long header is the client's fault and not a broken
 * message. */
static ERRFN check_lengths(struct exchange *x)
{
    ENSURE(bearer_of(x->authorization).len <= IPC_TOKEN_MAX, AUTH_INVALID);
    ENSURE(strlen(x->target) <= IPC_TARGET_MAX, HEADERS_TOO_LARGE);
    ENSURE(strlen(x->signature_input) <= IPC_HEADER_MAX && strlen(x->signature) <= IPC_HEADER_MAX &&
               strlen(x->content_digest) <= IPC_HEADER_MAX,
           HEADERS_TOO_LARGE);
    return OK;
}

/* The fields that every operator message begins with. */
#define SET_OPERATOR_FIELDS(request, x)                               \
    do {                                                              \
        (request)->source_ip = view_text((x)->source_ip);             \
        (request)->bearer = bearer_of((x)->authorization);            \
        (request)->method = view_text((x)->method);                   \
        (request)->target = view_text((x)->target);                   \
        (request)->signature_input = view_text((x)->signature_input); \
        (request)->signature = view_text((x)->signature);             \
        (request)->content_digest = view_text((x)->content_digest);   \
        (request)->body = (x)->body;                                  \
    } while (0)

static void put_machine(struct json_writer *w, const struct ipc_machine_record *m)
{
    json_open(w, NULL, '{');
    json_put_text(w, "machine_id", m->machine_id);
    json_put_text(w, "ek_fingerprint", m->ek_fingerprint);
    json_put_text(w, "ek_public_hash", m->ek_public_hash);
    json_put_text(w, "ek_source", view_text(ek_source_name(m->ek_source)));
    json_put_text_or_null(w, "ek_manufacturer", m->ek_manufacturer);
    json_put_text_or_null(w, "ek_model", m->ek_model);
    json_put_text_or_null(w, "ek_version", m->ek_version);
    json_put_text_or_null(w, "ek_anchor", m->ek_anchor);
    json_put_text(w, "hw_uuid", m->hw_uuid);
    json_put_text(w, "hw_mac", m->hw_mac);
    json_put_text(w, "hw_serial", m->hw_serial);
    json_put_text(w, "hw_product", m->hw_product);
    json_put_text(w, "role", m->role);
    json_put_text_or_null(w, "desired_role", m->desired_role);
    json_put_text(w, "status", view_text(status_name(m->status)));
    json_put_text(w, "cluster_id", m->cluster_id);
    json_put_text_or_null(w, "hostname", m->hostname);
    json_put_text_or_null(w, "assigned_ip", m->assigned_ip);
    json_put_text_or_null(w, "assurance", m->assurance);
    json_put_time(w, "registered_at", m->registered_at);
    json_put_time(w, "attested_at", m->attested_at);
    json_put_time(w, "locked_at", m->locked_at);
    json_put_time(w, "revoked_at", m->revoked_at);
    json_put_bool(w, "wipe_pending", m->wipe_pending);
    json_close(w, '}');
}

static ERRFN answer_list(struct exchange *x, const struct ipc_machine_list_reply *reply)
{
    TRY(buf_new(LIST_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    struct ipc_list machines = reply->machines;
    struct ipc_machine_record machine = {0};
    json_open(&w, NULL, '[');
    while (ipc_list_next_machine(&machines, &machine)) {
        put_machine(&w, &machine);
    }
    json_close(&w, ']');
    if (reply->more) {
        TRY(view_to_text(machine.machine_id, x->next_after, sizeof x->next_after));
    }
    return json_write_end(&w);
}

static ERRFN answer_machine(struct exchange *x, struct ipc_list machines)
{
    struct ipc_machine_record machine;
    ENSURE(ipc_list_next_machine(&machines, &machine), WIRE);
    TRY(buf_new(LIST_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    put_machine(&w, &machine);
    return json_write_end(&w);
}

static ERRFN read_limit(const char *text, uint16_t *out_limit)
{
    char *end;
    unsigned long limit = text[0] ? strtoul(text, &end, 10) : LIST_LIMIT;
    if (text[0]) {
        ENSURE(text[0] >= '0' && text[0] <= '9' && *end == '\0', FIELD_INVALID);
    }
    ENSURE(limit >= 1 && limit <= LIST_LIMIT, FIELD_INVALID);
    *out_limit = (uint16_t)limit;
    return OK;
}

/* The values of the query, which the request's views point into. */
struct list_filter {
    char status[QUERY_VALUE_SIZE];
    char role[QUERY_VALUE_SIZE];
    char after[QUERY_VALUE_SIZE];
    char limit[QUERY_VALUE_SIZE];
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
    TRY(query_get(query, "limit", filter->limit));
    return read_limit(filter->limit, &request->limit);
}

ERRFN handle_machine_list(struct exchange *x)
{
    static const char *const names[] = {"status", "role", "after", "limit", NULL};
    struct ipc_machine_list_request request = {0};
    struct list_filter filter;
    const char *fault = "";
    TRY(check_lengths(x));
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
    TRY(check_lengths(x));
    ENSURE(x->argument.len <= IPC_UUID_MAX, MACHINE_UNKNOWN);
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_machine_get_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_machine_get(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? answer_machine(x, reply.machine)
                               : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

/* The signer reads the body with a parser of its own; what is no JSON object never gets that
 * far. */
static ERRFN check_body(struct exchange *x)
{
    AUTO(fields) f = NULL;
    return exchange_fields(x, &f);
}

ERRFN handle_machine_approve(struct exchange *x)
{
    struct ipc_machine_approve_request request = {.machine_id = x->argument};
    TRY(check_lengths(x));
    ENSURE(x->argument.len <= IPC_UUID_MAX, MACHINE_UNKNOWN);
    TRY(check_body(x));
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_machine_approve_reply reply;
    struct ipc_answer answer;
    err_t called =
        ipc_call_machine_approve(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? answer_machine(x, reply.machine)
                               : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
