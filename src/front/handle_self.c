/* GET /api/v1/machines/self: a machine asks, with its enrollment certificate in the TLS handshake,
 * how it stands. */
#include "front/certificate_answer.h"
#include "front/machine_answer.h"
#include "front/route.h"

enum { SELF_ANSWER_MAX = 16384 };

static ERRFN answer_self(struct exchange *x, const struct ipc_machine_self_reply *reply)
{
    struct ipc_list machines = reply->machine;
    struct ipc_list certificates = reply->certificate;
    struct ipc_machine_record machine;
    struct ipc_certificate_record certificate;
    ENSURE(ipc_list_next_machine(&machines, &machine), WIRE);
    ENSURE(ipc_list_next_certificate(&certificates, &certificate), WIRE);
    TRY(buf_new(SELF_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    machine_put(&w, "machine", &machine);
    certificate_put(&w, "certificate", &certificate);
    json_close(&w, '}');
    return json_write_end(&w);
}

ERRFN handle_machine_self(struct exchange *x)
{
    struct ipc_machine_self_request request = {.source_ip = view_text(x->source_ip),
                                               .handshake = x->handshake};
    struct ipc_machine_self_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_machine_self(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_self(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
