/* GET /api/v1/config/{token} and /api/v1/config?mac= (contract A.3, B.1.8, B.1.9). */
#include "front/accept.h"
#include "front/json_write.h"
#include "front/query.h"
#include "front/route.h"

static ERRFN answer_sealed(struct exchange *x, const struct ipc_config_fetch_reply *reply)
{
    TRY(buf_new(ANSWER_MAX_BYTES, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    json_put_text(&w, "format", view_text("tpm-credential-v1"));
    json_put_text(&w, "machine_id", reply->machine_id);
    json_put_base64(&w, "credential_blob", reply->credential_blob);
    json_put_base64(&w, "encrypted_secret", reply->encrypted_secret);
    json_put_base64(&w, "iv", reply->iv);
    json_put_base64(&w, "ciphertext", reply->body);
    json_put_base64(&w, "tag", reply->tag);
    json_put_base64(&w, "aad", reply->aad);
    json_close(&w, '}');
    x->answer_type = MEDIA_SEALED_CONFIG;
    return json_write_end(&w);
}

static ERRFN answer_config(struct exchange *x, const struct ipc_config_fetch_reply *reply)
{
    if (reply->sealed) {
        return answer_sealed(x, reply);
    }
    x->answer_type = MEDIA_YAML;
    return buf_copy(reply->body, &x->answer);
}

ERRFN handle_config(struct exchange *x)
{
    struct ipc_config_fetch_request request = {
        .source_ip = view_text(x->source_ip),
        .token = x->argument,
    };
    bool sealed;
    TRY(accept_config(x->accept, x->front->settings.sealed_only, &sealed));
    request.sealed = sealed;
    struct ipc_config_fetch_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_config_fetch(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_config(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

static ERRFN answer_pending(struct exchange *x, const struct ipc_config_pending_reply *reply)
{
    x->answer_type = "text/plain; charset=utf-8";
    return buf_copy(reply->body, &x->answer);
}

ERRFN handle_config_pending(struct exchange *x)
{
    char mac[QUERY_VALUE_SIZE];
    err_t read = query_get(x->query, "mac", mac);
    if (IS_OK(read) && mac[0] == '\0') {
        read = E(FIELD_MISSING);
    }
    if (!IS_OK(read)) {
        return exchange_fault(x, read, "query", "mac");
    }
    struct ipc_config_pending_request request = {.source_ip = view_text(x->source_ip),
                                                 .mac = view_text(mac)};
    struct ipc_config_pending_reply reply;
    struct ipc_answer answer;
    err_t called =
        ipc_call_config_pending(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_pending(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
