#include "bench/connection.h"

#include "base/fd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { HEAD_MAX = 8192 };

ERRFN connection_context(const char *ca_file, SSL_CTX **out_ctx)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    ENSURE(ctx, NO_MEMORY);
    bool set = SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
               SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384") == 1 && SSL_CTX_set1_groups_list(ctx, "P-384") == 1 &&
               SSL_CTX_load_verify_locations(ctx, ca_file, NULL) == 1;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (!set) {
        SSL_CTX_free(ctx);
        return E(TLS_CERTIFICATE);
    }
    *out_ctx = ctx;
    return OK;
}

ERRFN connection_open(SSL_CTX *ctx, int port, struct connection *out_connection)
{
    AUTO(fd) fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    ENSURE(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0, TLS_CONNECT);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL *ssl = SSL_new(ctx);
    ENSURE(ssl, NO_MEMORY);
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) != 1) {
        SSL_free(ssl);
        return E(TLS_CONNECT);
    }
    *out_connection = (struct connection){.ssl = ssl, .fd = fd_steal(&fd)};
    return OK;
}

void connection_close(struct connection *c)
{
    SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    close(c->fd);
}

static ERRFN send_request(struct connection *c, const char *path, const struct buf *body)
{
    AUTO(buf) request = NULL;
    TRY(buf_new(2 * 1024 * 1024, &request));
    TRY(buf_printf(request, "%s %s HTTP/1.1\r\nHost: localhost\r\n", body ? "POST" : "GET", path));
    if (body) {
        TRY(buf_printf(request, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body->len));
    }
    TRY(buf_put_text(request, "\r\n"));
    if (body) {
        TRY(buf_put(request, buf_view(body)));
    }
    ENSURE(SSL_write(c->ssl, request->data, (int)request->len) == (int)request->len, PEER_GONE);
    return OK;
}

/* Reads into `head` until the empty line; what follows it stays behind it. */
static ERRFN read_head(struct connection *c, char head[static HEAD_MAX], size_t *out_len, char **out_end)
{
    size_t len = 0;
    for (;;) {
        ENSURE(len < HEAD_MAX - 1, TOO_LONG);
        int got = SSL_read(c->ssl, head + len, (int)(HEAD_MAX - 1 - len));
        ENSURE(got > 0, PEER_GONE);
        len += (size_t)got;
        head[len] = '\0';
        char *end = strstr(head, "\r\n\r\n");
        if (end) {
            *out_end = end + 4;
            *out_len = len;
            return OK;
        }
    }
}

ERRFN connection_request(struct connection *c, const char *path, const struct buf *body, int *out_status, struct buf *out_body)
{
    char head[HEAD_MAX];
    char *rest;
    size_t len;
    TRY(send_request(c, path, body));
    TRY(read_head(c, head, &len, &rest));
    int status = atoi(head + sizeof "HTTP/1.1");
    const char *length = strcasestr(head, "\r\ncontent-length:");
    ENSURE(length, BAD_REQUEST);
    size_t want = strtoul(length + sizeof "\r\ncontent-length:" - 1, NULL, 10);
    buf_truncate(out_body, 0);
    TRY(buf_put(out_body, view_of(rest, len - (size_t)(rest - head))));
    while (out_body->len < want) {
        int got = SSL_read(c->ssl, head, HEAD_MAX);
        ENSURE(got > 0, PEER_GONE);
        TRY(buf_put(out_body, view_of(head, (size_t)got)));
    }
    *out_status = status;
    return OK;
}
