/* What operators ask of certificates: GET /certificates, POST /certificates/{serial}/revoke. */
#include "base/text.h"
#include "front/certificate_answer.h"
#include "front/operator_request.h"
#include "front/query.h"
#include "front/route.h"

enum { LIST_ANSWER_MAX = 512 * 1024 /* 200 certificates of at most 2 KiB */ };

static ERRFN answer_list(struct exchange *x, const struct ipc_certificate_list_reply *reply)
{
    TRY(buf_new(LIST_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    struct ipc_list certificates = reply->certificates;
    struct ipc_certificate_record certificate = {0};
    json_open(&w, NULL, '[');
    while (ipc_list_next_certificate(&certificates, &certificate)) {
        certificate_put(&w, NULL, &certificate);
    }
    json_close(&w, ']');
    if (reply->more) {
        hex_encode(view_of(certificate.serial, sizeof certificate.serial), x->next_after);
    }
    return json_write_end(&w);
}

static ERRFN answer_one(struct exchange *x, struct ipc_list certificates)
{
    struct ipc_certificate_record certificate;
    ENSURE(ipc_list_next_certificate(&certificates, &certificate), WIRE);
    TRY(buf_new(LIST_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    certificate_put(&w, NULL, &certificate);
    return json_write_end(&w);
}

/* The values of the query, which the request's views point into. */
struct list_filter {
    char machine[QUERY_VALUE_SIZE];
    char after[QUERY_VALUE_SIZE];
};

static ERRFN read_filter(const char *query, struct list_filter *filter,
                         struct ipc_certificate_list_request *request, const char **out_name)
{
    *out_name = "machine_id";
    TRY(query_get(query, "machine_id", filter->machine));
    request->machine_id = view_text(filter->machine);
    ENSURE(request->machine_id.len <= IPC_UUID_MAX, TOO_LONG);
    *out_name = "after";
    TRY(query_get(query, "after", filter->after));
    request->after = view_text(filter->after);
    ENSURE(request->after.len <= IPC_SERIAL_MAX, TOO_LONG);
    *out_name = "limit";
    return query_get_number(query, "limit", 1, IPC_ROWS_MAX_certificate, IPC_ROWS_MAX_certificate,
                            &request->limit);
}

ERRFN handle_certificate_list(struct exchange *x)
{
    static const char *const names[] = {"machine_id", "after", "limit", NULL};
    struct ipc_certificate_list_request request = {0};
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
    struct ipc_certificate_list_reply reply;
    struct ipc_answer answer;
    err_t called =
        ipc_call_certificate_list(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_list(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

ERRFN handle_certificate_revoke(struct exchange *x)
{
    struct ipc_certificate_revoke_request request = {.serial = x->argument};
    TRY(operator_check_lengths(x));
    ENSURE(x->argument.len <= IPC_SERIAL_MAX, CERTIFICATE_UNKNOWN);
    if (x->body.len > 0) {
        TRY(operator_check_body(x));
    }
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_certificate_revoke_reply reply;
    struct ipc_answer answer;
    err_t called =
        ipc_call_certificate_revoke(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? answer_one(x, reply.certificate)
                               : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
