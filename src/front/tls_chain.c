#include "front/tls_chain.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "front/tls.h"

void tls_chain_free(struct tls_chain *chain)
{
    if (!chain) {
        return;
    }
    X509_free(chain->leaf);
    sk_X509_pop_free(chain->others, X509_free);
    free(chain);
}

static ERRFN read_others(BIO *pem, STACK_OF(X509) * others)
{
    X509 *certificate;
    while ((certificate = PEM_read_bio_X509(pem, NULL, NULL, NULL))) {
        if (sk_X509_num(others) + 1 >= TLS_CHAIN_CERTIFICATES_MAX ||
            !sk_X509_push(others, certificate)) {
            X509_free(certificate);
            return E(TLS_CERTIFICATE);
        }
    }
    /* The end of the text, and not something unreadable in it. */
    ENSURE(ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE, TLS_CERTIFICATE);
    return OK;
}

static ERRFN read_pem(struct view pem, struct tls_chain *chain)
{
    chain->others = sk_X509_new_null();
    ENSURE(chain->others, NO_MEMORY);
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    ENSURE(bio, NO_MEMORY);
    chain->leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    err_t read = chain->leaf ? read_others(bio, chain->others) : E(TLS_CERTIFICATE);
    BIO_free(bio);
    ERR_clear_error();
    return read;
}

static ERRFN check_order(const struct tls_chain *chain)
{
    X509 *subject = chain->leaf;
    for (int i = 0; i < sk_X509_num(chain->others); i++) {
        X509 *issuer = sk_X509_value(chain->others, i);
        ENSURE(X509_check_issued(issuer, subject) == X509_V_OK, TLS_CERTIFICATE);
        ENSURE(X509_verify(subject, X509_get0_pubkey(issuer)) == 1, TLS_CERTIFICATE);
        subject = issuer;
    }
    return OK;
}

static ERRFN check_leaf(struct tls_chain *chain, uint64_t now_ms)
{
    char group[32];
    size_t len;
    time_t now = (time_t)(now_ms / 1000);
    EVP_PKEY *key = X509_get0_pubkey(chain->leaf);
    ENSURE(key && EVP_PKEY_is_a(key, "EC"), TLS_CERTIFICATE);
    ENSURE(EVP_PKEY_get_group_name(key, group, sizeof group, &len) == 1 &&
               strcmp(group, "secp384r1") == 0,
           TLS_CERTIFICATE);
    ENSURE(X509_cmp_time(X509_get0_notBefore(chain->leaf), &now) < 0, TLS_CERTIFICATE);
    ENSURE(X509_cmp_time(X509_get0_notAfter(chain->leaf), &now) > 0, TLS_CERTIFICATE);
    struct tm end;
    ENSURE(ASN1_TIME_to_tm(X509_get0_notAfter(chain->leaf), &end) == 1, TLS_CERTIFICATE);
    chain->not_after_ms = (uint64_t)timegm(&end) * 1000;
    return OK;
}

ERRFN tls_chain_parse(struct view pem, uint64_t now_ms, struct tls_chain **out_chain)
{
    AUTO(tls_chain) chain = calloc(1, sizeof *chain);
    ENSURE(chain, NO_MEMORY);
    ENSURE(pem.len > 0 && pem.len <= INT32_MAX, TLS_CERTIFICATE);
    TRY(read_pem(pem, chain));
    err_t checked = check_leaf(chain, now_ms);
    if (IS_OK(checked)) {
        checked = check_order(chain);
    }
    ERR_clear_error();
    TRY(checked);
    *out_chain = STEAL(chain);
    return OK;
}
