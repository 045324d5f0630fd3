/* GET /healthz, /health, /readyz and the API's own description. */
#include "front/json_write.h"
#include "front/openapi.h"
#include "front/route.h"

enum { READY_DEADLINE_MS = 3000, READY_ANSWER_MAX = 1024 };

ERRFN handle_health(struct exchange *x)
{
    x->fixed_answer = buf_view(x->front->health);
    return OK;
}

ERRFN handle_openapi(struct exchange *x)
{
    x->fixed_answer = view_of(openapi_json, openapi_json_len);
    return OK;
}

static void put_component(struct json_writer *w, const char *name, uint16_t code)
{
    json_put_text(w, name, view_text(err_reason(err_from_code(code))));
}

/* Without the courier nodes can still attest, so its absence is a degradation and no outage. */
static ERRFN answer_ready(struct exchange *x, const struct ipc_ready_reply *reply)
{
    bool works = reply->token == 0 && reply->database == 0 && reply->audit == 0;
    TRY(buf_new(READY_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    json_put_text(&w, "status",
                  view_text(!works                ? "unavailable"
                            : reply->courier == 0 ? "ready"
                                                  : "degraded"));
    put_component(&w, "token", reply->token);
    put_component(&w, "database", reply->database);
    put_component(&w, "audit", reply->audit);
    put_component(&w, "courier", reply->courier);
    json_close(&w, '}');
    x->status = works ? 200 : 503;
    return json_write_end(&w);
}

ERRFN handle_ready(struct exchange *x)
{
    struct ipc_ready_request request = {.source_ip = view_text(x->source_ip)};
    struct ipc_ready_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_ready(x->front->api, &request, READY_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_ready(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
