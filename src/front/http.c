#include "front/http.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <civetweb.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "front/http_log.h"
#include "front/route.h"
#include "front/sockets.h"

enum {
    START_WAIT_MS = 10000,
    QUEUE = 1024,               /* connections that wait for a worker */
    HEAD_SIZE = 1024,           /* of an answer: a dozen fixed lines */
    ONE_WRITE_MAX = 8192,       /* up to this size head and body go out together, in one TLS record */
    DISCARD_MAX_BYTES = 4 << 20, /* of a refused body, read so that the client gets to see why */
    DISCARD_MS = 2000
};

struct http {
    struct front *front;
    SSL_CTX *tls;
    struct mg_context *server;
    atomic_uint threads;
    atomic_uint busy;
    atomic_bool draining;
};

/* What stands between a request and the next on its connection. */
enum remainder {
    REMAINDER_NONE = 0,
    REMAINDER_BODY,   /* an unread body */
    REMAINDER_UNKNOWN /* nobody knows: nothing more may be read */
};

/* -- reading a request ------------------------------------------------------------------------------------------ */

/* What the headers say beyond what handlers read. */
struct framing {
    bool known;     /* all headers were read */
    int64_t length; /* of the body, -1 when not given */
    bool chunked;
    bool expects_continue;
};

static ERRFN read_length(const char *value, struct framing *framing)
{
    size_t digits = strspn(value, "0123456789");
    ENSURE(framing->length < 0, BAD_REQUEST); /* given twice: who reads which? */
    ENSURE(digits > 0 && digits < 12 && value[digits] == '\0', BAD_REQUEST);
    framing->length = strtoll(value, NULL, 10);
    return OK;
}

static ERRFN read_header(const struct mg_header *header, struct exchange *x, struct framing *framing)
{
    const struct {
        const char *name;
        const char **value;
    } wanted[] = {
        {"Accept", &x->accept},
        {"Authorization", &x->authorization},
        {"Content-Type", &x->content_type},
        {"Content-Digest", &x->content_digest},
        {"Signature", &x->signature},
        {"Signature-Input", &x->signature_input},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (strcasecmp(header->name, wanted[i].name) == 0) {
            ENSURE(text_is_clean(view_text(header->value)), BAD_REQUEST);
            *wanted[i].value = header->value;
            return OK;
        }
    }
    if (strcasecmp(header->name, "Content-Length") == 0) {
        return read_length(header->value, framing);
    }
    framing->chunked = framing->chunked || strcasecmp(header->name, "Transfer-Encoding") == 0;
    framing->expects_continue = framing->expects_continue || (strcasecmp(header->name, "Expect") == 0 &&
                                                              strcasecmp(header->value, "100-continue") == 0);
    return OK;
}

static ERRFN read_headers(const struct mg_request_info *info, struct exchange *x, struct framing *framing)
{
    /* CivetWeb keeps this many and says nothing of the rest. */
    ENSURE(info->num_headers < MG_MAX_HEADERS, HEADERS_TOO_LARGE);
    for (int i = 0; i < info->num_headers; i++) {
        TRY(read_header(&info->http_headers[i], x, framing));
    }
    framing->known = true;
    ENSURE(!framing->chunked, LENGTH_REQUIRED);
    return OK;
}

static ERRFN read_target(const struct mg_request_info *info, struct exchange *x, char *out_target, size_t size)
{
    const char *query = info->query_string;
    x->path = info->local_uri_raw ? info->local_uri_raw : "";
    x->query = query ? query : "";
    int len = snprintf(out_target, size, "%s%s%s", x->path, query ? "?" : "", x->query);
    ENSURE(len >= 0 && (size_t)len < size, HEADERS_TOO_LARGE);
    ENSURE(text_is_clean(view_of(out_target, (size_t)len)), BAD_REQUEST);
    x->target = out_target;
    return OK;
}

/* A listener of both families shows IPv4 peers as ::ffff:192.0.2.1. */
static const char *source_of(const struct mg_request_info *info)
{
    static const char mapped[] = "::ffff:";
    const char *address = info->remote_addr;
    bool is_mapped = strncmp(address, mapped, sizeof mapped - 1) == 0 && strchr(address, '.');
    return is_mapped ? address + sizeof mapped - 1 : address;
}

static ERRFN read_body(struct mg_connection *connection, const struct framing *framing, struct buf **out_body)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    size_t length = framing->length > 0 ? (size_t)framing->length : 0;
    AUTO(buf) body = NULL;
    uint8_t *at;
    TRY(buf_new(length, &body));
    if (length > 0) {
        TRY(buf_extend(body, length, &at));
        if (framing->expects_continue) {
            mg_write(connection, go_on, sizeof go_on - 1);
        }
        ENSURE(mg_read(connection, at, length) == (int)length, BAD_REQUEST);
    }
    *out_body = STEAL(body);
    return OK;
}

/* From the request to an answer, or to the error that is the answer. */
static ERRFN serve(struct mg_connection *connection, const struct mg_request_info *info, struct exchange *x,
                   struct framing *framing, bool *out_body_read)
{
    char target[URI_MAX_BYTES + 1];
    AUTO(buf) body = NULL;
    TRY(read_target(info, x, target, sizeof target));
    TRY(read_headers(info, x, framing));
    TRY(route_find(x));
    TRY(route_admit(x, framing->length));
    TRY(read_body(connection, framing, &body));
    *out_body_read = true;
    x->body = buf_view(body);
    route_serve(x);
    x->body = VIEW_EMPTY;
    x->target = "";
    return OK;
}

/* -- writing an answer -------------------------------------------------------------------------------------------- */

/* RFC 9110 section 5.6.7, made once a second by each thread. */
static const char *date_now(void)
{
    static _Thread_local time_t made;
    static _Thread_local char text[32];
    time_t now = (time_t)(clock_utc_ms() / 1000);
    if (now != made) {
        struct tm utc;
        gmtime_r(&now, &utc);
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
        made = now;
    }
    return text;
}

static ERRFN put_optional_headers(const struct exchange *x, struct buf *head)
{
    if (x->allow) {
        TRY(buf_printf(head, "Allow: %s\r\n", x->allow));
    }
    if (x->status == 401) {
        TRY(buf_put_text(head, "WWW-Authenticate: Bearer\r\n"));
    }
    if (x->retry_after_s > 0) {
        TRY(buf_printf(head, "Retry-After: %u\r\n", x->retry_after_s));
    }
    if (x->next_after[0]) {
        TRY(buf_printf(head, "X-Next-After: %s\r\n", x->next_after));
    }
    return OK;
}

static ERRFN put_head(struct mg_connection *connection, const struct exchange *x, size_t length, bool keep,
                      struct buf *head)
{
    TRY(buf_printf(head,
                   "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: %s\r\n"
                   "X-Request-Id: %s\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                   "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n",
                   x->status, mg_get_response_code_text(connection, x->status), date_now(), x->answer_type, length,
                   keep ? "keep-alive" : "close", x->request_id));
    TRY(put_optional_headers(x, head));
    return buf_put_text(head, "\r\n");
}

static ERRFN write_answer(struct mg_connection *connection, const struct exchange *x, bool keep)
{
    struct view body = x->answer ? buf_view(x->answer) : x->fixed_answer;
    AUTO(buf) out = NULL;
    TRY(buf_new(HEAD_SIZE + ONE_WRITE_MAX, &out));
    TRY(put_head(connection, x, body.len, keep, out));
    bool together = body.len <= ONE_WRITE_MAX;
    if (together) {
        TRY(buf_put(out, body));
    }
    ENSURE(mg_write(connection, out->data, out->len) == (int)out->len, PEER_GONE);
    ENSURE(together || mg_write(connection, body.data, body.len) == (int)body.len, PEER_GONE);
    return OK;
}

/* Closing a socket with unread bytes makes TCP throw away what was sent, and the client would never see its refusal. */
static void discard_body(struct mg_connection *connection)
{
    char bytes[4096];
    sockets_deadline_set(DISCARD_MS);
    for (size_t left = DISCARD_MAX_BYTES / sizeof bytes; left > 0; left--) {
        if (mg_read(connection, bytes, sizeof bytes) <= 0) {
            return;
        }
    }
}

/* More connections than workers: the next in the queue shall not wait for this one's idle time. */
static bool others_wait(const struct http *http)
{
    return sockets_connection_count() > http->front->settings.workers;
}

static void write_and_finish(struct http *http, struct mg_connection *connection, struct exchange *x, enum remainder left)
{
    bool keep = left == REMAINDER_NONE && !atomic_load(&http->draining) && !others_wait(http);
    if (!keep) {
        mg_disable_connection_keep_alive(connection);
    }
    err_t written = write_answer(connection, x, keep);
    if (!IS_OK(written)) {
        mg_disable_connection_keep_alive(connection);
    } else if (left == REMAINDER_BODY) {
        discard_body(connection);
    }
}

static enum remainder remainder_of(const struct framing *framing, bool body_read)
{
    if (!framing->known) {
        return REMAINDER_UNKNOWN;
    }
    return !body_read && (framing->length > 0 || framing->chunked) ? REMAINDER_BODY : REMAINDER_NONE;
}

/* -- one request --------------------------------------------------------------------------------------------------- */

static void begin_exchange(struct http *http, const struct mg_request_info *info, struct exchange *x)
{
    uint8_t id[16];
    random_bytes(id, sizeof id);
    *x = (struct exchange){
        .front = http->front,
        .method = info->request_method ? info->request_method : "",
        .path = "",
        .query = "",
        .target = "",
        .source_ip = source_of(info),
        .accept = "",
        .authorization = "",
        .content_type = "",
        .content_digest = "",
        .signature = "",
        .signature_input = "",
    };
    hex_encode(view_of(id, sizeof id), x->request_id);
}

static int answer_request(struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct http *http = info->user_data;
    struct exchange x;
    struct framing framing = {.length = -1};
    bool body_read = false;
    uint64_t began_ms = clock_monotonic_ms();
    atomic_fetch_add(&http->busy, 1);
    sockets_deadline_set(REQUEST_TIMEOUT_MS);
    begin_exchange(http, info, &x);
    err_t served = serve(connection, info, &x, &framing, &body_read);
    if (!IS_OK(served)) {
        exchange_refuse(&x, served);
    }
    write_and_finish(http, connection, &x, remainder_of(&framing, body_read));
    sockets_idle_below(http->front->settings.workers);
    http_log_exchange(&x, clock_monotonic_ms() - began_ms);
    int status = x.status;
    exchange_clear(&x);
    atomic_fetch_sub(&http->busy, 1);
    return status;
}

/* Requests that CivetWeb itself could not read. */
static int answer_unreadable(struct mg_connection *connection, int status, const char *message)
{
    (void)message;
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct http *http = info->user_data;
    struct exchange x;
    begin_exchange(http, info, &x);
    exchange_refuse(&x, status == 413 ? E(HEADERS_TOO_LARGE) : status >= 500 ? E(BUG) : E(BAD_REQUEST));
    sockets_deadline_set(READ_TIMEOUT_MS);
    /* mg_read would now begin before its own buffer. */
    write_and_finish(http, connection, &x, REMAINDER_UNKNOWN);
    sockets_deadline_set(0);
    http_log_exchange(&x, 0);
    exchange_clear(&x);
    return 0;
}

/* -- start and end ------------------------------------------------------------------------------------------------- */

static int give_tls_context(void **out_context, void *user_data)
{
    struct http *http = user_data;
    if (*out_context == NULL) {
        *out_context = http->tls;
    }
    return 1;
}

static void *thread_started(const struct mg_context *server, int kind)
{
    (void)kind;
    struct http *http = mg_get_user_data(server);
    atomic_fetch_add(&http->threads, 1);
    return NULL;
}

static void connection_ended(const struct mg_connection *connection)
{
    (void)connection;
    sockets_deadline_set(0); /* nor is the thread idle any more: its next connection begins with a handshake */
    sockets_connection_ended();
}

/* Handshakes that fail are the client's affair, and what CivetWeb says of them holds the client's bytes. */
static int drop_message(const struct mg_connection *connection, const char *message)
{
    (void)connection;
    (void)message;
    return 1;
}

/* All workers and the thread that accepts must be there before the seal, which allows no new ones. */
static ERRFN await_threads(const struct http *http)
{
    uint64_t deadline = clock_monotonic_ms() + START_WAIT_MS;
    while (atomic_load(&http->threads) < http->front->settings.workers + 1) {
        ENSURE(clock_monotonic_ms() < deadline, TIMEOUT);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return OK;
}

static ERRFN start_server(struct http *http, const char *port)
{
    char workers[16];
    char headers_max[16];
    char read_timeout[16];
    char keep_alive[16];
    char queue[16];
    snprintf(workers, sizeof workers, "%u", http->front->settings.workers);
    snprintf(headers_max, sizeof headers_max, "%d", HEADERS_MAX_BYTES);
    snprintf(read_timeout, sizeof read_timeout, "%d", READ_TIMEOUT_MS);
    snprintf(keep_alive, sizeof keep_alive, "%d", KEEP_ALIVE_MS);
    snprintf(queue, sizeof queue, "%d", QUEUE);
    const char *options[] = {
        "listening_ports", port, "num_threads", workers, "max_request_size", headers_max, "request_timeout_ms", read_timeout,
        "enable_keep_alive", "yes", "keep_alive_timeout_ms", keep_alive, "connection_queue", queue, "tcp_nodelay", "1",
        "decode_url", "no", "enable_auth_domain_check", "no", NULL,
    };
    const struct mg_callbacks callbacks = {
        .begin_request = answer_request,
        .http_error = answer_unreadable,
        .log_message = drop_message,
        .external_ssl_ctx = give_tls_context,
        .init_thread = thread_started,
        .connection_closed = connection_ended,
    };
    ENSURE(mg_init_library(MG_FEATURES_TLS) & MG_FEATURES_TLS, IO);
    http->server = mg_start(&callbacks, http, options);
    ENSURE(http->server, IO);
    return await_threads(http);
}

ERRFN http_start(struct front *front, SSL_CTX *tls, int take_listener, struct http **out_http)
{
    char port[32];
    TRY(sockets_port_option(take_listener, port, sizeof port));
    struct http *http = calloc(1, sizeof *http);
    ENSURE(http, NO_MEMORY);
    http->front = front;
    http->tls = tls;
    sockets_offer_listener(take_listener);
    TRY(start_server(http, port)); /* on an error the process ends */
    *out_http = http;
    return OK;
}

void http_drain(struct http *http)
{
    atomic_store(&http->draining, true);
    sockets_stop_accepting();
}

unsigned http_busy(const struct http *http)
{
    return atomic_load(&http->busy);
}
