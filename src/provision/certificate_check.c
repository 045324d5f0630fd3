#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "provision/certificate.h"

AUTO_DEFINE(X509, X509, X509_free);
AUTO_DEFINE(EVP_PKEY, EVP_PKEY, EVP_PKEY_free);

static X509 *read_first(struct view pem)
{
    if (pem.len > CERTIFICATE_PEM_MAX_BYTES) {
        return NULL;
    }
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    return certificate;
}

static ERRFN write_date(const ASN1_TIME *when, char out_text[static CERTIFICATE_DATE_SIZE])
{
    struct tm tm;
    ENSURE(ASN1_TIME_to_tm(when, &tm) == 1, TLS_CERTIFICATE);
    ENSURE(strftime(out_text, CERTIFICATE_DATE_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0,
           TLS_CERTIFICATE);
    return OK;
}

static ERRFN write_fingerprint(X509 *certificate, char *out_text, size_t size)
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    ENSURE(len > 0, CRYPTO);
    uint8_t digest[SHA256_BYTES];
    err_t err = sha256(view_of(der, (size_t)len), digest);
    OPENSSL_free(der);
    TRY(err);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(out_text + 3 * i, size - 3 * i, "%02X%s", digest[i],
                 i + 1 < sizeof digest ? ":" : "");
    }
    return OK;
}

static ERRFN write_pin(const struct hsm_key *key, char *out_text, size_t size)
{
    AUTO(buf) spki = NULL;
    AUTO(buf) text = NULL;
    uint8_t digest[SHA256_BYTES];
    TRY(buf_new(256, &spki));
    TRY(buf_new(size, &text));
    TRY(hsm_public_key_der(key, spki));
    TRY(sha256(buf_view(spki), digest));
    TRY(buf_put_text(text, "sha256//"));
    TRY(buf_put_base64(text, view_of(digest, sizeof digest)));
    return view_to_text(buf_view(text), out_text, size);
}

ERRFN certificate_check(struct view pem, const struct hsm_key *key,
                        struct certificate_facts *out_facts)
{
    AUTO(X509) certificate = read_first(pem);
    ENSURE(certificate, TLS_CERTIFICATE);
    AUTO(EVP_PKEY) public_key = NULL;
    TRY(hsm_public_key(key, &public_key));
    ENSURE(X509_get0_pubkey(certificate) &&
               EVP_PKEY_eq(X509_get0_pubkey(certificate), public_key) == 1,
           TLS_CERTIFICATE);
    ENSURE(X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0, TLS_CERTIFICATE);
    ENSURE(X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0, TLS_CERTIFICATE);

    struct certificate_facts facts = {.is_ca = X509_check_ca(certificate) == 1};
    facts.self_signed = X509_verify(certificate, public_key) == 1;
    ERR_clear_error();
    TRY(write_date(X509_get0_notAfter(certificate), facts.not_after));
    TRY(write_fingerprint(certificate, facts.fingerprint, sizeof facts.fingerprint));
    TRY(write_pin(key, facts.pin, sizeof facts.pin));
    *out_facts = facts;
    return OK;
}

bool certificate_covers(struct view pem, const char *name)
{
    AUTO(X509) certificate = read_first(pem);
    return certificate && (X509_check_ip_asc(certificate, name, 0) == 1 ||
                           X509_check_host(certificate, name, strlen(name),
                                           X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1);
}
