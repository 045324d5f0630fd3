/* POST /api/v1/attest (contract A.3, B.1.7). */
#include "front/attest_answer.h"
#include "front/json_write.h"
#include "front/names.h"
#include "front/node_request.h"
#include "front/route.h"
#include "front/verdict_answer.h"

enum { ATTEST_ANSWER_MAX = 64 * 1024 /* 32 failures of 640 bytes, escaped, and the rest */ };

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

/* Until it proved that it holds the EK, the caller learns nothing but the status of that EK
 * (contract A.3). */
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

/* So that the node need not introduce those again. */
static void put_eks(struct json_writer *w, struct ipc_list eks)
{
    struct ipc_ek_record ek;
    json_open(w, "ek_fingerprints", '[');
    while (ipc_list_next_ek(&eks, &ek)) {
        json_put_text(w, NULL, ek.fingerprint);
    }
    json_close(w, ']');
}

ERRFN attest_answer(struct exchange *x, const struct ipc_attest_reply *full, const char *message)
{
    struct ipc_attest_reply reply = without_secrets(full);
    TRY(buf_new(ATTEST_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    json_put_text_or_null(&w, "machine_id", reply.machine_id);
    json_put_text(&w, "status", view_text(status_name(reply.status)));
    json_put_text_or_null(&w, "hostname", reply.hostname);
    json_put_text_or_null(&w, "role", reply.role);
    json_put_text(&w, "message", view_text(message));
    json_put_text(&w, "action", view_text(action_name(reply.action)));
    TRY(put_config(&w, x, reply.config_token));
    json_put_text_or_null(&w, "reason",
                          view_text(reply.reason ? err_reason(err_from_code(reply.reason)) : ""));
    json_put_text(&w, "verdict", view_text(verdict_name(reply.verdict)));
    verdict_put_failures(&w, reply.failures);
    json_put_number(&w, "policy_version", reply.policy_version);
    json_put_text_or_null(&w, "assurance", reply.assurance);
    json_put_text_or_null(&w, "wipe_token", reply.wipe_token);
    verdict_put_parts(&w, reply.chain, reply.replay, reply.policy);
    json_put_text_or_null(&w, "baseline", reply.baseline);
    json_put_text_or_null(&w, "note", reply.note);
    json_put_time(&w, "valid_until", reply.valid_until);
    if (reply.reattest_after) {
        json_put_number(&w, "reattest_after", reply.reattest_after);
    } else {
        json_put_null(&w, "reattest_after");
    }
    put_eks(&w, reply.eks);
    json_close(&w, '}');
    return json_write_end(&w);
}

ERRFN handle_attest(struct exchange *x)
{
    AUTO(fields) f = NULL;
    struct ipc_attest_request request;
    TRY(exchange_fields(x, &f));
    err_t decoded = node_request_attest(f, &request);
    if (!IS_OK(decoded)) {
        return exchange_fault(x, decoded, "body", f->fault);
    }
    request.source_ip = view_text(x->source_ip);
    struct ipc_attest_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_attest(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? attest_answer(x, &reply, attest_message(&reply)) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
