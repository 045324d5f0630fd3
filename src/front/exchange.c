#include "front/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "front/json_write.h"

/* What an answer to a limit asks for when the signer named no time. */
enum { RETRY_AFTER_DEFAULT_S = 5 };

void exchange_clear(struct exchange *x)
{
    buf_free(x->answer);
    x->answer = NULL;
}

ERRFN exchange_fields(struct exchange *x, struct fields **out_fields)
{
    AUTO(fields) f = malloc(sizeof *f);
    ENSURE(f, NO_MEMORY);
    err_t read = fields_read(x->body, f);
    if (!IS_OK(read)) {
        return exchange_fault(x, read, "body", f->fault);
    }
    *out_fields = STEAL(f);
    return OK;
}

ERRFN exchange_fault(struct exchange *x, err_t why, const char *place, const char *field)
{
    x->place = place;
    if (!IS_OK(view_to_text(view_text(field), x->subject, sizeof x->subject))) {
        x->subject[0] = '\0';
    }
    return why;
}

ERRFN exchange_refused(struct exchange *x, err_t why, const struct ipc_refusal *refusal)
{
    /* The signer names a field as "body.role". */
    static const char prefix[] = "body.";
    struct view subject = refusal->subject;
    if (subject.len >= sizeof prefix - 1 && memcmp(subject.data, prefix, sizeof prefix - 1) == 0) {
        subject = view_of(subject.data + sizeof prefix - 1, subject.len - (sizeof prefix - 1));
    } else if (view_is(subject, "body")) {
        subject = VIEW_EMPTY;
    }
    x->by_signer = true;
    x->place = "body";
    x->retry_after_s = refusal->retry_after_s;
    if (!IS_OK(view_to_text(subject, x->subject, sizeof x->subject))) {
        x->subject[0] = '\0';
    }
    return why;
}

static int status_of_class(enum err_class class)
{
    switch (class) {
    case ERR_CLASS_NONE:
        return 200;
    case ERR_CLASS_INPUT:
        return 422;
    case ERR_CLASS_DENIED:
        return 403;
    case ERR_CLASS_STATE:
        return 409;
    case ERR_CLASS_LIMIT:
        return 429;
    case ERR_CLASS_DEVICE:
    case ERR_CLASS_IO:
        return 503;
    case ERR_CLASS_BUG:
        return 500;
    }
    return 500;
}

int exchange_status_of(err_t why)
{
    static const struct {
        uint16_t code;
        int status;
    } exceptions[] = {
        {ERR_CODE_BAD_REQUEST, 400},
        {ERR_CODE_AUTH_MISSING, 401},
        {ERR_CODE_AUTH_INVALID, 401},
        {ERR_CODE_NOT_FOUND, 404},
        {ERR_CODE_MACHINE_UNKNOWN, 404},
        {ERR_CODE_POLICY_VERSION, 404},
        {ERR_CODE_EVIDENCE_NONE, 404},
        {ERR_CODE_TOKEN_UNKNOWN, 404},
        {ERR_CODE_CERTIFICATE_UNKNOWN, 404},
        {ERR_CODE_SVID_OFF, 404},
        {ERR_CODE_METHOD, 405},
        {ERR_CODE_NOT_ACCEPTABLE, 406},
        {ERR_CODE_NONCE_USED, 409},
        {ERR_CODE_NONCE_EXPIRED, 410},
        {ERR_CODE_LENGTH_REQUIRED, 411},
        {ERR_CODE_BODY_TOO_LARGE, 413},
        {ERR_CODE_MEDIA_TYPE, 415},
        {ERR_CODE_NONCE_UNKNOWN, 422},
        {ERR_CODE_NONCE_MISSING, 422},
        {ERR_CODE_TOO_LONG, 422},
        {ERR_CODE_HEADERS_TOO_LARGE, 431},
        {ERR_CODE_WIRE, 503},       /* a component that is being replaced */
        {ERR_CODE_WIRE_STATE, 503}, /* the same */
        {ERR_CODE_TOKEN_OPEN, 503},
        {ERR_CODE_AUTH_NOT_CONFIGURED, 503},
        {ERR_CODE_BASE_CONFIG_MISSING, 503},
        {ERR_CODE_BASE_CONFIG_INVALID, 503},
    };
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++) {
        if (exceptions[i].code == why.code) {
            return exceptions[i].status;
        }
    }
    return status_of_class(err_class(why));
}

/* A request that does not have the endpoint's shape, as opposed to one that is refused. */
static bool is_schema_error(err_t why)
{
    bool shape = err_class(why) == ERR_CLASS_INPUT || IS_E(why, TOO_LONG);
    return shape && exchange_status_of(why) == 422;
}

static void put_schema_detail(struct json_writer *w, const struct exchange *x, err_t why)
{
    json_open(w, "detail", '[');
    json_open(w, NULL, '{');
    json_open(w, "loc", '[');
    json_put_text(w, NULL, view_text(x->place ? x->place : "body"));
    if (x->subject[0]) {
        json_put_text(w, NULL, view_text(x->subject));
    }
    json_close(w, ']');
    json_put_text(w, "msg", view_text(err_text(why)));
    json_put_text(w, "type", view_text(err_reason(why)));
    json_close(w, '}');
    json_close(w, ']');
}

static ERRFN write_refusal(struct exchange *x, err_t why)
{
    TRY(buf_new(ANSWER_MAX_BYTES, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    if (is_schema_error(why)) {
        put_schema_detail(&w, x, why);
    } else {
        json_put_text(&w, "detail", view_text(err_text(why)));
    }
    json_put_text(&w, "reason", view_text(err_reason(why)));
    json_close(&w, '}');
    return json_write_end(&w);
}

void exchange_refuse(struct exchange *x, err_t why)
{
    exchange_clear(x);
    x->refused = why;
    x->status = exchange_status_of(why);
    x->answer_type = "application/json";
    x->next_after[0] = '\0';
    x->etag[0] = '\0';
    x->fixed_answer = VIEW_EMPTY;
    if ((x->status == 429 || x->status == 503) && x->retry_after_s == 0) {
        x->retry_after_s = RETRY_AFTER_DEFAULT_S;
    }
    if (!IS_OK(write_refusal(x, why))) {
        exchange_clear(x);
        x->fixed_answer = view_text(
            "{\"detail\":\"The process is out of memory.\",\"reason\":\"out_of_memory\"}");
    }
}
