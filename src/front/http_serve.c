#include "front/http_connection.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "front/http_head.h"
#include "front/http_log.h"
#include "front/route.h"
#include "front/sockets.h"

enum {
    ONE_WRITE_MAX = 8192 /* up to this size head and body go out together, in one TLS record */
};

/* What stands between a request and the next on its connection. */
enum remainder {
    REMAINDER_NONE = 0,
    REMAINDER_BODY,   /* an unread body */
    REMAINDER_UNKNOWN /* nobody knows: nothing more may be read */
};

/* -- reading ----------------------------------------------------------------------------------- */

static ERRFN read_headers(const struct http_connection *c, const struct http_incoming *incoming,
                          struct exchange *x, struct http_framing *framing)
{
    ENSURE(!incoming->headers_lost, HEADERS_TOO_LARGE);
    for (unsigned i = 0; i < incoming->header_count; i++) {
        const char *name;
        const char *value;
        http_connection_header(c, i, &name, &value);
        TRY(http_head_read(name, value, x, framing));
    }
    framing->known = true;
    ENSURE(!framing->chunked, LENGTH_REQUIRED);
    return OK;
}

static ERRFN read_target(const struct http_incoming *incoming, struct exchange *x, char *out_target,
                         size_t size)
{
    x->path = incoming->path;
    x->query = incoming->query ? incoming->query : "";
    int len = snprintf(out_target, size, "%s%s%s", x->path, incoming->query ? "?" : "", x->query);
    ENSURE(len >= 0 && (size_t)len < size, HEADERS_TOO_LARGE);
    ENSURE(text_is_clean(view_of(out_target, (size_t)len)), BAD_REQUEST);
    x->target = out_target;
    return OK;
}

static ERRFN read_body(struct http_connection *c, const struct http_framing *framing,
                       struct buf **out_body)
{
    size_t length = framing->length > 0 ? (size_t)framing->length : 0;
    AUTO(buf) body = NULL;
    uint8_t *at;
    TRY(buf_new(length, &body));
    if (length > 0) {
        TRY(buf_extend(body, length, &at));
        if (framing->expects_continue) {
            TRY(http_connection_write(c, view_text("HTTP/1.1 100 Continue\r\n\r\n")));
        }
        TRY(http_connection_read(c, at, length));
    }
    *out_body = STEAL(body);
    return OK;
}

/* From the request to an answer, or to the error that is the answer. */
static ERRFN serve(struct http_connection *c, const struct http_incoming *incoming,
                   struct exchange *x, struct http_framing *framing, bool *out_body_read)
{
    char target[URI_MAX_BYTES + 1];
    AUTO(buf) body = NULL;
    TRY(read_target(incoming, x, target, sizeof target));
    TRY(read_headers(c, incoming, x, framing));
    TRY(route_find(x));
    TRY(route_admit(x, framing->length));
    TRY(read_body(c, framing, &body));
    *out_body_read = true;
    x->body = buf_view(body);
    route_serve(x);
    x->body = VIEW_EMPTY;
    x->target = "";
    return OK;
}

/* -- writing ----------------------------------------------------------------------------------- */

static enum remainder remainder_of(const struct http_framing *framing, bool body_read)
{
    if (!framing->known) {
        return REMAINDER_UNKNOWN;
    }
    return !body_read && (framing->length > 0 || framing->chunked) ? REMAINDER_BODY
                                                                   : REMAINDER_NONE;
}

static ERRFN write_answer(struct http_connection *c, const struct exchange *x, bool keep)
{
    struct view body = x->answer ? buf_view(x->answer) : x->fixed_answer;
    AUTO(buf) out = NULL;
    TRY(buf_new(HTTP_HEAD_MAX + ONE_WRITE_MAX, &out));
    TRY(http_head_write(x, http_connection_phrase(c, x->status), body.len, keep, out));
    bool together = body.len <= ONE_WRITE_MAX;
    if (together) {
        TRY(buf_put(out, body));
    }
    TRY(http_connection_write(c, buf_view(out)));
    return together ? OK : http_connection_write(c, body);
}

static void finish(struct http_connection *c, const struct exchange *x, enum remainder left)
{
    bool keep = left == REMAINDER_NONE && !http_connection_is_crowded(c);
    if (!keep) {
        http_connection_end(c);
    }
    err_t written = write_answer(c, x, keep);
    if (!IS_OK(written)) {
        http_connection_end(c);
    } else if (left == REMAINDER_BODY) {
        http_connection_discard(c);
    }
}

/* -- one request ------------------------------------------------------------------------------- */

/* A listener of both families shows IPv4 peers as ::ffff:192.0.2.1. */
static const char *source_of(const char *address)
{
    static const char mapped[] = "::ffff:";
    bool is_mapped = strncmp(address, mapped, sizeof mapped - 1) == 0 && strchr(address, '.');
    return is_mapped ? address + sizeof mapped - 1 : address;
}

static void begin_exchange(const struct http_incoming *incoming, struct exchange *x)
{
    uint8_t id[16];
    random_bytes(id, sizeof id);
    *x = (struct exchange){
        .front = incoming->front,
        .method = incoming->method,
        .path = "",
        .query = "",
        .target = "",
        .source_ip = source_of(incoming->address),
        .handshake = incoming->handshake,
        .accept = "",
        .authorization = "",
        .content_type = "",
        .content_digest = "",
        .signature = "",
        .signature_input = "",
        .if_none_match = "",
    };
    hex_encode(view_of(id, sizeof id), x->request_id);
}

int http_serve(struct http_connection *c, const struct http_incoming *incoming)
{
    struct exchange x;
    struct http_framing framing = {.length = -1};
    bool body_read = false;
    uint64_t began_ms = clock_monotonic_ms();
    sockets_deadline_set(REQUEST_TIMEOUT_MS);
    begin_exchange(incoming, &x);
    err_t served = serve(c, incoming, &x, &framing, &body_read);
    if (!IS_OK(served)) {
        exchange_refuse(&x, served);
    }
    http_log_refusal(&x);
    finish(c, &x, remainder_of(&framing, body_read));
    http_log_exchange(&x, clock_monotonic_ms() - began_ms);
    exchange_clear(&x);
    return x.status;
}

void http_serve_unreadable(struct http_connection *c, const struct http_incoming *incoming,
                           err_t why)
{
    struct exchange x;
    sockets_deadline_set(WRITE_TIMEOUT_MS);
    begin_exchange(incoming, &x);
    exchange_refuse(&x, why);
    finish(c, &x, REMAINDER_UNKNOWN);
    http_log_exchange(&x, 0);
    exchange_clear(&x);
}
