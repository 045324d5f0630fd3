#include "pki/tls_pair.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

enum { ROUNDS_MAX = 10, MESSAGES_MAX = 65536, CERTIFICATE = 11, CERTIFICATE_VERIFY = 15, EMPTY_CERTIFICATE_BYTES = 8 };

static void need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "tls_pair: %s\n", what);
        abort();
    }
}

/* What the server saw. */
struct seen {
    struct buf *messages;
    bool complete;
};

static void see(int sent, int version, int content_type, const void *bytes, size_t len, SSL *ssl, void *argument)
{
    (void)version;
    (void)ssl;
    struct seen *seen = argument;
    if (content_type != SSL3_RT_HANDSHAKE || seen->complete) {
        return;
    }
    need(IS_OK(buf_put(seen->messages, view_of(bytes, len))), "too many messages");
    uint8_t type = *(const uint8_t *)bytes;
    seen->complete = !sent && (type == CERTIFICATE_VERIFY || (type == CERTIFICATE && len <= EMPTY_CERTIFICATE_BYTES));
}

static int add_anchor(SSL *ssl, unsigned type, unsigned context, const unsigned char **out, size_t *out_len, X509 *certificate,
                      size_t index, int *alert, void *argument)
{
    (void)ssl;
    (void)type;
    (void)context;
    (void)certificate;
    (void)index;
    (void)alert;
    const struct tls_pair *pair = argument;
    *out = pair->anchor.data;
    *out_len = pair->anchor.len;
    return pair->anchor.len > 0;
}

static int accept_any(X509_STORE_CTX *store, void *argument)
{
    (void)argument;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static SSL_CTX *make_context(const SSL_METHOD *method, X509 *certificate, EVP_PKEY *key, const char *groups)
{
    SSL_CTX *context = SSL_CTX_new(method);
    need(context && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1, "context");
    need(SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384") == 1 && SSL_CTX_set1_groups_list(context, groups) == 1, "suite");
    if (certificate) {
        need(SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1, "certificate");
    }
    SSL_CTX_set_cert_verify_callback(context, accept_any, NULL);
    return context;
}

static SSL_CTX *make_server(const struct tls_pair *pair, struct seen *seen)
{
    SSL_CTX *server = make_context(TLS_server_method(), pair->server_certificate, pair->server_key, "P-384");
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_msg_callback(server, see);
    SSL_CTX_set_msg_callback_arg(server, seen);
    need(SSL_CTX_add_custom_ext(server, TLS_PAIR_EXTENSION, SSL_EXT_TLS1_3_CERTIFICATE_REQUEST, add_anchor, NULL, (void *)(uintptr_t)pair,
                                NULL, NULL) == 1,
         "extension");
    return server;
}

struct buf *tls_pair_shake(const struct tls_pair *pair)
{
    struct seen seen = {0};
    need(IS_OK(buf_new(MESSAGES_MAX, &seen.messages)), "memory");
    SSL_CTX *server_context = make_server(pair, &seen);
    SSL_CTX *client_context = make_context(TLS_client_method(), pair->client_certificate, pair->client_key, pair->client_groups);
    SSL *server = SSL_new(server_context);
    SSL *client = SSL_new(client_context);
    BIO *near = NULL;
    BIO *far = NULL;
    need(server && client && BIO_new_bio_pair(&near, MESSAGES_MAX, &far, MESSAGES_MAX) == 1, "pair");
    SSL_set_bio(server, near, near);
    SSL_set_bio(client, far, far);
    for (int i = 0; i < ROUNDS_MAX && !seen.complete; i++) {
        SSL_connect(client);
        SSL_accept(server);
    }
    need(seen.complete, "no handshake");
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(client_context);
    SSL_CTX_free(server_context);
    return seen.messages;
}

X509 *tls_pair_self_signed(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    need(certificate && X509_set_version(certificate, X509_VERSION_3) == 1 && X509_set_pubkey(certificate, key) == 1 &&
             X509_gmtime_adj(X509_getm_notBefore(certificate), -60) && X509_gmtime_adj(X509_getm_notAfter(certificate), 3600) &&
             X509_sign(certificate, key, EVP_sha384()) > 0,
         "server certificate");
    return certificate;
}
