/* One TLS 1.3 connection of a load generator: requests one after another, answers read by Content-Length. The server is pinned by its
 * certificate file. */
#ifndef ITL_BENCH_CONNECTION_H
#define ITL_BENCH_CONNECTION_H

#include "base/bytes.h"

#include <openssl/types.h>

struct connection {
    SSL *ssl;
    int fd;
    char host[64];
};

/* A client context that trusts exactly the certificates of `ca_file`, P-384 and AES-256-GCM only. */
ERRFN connection_context(const char *ca_file, SSL_CTX **out_ctx);

/* Connects to 127.0.0.1:port and shakes hands. */
ERRFN connection_open(SSL_CTX *ctx, int port, struct connection *out_connection);
void connection_close(struct connection *c);

/* Sends a request and reads the answer; out_body is emptied first. `body` NULL for a GET. */
ERRFN connection_request(struct connection *c, const char *path, const struct buf *body, int *out_status,
                         struct buf *out_body);

#endif
