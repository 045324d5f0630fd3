/* What serving a request needs of the HTTP library's connection. http.c implements it over
 * CivetWeb. */
#ifndef ITL_FRONT_HTTP_CONNECTION_H
#define ITL_FRONT_HTTP_CONNECTION_H

#include "front/front.h"

enum {
    URI_MAX_BYTES = 2048,       /* the longest of ours is 160 */
    REQUEST_TIMEOUT_MS = 30000, /* one request's body and answer, all waits together */
    WRITE_TIMEOUT_MS = 10000    /* of an answer to what was no request */
};

struct http_connection;

/* A request's head as the library has it; valid while the request is served. */
struct http_incoming {
    struct front *front;
    const char *method;
    const char *path;  /* as sent, without the query */
    const char *query; /* NULL when there is none */
    const char *address;
    unsigned header_count;
    bool headers_lost; /* there were more than the library keeps */
    struct view handshake; /* tls_client.h */
};

void http_connection_header(const struct http_connection *c, unsigned index, const char **out_name,
                            const char **out_value);

/* Exactly `len` bytes of the body. Errors: BAD_REQUEST when they do not come in time, or not at
 * all. */
ERRFN http_connection_read(struct http_connection *c, void *out_bytes, size_t len);

/* Errors: PEER_GONE. */
ERRFN http_connection_write(struct http_connection *c, struct view bytes);

/* Reads and drops what is left of the body, up to a bound: closing a socket with unread bytes
 * makes TCP throw away what was sent, and the client would never see why it was refused. */
void http_connection_discard(struct http_connection *c);

/* Connections wait for a worker, or the front drains: this one is not to be kept. */
bool http_connection_is_crowded(const struct http_connection *c);

/* The connection ends after this answer. */
void http_connection_end(struct http_connection *c);

const char *http_connection_phrase(const struct http_connection *c, int status);

/* What http.c calls: answers a request, and says in the log that it did; returns the status. */
int http_serve(struct http_connection *c, const struct http_incoming *incoming);

/* Answers what the library could not read as a request. */
void http_serve_unreadable(struct http_connection *c, const struct http_incoming *incoming,
                           err_t why);

#endif
