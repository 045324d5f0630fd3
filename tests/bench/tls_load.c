/* tls_load handshakes|requests CA PORT CONNECTIONS SECONDS PATH: full handshakes, or keep-alive requests, a second. */
#include "base/secret.h"
#include "bench/connection.h"
#include "bench/load.h"

#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS_MAX = 256 };

struct target {
    SSL_CTX *ctx;
    int port;
    const char *path;
    struct connection connections[CONNECTIONS_MAX];
    struct buf *answers[CONNECTIONS_MAX];
};

static bool handshake(void *context, size_t thread)
{
    (void)thread;
    struct target *t = context;
    struct connection connection;
    if (!IS_OK(connection_open(t->ctx, t->port, &connection))) {
        return false;
    }
    connection_close(&connection);
    return true;
}

static bool request(void *context, size_t thread)
{
    struct target *t = context;
    int status = 0;
    return IS_OK(connection_request(&t->connections[thread], t->path, NULL, &status, t->answers[thread])) && status == 200;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    static struct target target;
    if (argc != 7 || !IS_OK(secret_setup()) || !IS_OK(connection_context(argv[2], &target.ctx))) {
        fprintf(stderr, "usage: tls_load handshakes|requests CA PORT CONNECTIONS SECONDS PATH\n");
        return 2;
    }
    size_t count = strtoul(argv[4], NULL, 10);
    target.port = atoi(argv[3]);
    target.path = argv[6];
    bool handshakes = strcmp(argv[1], "handshakes") == 0;
    for (size_t i = 0; !handshakes && i < count && i < CONNECTIONS_MAX; i++) {
        if (!IS_OK(connection_open(target.ctx, target.port, &target.connections[i])) ||
            !IS_OK(buf_new(1 << 20, &target.answers[i]))) {
            fprintf(stderr, "tls_load: connection %zu failed\n", i);
            return 1;
        }
    }
    struct load_result result = load_run(count, atof(argv[5]), handshakes ? handshake : request, &target);
    load_print(argv[1], &result);
    return result.failed > 0;
}
