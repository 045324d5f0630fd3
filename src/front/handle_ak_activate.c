/* POST /api/v1/machines/{id}/ak-activate (contract A.3, B.1.19b). */
#include "front/json_write.h"
#include "front/node_request.h"
#include "front/route.h"

enum { AK_ANSWER_MAX = 512 };

static ERRFN answer_ak(struct exchange *x, const struct ipc_ak_activate_reply *reply)
{
    const char *message = reply->joined
                              ? "The attestation key is accepted, and the EK is this machine's now."
                              : "The attestation key is accepted; attest with it.";
    TRY(buf_new(AK_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    json_put_text(&w, "machine_id", reply->machine_id);
    json_put_bool(&w, "ak_accepted", true);
    json_put_bool(&w, "ek_joined", reply->joined);
    json_put_text(&w, "message", view_text(message));
    json_close(&w, '}');
    return json_write_end(&w);
}

ERRFN handle_ak_activate(struct exchange *x)
{
    AUTO(fields) f = NULL;
    struct ipc_ak_activate_request request;
    ENSURE(x->argument.len <= IPC_UUID_MAX, MACHINE_UNKNOWN);
    TRY(exchange_fields(x, &f));
    err_t decoded = node_request_ak_activate(f, &request);
    if (!IS_OK(decoded)) {
        return exchange_fault(x, decoded, "body", f->fault);
    }
    request.source_ip = view_text(x->source_ip);
    request.machine_id = x->argument;
    struct ipc_ak_activate_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_ak_activate(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_ak(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
