/* The baseline: the least CivetWeb server with a key in a file and the appliance's TLS settings. plain_civetweb CERT KEY PORT WORKERS */
#include <civetweb.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static SSL_CTX *context;

static int use_context(void **ssl_ctx, void *user_data)
{
    (void)user_data;
    *ssl_ctx = context;
    return 1;
}

static int answer(struct mg_connection *connection, void *data)
{
    (void)data;
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n"
                               "Connection: keep-alive\r\n\r\n{\"status\":\"ok\"}";
    mg_write(connection, head, sizeof head - 1);
    return 200;
}

static int make_context(const char *certificate, const char *key)
{
    context = SSL_CTX_new(TLS_server_method());
    return context && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384") == 1 &&
           SSL_CTX_set1_groups_list(context, "P-384") == 1 && SSL_CTX_set_num_tickets(context, 0) == 1 &&
           SSL_CTX_use_certificate_chain_file(context, certificate) == 1 &&
           SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1;
}

int main(int argc, char **argv)
{
    char port[32];
    signal(SIGPIPE, SIG_IGN);
    if (argc != 5 || !make_context(argv[1], argv[2])) {
        fprintf(stderr, "usage: plain_civetweb CERT KEY PORT WORKERS\n");
        return 2;
    }
    snprintf(port, sizeof port, "127.0.0.1:%ss", argv[3]);
    const char *options[] = {"listening_ports", port, "num_threads", argv[4], "enable_keep_alive", "yes",
                             "keep_alive_timeout_ms", "30000", "tcp_nodelay", "1", NULL};
    struct mg_callbacks callbacks;
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.external_ssl_ctx = use_context;
    mg_init_library(MG_FEATURES_SSL);
    struct mg_context *server = mg_start(&callbacks, NULL, options);
    if (!server) {
        fprintf(stderr, "plain_civetweb: cannot listen on %s\n", port);
        return 1;
    }
    mg_set_request_handler(server, "/healthz", answer, NULL);
    puts("ready");
    fflush(stdout);
    pause();
    mg_stop(server);
    return 0;
}
