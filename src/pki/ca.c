#include "pki/ca.h"

#include <stdlib.h>

#include <openssl/err.h>

#include "pki/x509_parts.h"

enum { P384_BITS = 384 };

void ca_free(struct ca *ca)
{
    if (ca) {
        X509_free(ca->certificate);
        EVP_PKEY_free(ca->public_key);
        buf_free(ca->pem);
        buf_free(ca->der);
        free(ca);
    }
}

static ERRFN check(struct ca *ca, const EVP_PKEY *public_key, uint64_t now_ms)
{
    uint32_t usage = X509_get_key_usage(ca->certificate);
    ENSURE(X509_check_ca(ca->certificate) == 1, CA_CERTIFICATE);
    ENSURE((usage & KU_KEY_CERT_SIGN) && (usage & KU_CRL_SIGN), CA_CERTIFICATE);
    ENSURE(X509_get0_subject_key_id(ca->certificate), CA_CERTIFICATE);
    ca->public_key = X509_get_pubkey(ca->certificate);
    ENSURE(ca->public_key && EVP_PKEY_is_a(ca->public_key, "EC"), CA_CERTIFICATE);
    ENSURE(EVP_PKEY_get_bits(ca->public_key) == P384_BITS, CA_CERTIFICATE);
    ENSURE(EVP_PKEY_eq(ca->public_key, public_key) == 1, CA_CERTIFICATE);
    ENSURE(IS_OK(x509_time_get(X509_get0_notBefore(ca->certificate), &ca->not_before_ms)), CA_CERTIFICATE);
    ENSURE(IS_OK(x509_time_get(X509_get0_notAfter(ca->certificate), &ca->not_after_ms)), CA_CERTIFICATE);
    ENSURE(ca->not_before_ms <= now_ms && now_ms < ca->not_after_ms, CA_CERTIFICATE);
    return OK;
}

ERRFN ca_new(struct view pem, const EVP_PKEY *public_key, uint64_t now_ms, const struct ca_key *key, struct ca **out_ca)
{
    AUTO(ca) ca = calloc(1, sizeof *ca);
    ENSURE(ca, NO_MEMORY);
    ca->key = *key;
    ENSURE(pem.len <= CA_PEM_MAX_BYTES, CA_CERTIFICATE);
    ca->certificate = x509_first_of_pem(pem);
    ENSURE(ca->certificate, CA_CERTIFICATE);
    err_t checked = check(ca, public_key, now_ms);
    ERR_clear_error();
    TRY(checked);
    TRY(buf_new(CA_PEM_MAX_BYTES, &ca->pem));
    TRY(buf_new(X509_DER_MAX_BYTES, &ca->der));
    TRY(x509_put_pem(ca->certificate, ca->pem));
    TRY(x509_put_der(ca->certificate, ca->der));
    *out_ca = STEAL(ca);
    return OK;
}

ERRFN ca_exercise(const struct ca *ca)
{
    uint8_t serial[X509_SERIAL_BYTES];
    AUTO(X509) certificate = X509_new();
    ENSURE(certificate, NO_MEMORY);
    bool filled = X509_set_version(certificate, X509_VERSION_3) == 1 && x509_serial_set(certificate, serial) &&
                  X509_set_issuer_name(certificate, X509_get_subject_name(ca->certificate)) == 1 &&
                  x509_time_set(X509_getm_notBefore(certificate), 0) && x509_time_set(X509_getm_notAfter(certificate), 0) &&
                  X509_set_pubkey(certificate, ca->public_key) == 1;
    ENSURE(filled, CRYPTO);
    TRY(ca->key.sign_certificate(ca->key.context, certificate));
    ENSURE(X509_verify(certificate, ca->public_key) == 1, CRYPTO);
    return OK;
}
