/* What nodes ask before they attest: register, nonce, challenge (contract A.3, B.1.4 to B.1.6). */
#include "front/json_write.h"
#include "front/names.h"
#include "front/node_request.h"
#include "front/pcr_values.h"
#include "front/route.h"

enum { NODE_ANSWER_MAX = 4096 /* a challenge with its credential: 2 KiB */ };

static const char *register_message(const struct ipc_self_register_reply *reply)
{
    if (!reply->known) {
        return "Registered; an operator must approve this machine.";
    }
    switch (reply->status) {
    case 1:
        return "Known; an operator must still approve this machine.";
    case 3:
        return "Known and attested; attest to fetch the configuration.";
    default:
        return "Known; attest to go on.";
    }
}

static ERRFN answer_register(struct exchange *x, const struct ipc_self_register_reply *reply)
{
    TRY(buf_new(NODE_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    json_put_text_or_null(&w, "machine_id", reply->machine_id);
    json_put_text_or_null(&w, "role", reply->role);
    json_put_text(&w, "status", view_text(status_name(reply->status)));
    json_put_null(&w, "config_token");
    json_put_null(&w, "config_url");
    json_put_text(&w, "message", view_text(register_message(reply)));
    json_close(&w, '}');
    return json_write_end(&w);
}

ERRFN handle_register(struct exchange *x)
{
    AUTO(fields) f = NULL;
    struct ipc_self_register_request request;
    TRY(exchange_fields(x, &f));
    err_t decoded = node_request_register(f, &request);
    if (!IS_OK(decoded)) {
        return exchange_fault(x, decoded, "body", f->fault);
    }
    request.source_ip = view_text(x->source_ip);
    struct ipc_self_register_reply reply;
    struct ipc_answer answer;
    err_t called =
        ipc_call_self_register(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_register(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

static ERRFN answer_nonce(struct exchange *x, const struct ipc_nonce_new_reply *reply)
{
    TRY(buf_new(NODE_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    json_put_hex(&w, "nonce_id", view_of(reply->nonce_id, sizeof reply->nonce_id));
    json_put_base64(&w, "nonce", view_of(reply->nonce, sizeof reply->nonce));
    json_put_time(&w, "expires_at", reply->expires_at);
    json_close(&w, '}');
    return json_write_end(&w);
}

ERRFN handle_nonce(struct exchange *x)
{
    struct ipc_nonce_new_request request = {.source_ip = view_text(x->source_ip)};
    struct ipc_nonce_new_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_nonce_new(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_nonce(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

static ERRFN answer_challenge(struct exchange *x, const struct ipc_challenge_reply *reply)
{
    TRY(buf_new(NODE_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    json_put_hex(&w, "session_id", view_of(reply->session_id, sizeof reply->session_id));
    json_put_hex(&w, "nonce_id", view_of(reply->nonce_id, sizeof reply->nonce_id));
    json_put_base64(&w, "nonce", view_of(reply->nonce, sizeof reply->nonce));
    json_put_base64(&w, "credential_blob", reply->credential_blob);
    json_put_base64(&w, "encrypted_secret", reply->encrypted_secret);
    pcr_selection_write(&w, "pcr_selection", reply->selection);
    json_put_text(&w, "event_log", view_text(event_log_name(reply->event_log)));
    if (reply->event_log_digest.len > 0) {
        json_put_hex(&w, "event_log_digest", reply->event_log_digest);
    }
    json_put_bool(&w, "userspace_log", true); /* nodes ask before they put it behind the firmware's */
    json_put_time(&w, "expires_at", reply->expires_at);
    json_close(&w, '}');
    return json_write_end(&w);
}

ERRFN handle_challenge(struct exchange *x)
{
    AUTO(fields) f = NULL;
    struct ipc_challenge_request request;
    TRY(exchange_fields(x, &f));
    err_t decoded = node_request_challenge(f, &request);
    if (!IS_OK(decoded)) {
        return exchange_fault(x, decoded, "body", f->fault);
    }
    request.source_ip = view_text(x->source_ip);
    struct ipc_challenge_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_challenge(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_challenge(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
