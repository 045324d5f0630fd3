#include "front/tls.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "front/tls_chain.h"
#include "front/tls_client.h"
#include "front/tls_provider.h"

struct tls {
    SSL_CTX *context;
    EVP_PKEY *key; /* the same for every chain */
    pthread_rwlock_t lock;
    struct tls_chain *chain; /* guarded by lock */
};

/* Gives a new connection the chain of this moment, and asks for its certificate. */
static int choose_certificate(SSL *ssl, void *argument)
{
    struct tls *tls = argument;
    pthread_rwlock_rdlock(&tls->lock);
    int chosen = SSL_use_cert_and_key(ssl, tls->chain->leaf, tls->key, tls->chain->others, 1);
    pthread_rwlock_unlock(&tls->lock);
    return chosen == 1 && tls_client_ask(ssl);
}

/* Nothing is left to a default: versions, cipher, group, signature; and nothing that would keep
 * secrets of a connection beyond it. */
static bool set_protocol(SSL_CTX *context)
{
    static const unsigned char session_context[] = "itl-front";
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384") == 1 &&
           SSL_CTX_set1_groups_list(context, "P-384") == 1 &&
           SSL_CTX_set1_sigalgs_list(context, "ecdsa_secp384r1_sha384") == 1 &&
           SSL_CTX_set_num_tickets(context, 0) == 1 &&
           SSL_CTX_set_max_early_data(context, 0) == 1 &&
           SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1) ==
               1;
}

static ERRFN make_context(struct tls *tls, struct client_anchor *anchor)
{
    tls->context = SSL_CTX_new(TLS_server_method());
    ENSURE(tls->context && set_protocol(tls->context), CRYPTO);
    SSL_CTX_set_cert_cb(tls->context, choose_certificate, tls);
    return tls_client_set_up(tls->context, anchor);
}

ERRFN tls_new(struct view chain, struct client_anchor *anchor, struct tls **out_tls)
{
    struct tls *tls = calloc(1, sizeof *tls);
    ENSURE(tls && pthread_rwlock_init(&tls->lock, NULL) == 0, NO_MEMORY);
    /* Lives as long as the process; on an error the process ends. */
    TRY(tls_chain_parse(chain, clock_utc_ms(), &tls->chain));
    TRY(tls_provider_key(X509_get0_pubkey(tls->chain->leaf), &tls->key));
    TRY(make_context(tls, anchor));
    *out_tls = tls;
    return OK;
}

SSL_CTX *tls_context(const struct tls *tls)
{
    return tls->context;
}

ERRFN tls_set_chain(struct tls *tls, struct view chain, uint64_t *out_not_after_ms)
{
    AUTO(tls_chain) next = NULL;
    TRY(tls_chain_parse(chain, clock_utc_ms(), &next));
    bool same_key = X509_check_private_key(next->leaf, tls->key) == 1;
    ERR_clear_error();
    ENSURE(same_key, TLS_CERTIFICATE);
    *out_not_after_ms = next->not_after_ms;
    pthread_rwlock_wrlock(&tls->lock);
    struct tls_chain *before = tls->chain;
    tls->chain = STEAL(next);
    pthread_rwlock_unlock(&tls->lock);
    tls_chain_free(before);
    return OK;
}

ERRFN tls_check_signature(struct tls *tls, struct view content, struct view signature)
{
    pthread_rwlock_rdlock(&tls->lock);
    EVP_PKEY *public_key = X509_get_pubkey(tls->chain->leaf);
    pthread_rwlock_unlock(&tls->lock);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good =
        public_key && context &&
        EVP_DigestVerifyInit(context, NULL, EVP_sha384(), NULL, public_key) == 1 &&
        EVP_DigestVerify(context, signature.data, signature.len, content.data, content.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public_key);
    ERR_clear_error();
    ENSURE(good, TLS_CERTIFICATE);
    return OK;
}
