#include "front/http.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <civetweb.h>

#include "base/clock.h"
#include "front/http_connection.h"
#include "front/sockets.h"
#include "front/tls_client.h"

enum {
    START_WAIT_MS = 10000,
    QUEUE = 1024,                /* connections that wait for a worker */
    DISCARD_MAX_BYTES = 4 << 20, /* twice the largest body */
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

/* -- a connection, which is CivetWeb's under another name -------------------------------------- */

static struct mg_connection *theirs(struct http_connection *c)
{
    return (struct mg_connection *)c;
}

static const struct mg_connection *theirs_const(const struct http_connection *c)
{
    return (const struct mg_connection *)c;
}

void http_connection_header(const struct http_connection *c, unsigned index, const char **out_name,
                            const char **out_value)
{
    const struct mg_header *header = &mg_get_request_info(theirs_const(c))->http_headers[index];
    *out_name = header->name;
    *out_value = header->value;
}

ERRFN http_connection_read(struct http_connection *c, void *out_bytes, size_t len)
{
    ENSURE(mg_read(theirs(c), out_bytes, len) == (int)len, BAD_REQUEST);
    return OK;
}

ERRFN http_connection_write(struct http_connection *c, struct view bytes)
{
    ENSURE(mg_write(theirs(c), bytes.data, bytes.len) == (int)bytes.len, PEER_GONE);
    return OK;
}

void http_connection_discard(struct http_connection *c)
{
    char bytes[4096];
    sockets_deadline_set(DISCARD_MS);
    for (size_t left = DISCARD_MAX_BYTES / sizeof bytes; left > 0; left--) {
        if (mg_read(theirs(c), bytes, sizeof bytes) <= 0) {
            return;
        }
    }
}

/* More connections than workers: the next in the queue shall not wait for this one's idle time. */
bool http_connection_is_crowded(const struct http_connection *c)
{
    const struct http *http = mg_get_request_info(theirs_const(c))->user_data;
    return atomic_load(&http->draining) ||
           sockets_connection_count() > http->front->settings.workers;
}

void http_connection_end(struct http_connection *c)
{
    mg_disable_connection_keep_alive(theirs(c));
}

const char *http_connection_phrase(const struct http_connection *c, int status)
{
    return mg_get_response_code_text(theirs_const(c), status);
}

/* -- what CivetWeb calls ----------------------------------------------------------------------- */

static struct http_incoming incoming_of(const struct http *http, const struct mg_request_info *info)
{
    return (struct http_incoming){
        .front = http->front,
        .method = info->request_method ? info->request_method : "",
        .path = info->local_uri_raw ? info->local_uri_raw : "",
        .query = info->query_string,
        .address = info->remote_addr,
        .header_count = (unsigned)info->num_headers,
        .handshake = tls_client_handshake(),
        .headers_lost = info->num_headers >=
                        MG_MAX_HEADERS, /* it keeps this many and says nothing of the rest */
    };
}

static int answer_request(struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct http *http = info->user_data;
    atomic_fetch_add(&http->busy, 1);
    struct http_incoming incoming = incoming_of(http, info);
    int status = http_serve((struct http_connection *)connection, &incoming);
    sockets_idle_below(http->front->settings.workers);
    atomic_fetch_sub(&http->busy, 1);
    return status;
}

/* Requests that CivetWeb itself could not read. Nothing more may be read of them: mg_read would
 * begin before its own buffer. */
static int answer_unreadable(struct mg_connection *connection, int status, const char *message)
{
    (void)message;
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct http *http = info->user_data;
    struct http_incoming incoming = incoming_of(http, info);
    err_t why = status == 413 ? E(HEADERS_TOO_LARGE) : status == 500 ? E(BUG) : E(BAD_REQUEST);
    http_serve_unreadable((struct http_connection *)connection, &incoming, why);
    return 0;
}

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
    sockets_deadline_set(
        0); /* nor is the thread idle any more: its next connection begins with a handshake */
    sockets_connection_ended();
}

/* Handshakes that fail are the client's affair, and what CivetWeb says of them holds the
 * client's bytes. */
static int drop_message(const struct mg_connection *connection, const char *message)
{
    (void)connection;
    (void)message;
    return 1;
}

/* -- start and end ----------------------------------------------------------------------------- */

/* All workers and the thread that accepts must be there before the seal, which allows no new
 * ones. */
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
        "listening_ports",
        port,
        "num_threads",
        workers,
        "max_request_size",
        headers_max,
        "request_timeout_ms",
        read_timeout,
        "enable_keep_alive",
        "yes",
        "keep_alive_timeout_ms",
        keep_alive,
        "connection_queue",
        queue,
        "tcp_nodelay",
        "1",
        "decode_url",
        "no",
        "enable_auth_domain_check",
        "no",
        NULL,
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
