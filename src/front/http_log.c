#include "front/http_log.h"

#include <stdio.h>

#include "base/log.h"
#include "front/route.h"

enum { NOTE_DEADLINE_MS = 2000 };

static void note_refusal(const struct exchange *x)
{
    char endpoint[65];
    snprintf(endpoint, sizeof endpoint, "%s %s", x->method, x->route->path);
    struct ipc_note_refusal_request request = {
        .source_ip = view_text(x->source_ip),
        .endpoint = view_text(endpoint),
        .reason = x->refused.code,
    };
    struct ipc_note_refusal_reply reply;
    struct ipc_answer answer;
    err_t noted = ipc_call_note_refusal(x->front->api, &request, NOTE_DEADLINE_MS, &answer, &reply);
    ipc_answer_clear(&answer);
    if (!IS_OK(noted)) {
        log_event(LOG_WARN, "refusal.not_noted", LOG_ERR(noted),
                  LOG_TEXT("request_id", x->request_id));
    }
}

/* A body that is not what the endpoint takes. What the rate limit refused is not noted, or it
 * would be none. */
static bool is_malformed_body(const struct exchange *x)
{
    bool body = x->route && x->route->body_max > 0 && !x->by_signer;
    return body && (err_class(x->refused) == ERR_CLASS_INPUT || IS_E(x->refused, BODY_TOO_LARGE) ||
                    IS_E(x->refused, TOO_LONG));
}

void http_log_exchange(const struct exchange *x, uint64_t took_ms)
{
    const char *path = x->route ? x->route->path : "-";
    bool refused = !IS_OK(x->refused);
    if (refused) {
        log_event(log_level_of(x->refused), "http.request", LOG_TEXT("method", x->method),
                  LOG_TEXT("path", path), LOG_NUMBER("status", x->status),
                  LOG_TEXT("source", x->source_ip), LOG_NUMBER("ms", took_ms),
                  LOG_TEXT("request_id", x->request_id), LOG_ERR(x->refused));
    } else if (!x->route || x->route->kind != ROUTE_STATUS) {
        log_event(LOG_INFO, "http.request", LOG_TEXT("method", x->method), LOG_TEXT("path", path),
                  LOG_NUMBER("status", x->status), LOG_TEXT("source", x->source_ip),
                  LOG_NUMBER("ms", took_ms), LOG_TEXT("request_id", x->request_id));
    }
}

void http_log_refusal(const struct exchange *x)
{
    if (is_malformed_body(x)) {
        note_refusal(x);
    }
}
