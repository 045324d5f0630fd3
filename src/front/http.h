/* The HTTP server, which is CivetWeb; no other file knows of it. Serving one request is
 * http_serve.c's. */
#ifndef ITL_FRONT_HTTP_H
#define ITL_FRONT_HTTP_H

#include "front/front.h"

#include <openssl/types.h>

enum {
    HEADERS_MAX_BYTES = 16384, /* request line and headers */
    READ_TIMEOUT_MS =
        10000, /* handshake; line and headers; one wait for bytes of a body, or for room to send */
    KEEP_ALIVE_MS =
        5000 /* a node's TPM makes its quote between two requests in two or three seconds */
};

struct http;

/* Takes the listening socket and serves; all threads are there when it returns. Errors: IO,
 * TIMEOUT. */
ERRFN http_start(struct front *front, SSL_CTX *tls, int take_listener, struct http **out_http);

/* Accepts nothing more and ends each connection with the answer under way. */
void http_drain(struct http *http);

/* Requests that are being answered. */
unsigned http_busy(const struct http *http);

#endif
