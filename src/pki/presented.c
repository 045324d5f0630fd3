#include "pki/presented.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>

AUTO_DEFINE(EVP_MD_CTX, EVP_MD_CTX, EVP_MD_CTX_free);

void presented_clear(struct presented *presented)
{
    EVP_PKEY_free(STEAL(presented->key));
}

static ERRFN read_serial(const X509 *certificate, uint8_t out_serial[static X509_SERIAL_BYTES])
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    ENSURE(serial && ASN1_STRING_type(serial) == V_ASN1_INTEGER && ASN1_STRING_length(serial) == X509_SERIAL_BYTES,
           CERTIFICATE_INVALID);
    memcpy(out_serial, ASN1_STRING_get0_data(serial), X509_SERIAL_BYTES);
    return OK;
}

static ERRFN check_time(const X509 *certificate, uint64_t now_ms)
{
    uint64_t begin;
    uint64_t end;
    TRY(x509_time_get(X509_get0_notBefore(certificate), &begin));
    TRY(x509_time_get(X509_get0_notAfter(certificate), &end));
    ENSURE(begin <= now_ms && now_ms < end, CERTIFICATE_INVALID);
    return OK;
}

/* Signature first: nothing in it means anything before that. */
static ERRFN check(const struct ca *ca, X509 *certificate, uint64_t now_ms)
{
    const X509_NAME *issuer = X509_get_subject_name(ca->certificate);
    ENSURE(X509_verify(certificate, ca->public_key) == 1, CERTIFICATE_INVALID);
    ENSURE(X509_get_version(certificate) == X509_VERSION_3, CERTIFICATE_INVALID);
    ENSURE(X509_NAME_cmp(X509_get_issuer_name(certificate), issuer) == 0, CERTIFICATE_INVALID);
    ENSURE(X509_check_ca(certificate) == 0, CERTIFICATE_INVALID);
    uint32_t flags = X509_get_extension_flags(certificate);
    ENSURE((flags & (EXFLAG_KUSAGE | EXFLAG_XKUSAGE)) == (EXFLAG_KUSAGE | EXFLAG_XKUSAGE), CERTIFICATE_INVALID);
    ENSURE(X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE, CERTIFICATE_INVALID);
    ENSURE(X509_get_extended_key_usage(certificate) & XKU_SSL_CLIENT, CERTIFICATE_INVALID);
    return check_time(certificate, now_ms);
}

static ERRFN parse(const struct ca *ca, struct view der, uint64_t now_ms, struct presented *p)
{
    const uint8_t *at = der.data;
    AUTO(X509) certificate = d2i_X509(NULL, &at, (long)der.len);
    ENSURE(certificate && at == der.data + der.len, CERTIFICATE_INVALID);
    TRY(check(ca, certificate, now_ms));
    TRY(read_serial(certificate, p->serial));
    TRY(sha256(der, p->sha256));
    p->key = X509_get_pubkey(certificate);
    ENSURE(p->key, CERTIFICATE_INVALID);
    return OK;
}

ERRFN presented_parse(const struct ca *ca, struct view der, uint64_t now_ms, struct presented *out_presented)
{
    struct presented presented = {0};
    ENSURE(der.len > 0 && der.len <= X509_DER_MAX_BYTES, CERTIFICATE_INVALID);
    err_t parsed = parse(ca, der, now_ms, &presented);
    ERR_clear_error();
    TRY(parsed);
    *out_presented = presented;
    return OK;
}

ERRFN presented_check_signature(const struct presented *presented, struct view message, struct view signature)
{
    AUTO(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
    ENSURE(ctx, NO_MEMORY);
    const EVP_MD *hash = EVP_PKEY_is_a(presented->key, "RSA") ? EVP_sha256() : EVP_sha384();
    bool good = EVP_DigestVerifyInit(ctx, NULL, hash, NULL, presented->key) == 1 &&
                EVP_DigestVerify(ctx, signature.data, signature.len, message.data, message.len) == 1;
    ERR_clear_error();
    ENSURE(good, CERTIFICATE_SIGNATURE);
    return OK;
}
