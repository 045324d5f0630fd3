#include "front/tls_client.h"

#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/clock.h"

enum {
    MESSAGE_CLIENT_HELLO = 1, /* RFC 8446 section 4 */
    MESSAGE_CERTIFICATE = 11,
    MESSAGE_CERTIFICATE_VERIFY = 15,
    MESSAGE_HEADER_BYTES = 4,
    CERTIFICATE_MAX_BYTES = 8192 /* a client's whole chain; ours is one of 700 */
};

/* Of one connection. */
struct tls_client {
    struct client_anchor *source;
    bool asked;
    bool done;  /* what follows is not the handshake's, or not wanted */
    bool shown; /* `messages` ends with the client's CertificateVerify */
    uint8_t anchor[IPC_TLS_ANCHOR_BYTES];
    X509 *ca;
    struct buf *messages;
};

static int client_index = -1;
static _Thread_local struct tls_client *current;

static void client_free(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                        void *argp)
{
    (void)parent;
    (void)data;
    (void)index;
    (void)argl;
    (void)argp;
    struct tls_client *c = ptr;
    if (!c) {
        return;
    }
    if (current == c) {
        current = NULL;
    }
    X509_free(c->ca);
    buf_free(c->messages);
    free(c);
}

/* -- what goes by ------------------------------------------------------------------------------ */

/* Without a certificate the messages are of no use, nor when there are too many. */
static void forget(struct tls_client *c)
{
    c->done = true;
    buf_free(STEAL(c->messages));
}

static void keep(struct tls_client *c, bool sent, struct view message)
{
    if (!IS_OK(buf_put(c->messages, message))) {
        forget(c);
        return;
    }
    if (sent) {
        return;
    }
    /* An empty list of certificates: a context of no bytes and a length of three zeros. */
    if (message.data[0] == MESSAGE_CERTIFICATE && message.len <= MESSAGE_HEADER_BYTES + 4) {
        forget(c);
    } else if (message.data[0] == MESSAGE_CERTIFICATE_VERIFY) {
        c->done = true;
        c->shown = true;
    }
}

static struct tls_client *begin(SSL *ssl, struct client_anchor *source)
{
    struct tls_client *c = calloc(1, sizeof *c);
    if (!c) {
        return NULL;
    }
    c->source = source;
    if (!IS_OK(buf_new(IPC_HANDSHAKE_MAX, &c->messages)) ||
        SSL_set_ex_data(ssl, client_index, c) != 1) {
        buf_free(c->messages);
        free(c);
        return NULL;
    }
    return c;
}

static void see_message(int sent, int version, int content_type, const void *bytes, size_t len,
                        SSL *ssl, void *argument)
{
    (void)version;
    if (content_type != SSL3_RT_HANDSHAKE || len < MESSAGE_HEADER_BYTES) {
        return;
    }
    struct tls_client *c = SSL_get_ex_data(ssl, client_index);
    if (!c && !sent && *(const uint8_t *)bytes == MESSAGE_CLIENT_HELLO) {
        c = begin(ssl, argument);
        current = c;
    }
    if (c && !c->done) {
        keep(c, sent, view_of(bytes, len));
    }
}

struct view tls_client_handshake(void)
{
    return current && current->shown ? buf_view(current->messages) : VIEW_EMPTY;
}

/* -- asking ------------------------------------------------------------------------------------ */

static int add_anchor(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                      size_t *out_len, X509 *certificate, size_t chain_index, int *alert,
                      void *argument)
{
    (void)type;
    (void)context;
    (void)certificate;
    (void)chain_index;
    (void)alert;
    (void)argument;
    const struct tls_client *c = SSL_get_ex_data(ssl, client_index);
    if (!c || !c->asked) {
        return 0;
    }
    *out = c->anchor;
    *out_len = sizeof c->anchor;
    return 1;
}

/* Clients with several certificates choose by it, and browsers that have none of ours don't bother
 * their user. */
static bool name_ca(SSL *ssl, X509 *ca)
{
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(ca));
    if (!names || !name || !sk_X509_NAME_push(names, name)) {
        X509_NAME_free(name);
        sk_X509_NAME_free(names);
        return false;
    }
    SSL_set0_CA_list(ssl, names);
    return true;
}

bool tls_client_ask(SSL *ssl)
{
    struct tls_client *c = SSL_get_ex_data(ssl, client_index);
    if (!c) {
        return false;
    }
    if (c->asked || c->done) {
        return true; /* this is the second ClientHello, after a HelloRetryRequest */
    }
    if (!client_anchor_take(c->source, c->anchor, &c->ca)) {
        forget(c);
        return true;
    }
    c->asked = true;
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    return name_ca(ssl, c->ca);
}

/* -- looking ----------------------------------------------------------------------------------- */

/* The error decides which alert the client is told: unknown_ca, certificate_expired,
 * unsupported_certificate (RFC 8446 section 6.2). */
static int judge(X509 *certificate, X509 *ca)
{
    bool same_name =
        X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(ca)) == 0;
    bool ours = same_name && X509_verify(certificate, X509_get0_pubkey(ca)) == 1;
    ERR_clear_error();
    if (!ours) {
        return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    }
    time_t now = (time_t)(clock_utc_ms() / 1000);
    if (X509_cmp_time(X509_get0_notBefore(certificate), &now) >= 0) {
        return X509_V_ERR_CERT_NOT_YET_VALID;
    }
    if (X509_cmp_time(X509_get0_notAfter(certificate), &now) <= 0) {
        return X509_V_ERR_CERT_HAS_EXPIRED;
    }
    bool for_clients = (X509_get_extended_key_usage(certificate) & XKU_SSL_CLIENT) != 0;
    return for_clients && X509_check_ca(certificate) == 0 ? X509_V_OK : X509_V_ERR_INVALID_PURPOSE;
}

static int verify(X509_STORE_CTX *store, void *argument)
{
    (void)argument;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct tls_client *c = ssl ? SSL_get_ex_data(ssl, client_index) : NULL;
    X509 *certificate = X509_STORE_CTX_get0_cert(store);
    int result = c && c->ca && certificate ? judge(certificate, c->ca) : X509_V_ERR_UNSPECIFIED;
    X509_STORE_CTX_set_error(store, result);
    return result == X509_V_OK;
}

ERRFN tls_client_set_up(SSL_CTX *context, struct client_anchor *anchor)
{
    client_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, client_free);
    ENSURE(client_index >= 0, CRYPTO);
    SSL_CTX_set_msg_callback(context, see_message);
    SSL_CTX_set_msg_callback_arg(context, anchor); /* each connection begins with it */
    SSL_CTX_set_cert_verify_callback(context, verify, NULL);
    SSL_CTX_set_max_cert_list(context, CERTIFICATE_MAX_BYTES);
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION
    /* The signer reads certificates as they are. */
    SSL_CTX_set_options(context, SSL_OP_NO_RX_CERTIFICATE_COMPRESSION |
                                     SSL_OP_NO_TX_CERTIFICATE_COMPRESSION);
#endif
    ENSURE(SSL_CTX_set1_client_sigalgs_list(context, "ecdsa_secp384r1_sha384") == 1, CRYPTO);
    ENSURE(SSL_CTX_add_custom_ext(context, IPC_TLS_ANCHOR_EXTENSION,
                                  SSL_EXT_TLS1_3_CERTIFICATE_REQUEST, add_anchor, NULL, NULL, NULL,
                                  NULL) == 1,
           CRYPTO);
    return OK;
}
