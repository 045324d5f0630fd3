/* What nodes ask without a credential: register, nonce, challenge, attest (contract A.3, B.1.4 to B.1.7). */
#include "front/json_write.h"
#include "front/names.h"
#include "front/node_request.h"
#include "front/pcr_values.h"
#include "front/route.h"

#include <stdlib.h>

enum { NODE_ANSWER_MAX = 64 * 1024 /* 32 failures of 640 bytes, and the rest */ };

static void fields_free(struct fields *f)
{
    fields_clear(f);
    free(f);
}
AUTO_DEFINE(fields, struct fields, fields_free);

/* The body as fields. */
static ERRFN read_body(struct exchange *x, struct fields **out_fields)
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
    TRY(read_body(x, &f));
    err_t decoded = node_request_register(f, &request);
    if (!IS_OK(decoded)) {
        return exchange_fault(x, decoded, "body", f->fault);
    }
    request.source_ip = view_text(x->source_ip);
    struct ipc_self_register_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_self_register(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? answer_register(x, &reply) : exchange_refused(x, called, &answer.refusal);
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
    err_t done = IS_OK(called) ? answer_nonce(x, &reply) : exchange_refused(x, called, &answer.refusal);
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
    json_put_text(&w, "event_log", view_text("optional"));
    json_put_time(&w, "expires_at", reply->expires_at);
    json_close(&w, '}');
    return json_write_end(&w);
}

ERRFN handle_challenge(struct exchange *x)
{
    AUTO(fields) f = NULL;
    struct ipc_challenge_request request;
    TRY(read_body(x, &f));
    err_t decoded = node_request_challenge(f, &request);
    if (!IS_OK(decoded)) {
        return exchange_fault(x, decoded, "body", f->fault);
    }
    request.source_ip = view_text(x->source_ip);
    struct ipc_challenge_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_challenge(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? answer_challenge(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

/* What an attestation came to, for a person. */
static const char *attest_message(const struct ipc_attest_reply *reply)
{
    if (reply->reason != 0) {
        return err_text(err_from_code(reply->reason));
    }
    switch ((enum ipc_action)reply->action) {
    case IPC_ACTION_APPLY_CONFIG:
        return reply->again ? "Attested again; fetch and apply the configuration."
                            : "Attested; fetch and apply the configuration.";
    case IPC_ACTION_LOCK:
        return "The machine is locked by an operator.";
    case IPC_ACTION_WIPE:
        return "The machine is revoked; wipe it.";
    case IPC_ACTION_NONE:
        break;
    }
    return reply->status == 1 ? "An operator must approve this machine." : "Nothing to do.";
}

static void put_failures(struct json_writer *w, struct ipc_list failures)
{
    struct ipc_failure_record failure;
    json_open(w, "failures", '[');
    while (ipc_list_next_failure(&failures, &failure)) {
        json_open(w, NULL, '{');
        json_put_text(w, "rule", failure.rule);
        json_put_text(w, "expected", failure.expected);
        json_put_text(w, "actual", failure.actual);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static ERRFN put_config(struct json_writer *w, const struct exchange *x, struct view token)
{
    if (token.len == 0) {
        json_put_null(w, "config_url");
        json_put_null(w, "config_token");
        return OK;
    }
    AUTO(buf) url = NULL;
    TRY(buf_new(1024, &url));
    TRY(buf_printf(url, "%s/api/v1/config/", x->front->settings.service_url));
    TRY(buf_put(url, token));
    json_put_text(w, "config_url", buf_view(url));
    json_put_text(w, "config_token", token);
    return OK;
}

/* Until it proved that it holds the EK, the caller learns nothing but the status of that EK (contract A.3). */
static struct ipc_attest_reply without_secrets(const struct ipc_attest_reply *reply)
{
    if (reply->proved) {
        return *reply;
    }
    return (struct ipc_attest_reply){
        .status = reply->status,
        .action = IPC_ACTION_NONE,
        .reason = reply->reason,
        .verdict = IPC_VERDICT_NOT_EVALUATED,
    };
}

static ERRFN answer_attest(struct exchange *x, const struct ipc_attest_reply *full)
{
    struct ipc_attest_reply reply = without_secrets(full);
    TRY(buf_new(NODE_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    json_put_text_or_null(&w, "machine_id", reply.machine_id);
    json_put_text(&w, "status", view_text(status_name(reply.status)));
    json_put_text_or_null(&w, "hostname", reply.hostname);
    json_put_text_or_null(&w, "role", reply.role);
    json_put_text(&w, "message", view_text(attest_message(&reply)));
    json_put_text(&w, "action", view_text(action_name(reply.action)));
    TRY(put_config(&w, x, reply.config_token));
    json_put_text_or_null(&w, "reason", view_text(reply.reason ? err_reason(err_from_code(reply.reason)) : ""));
    json_put_text(&w, "verdict", view_text(verdict_name(reply.verdict)));
    put_failures(&w, reply.failures);
    json_put_number(&w, "policy_version", reply.policy_version);
    json_put_text_or_null(&w, "assurance", reply.assurance);
    json_close(&w, '}');
    return json_write_end(&w);
}

ERRFN handle_attest(struct exchange *x)
{
    AUTO(fields) f = NULL;
    struct ipc_attest_request request;
    TRY(read_body(x, &f));
    err_t decoded = node_request_attest(f, &request);
    if (!IS_OK(decoded)) {
        return exchange_fault(x, decoded, "body", f->fault);
    }
    request.source_ip = view_text(x->source_ip);
    struct ipc_attest_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_attest(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? answer_attest(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
