/* GET /readyz and what the front reports. */
#include "base/clock.h"
#include "signer/record.h"
#include "sql/audit.h"

#include <string.h>

enum { COURIER_SILENCE_MS = 15000 };

static err_t courier_state(const struct signer *s)
{
    bool answers = !s->jobs_dead && s->ping_answered_at_ms != 0 &&
                   clock_monotonic_ms() - s->ping_answered_at_ms < COURIER_SILENCE_MS;
    return answers ? OK : E(PEER_GONE);
}

ERRFN handle_ready(struct call *call, const struct ipc_ready_request *request, struct ipc_ready_reply *out_reply)
{
    (void)request;
    struct signer *s = call->signer;
    struct audit_tail tail;
    out_reply->token = hsm_ready(s->hsm).code;
    out_reply->database = db_ready(s->db).code;
    out_reply->audit = audit_tail(s->db, &tail).code;
    out_reply->courier = courier_state(s).code;
    return OK;
}

/* A method and a path pattern: nothing that would need escaping in a detail. */
static bool endpoint_is_plain(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 /{}._-*";
    return text[strspn(text, allowed)] == '\0';
}

ERRFN handle_note_refusal(struct call *call, const struct ipc_note_refusal_request *request,
                          struct ipc_note_refusal_reply *out_reply)
{
    TRY(view_to_text(request->endpoint, call->endpoint, sizeof call->endpoint));
    ENSURE(endpoint_is_plain(call->endpoint), FIELD_INVALID);
    err_t why = err_from_code(request->reason);
    call->name = "request";
    TRY(view_to_text(view_text("front"), call->actor, sizeof call->actor));
    TRY(record_refusal(call, why));
    out_reply->noted = 1;
    return OK;
}
