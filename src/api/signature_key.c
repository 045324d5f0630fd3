#include "api/signature_base.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

AUTO_DEFINE(EVP_MD_CTX, EVP_MD_CTX, EVP_MD_CTX_free);
AUTO_DEFINE(ECDSA_SIG, ECDSA_SIG, ECDSA_SIG_free);

enum {
    COORDINATE_BYTES = SIGNATURE_BYTES / 2,
    DER_MAX_BYTES = 104 /* ECDSA-Sig-Value of two 384-bit integers */
};

static bool is_p384(EVP_PKEY *key)
{
    char group[32] = "";
    return EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
           strcmp(group, "secp384r1") == 0;
}

ERRFN signature_keyid(EVP_PKEY *key, uint8_t out_keyid[static SIGNATURE_KEYID_BYTES])
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    ENSURE(len > 0, CRYPTO);
    err_t e = sha256(view_of(der, (size_t)len), out_keyid);
    OPENSSL_free(der);
    return e;
}

static ERRFN raw_from_der(struct view der, uint8_t out_signature[static SIGNATURE_BYTES])
{
    const unsigned char *at = der.data;
    AUTO(ECDSA_SIG) pair = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
    ENSURE(pair, CRYPTO);
    ENSURE(BN_bn2binpad(ECDSA_SIG_get0_r(pair), out_signature, COORDINATE_BYTES) ==
                   COORDINATE_BYTES &&
               BN_bn2binpad(ECDSA_SIG_get0_s(pair), out_signature + COORDINATE_BYTES,
                            COORDINATE_BYTES) == COORDINATE_BYTES,
           CRYPTO);
    return OK;
}

ERRFN signature_make(EVP_PKEY *key, struct view base, uint8_t out_signature[static SIGNATURE_BYTES])
{
    ENSURE(is_p384(key), FIELD_INVALID);
    AUTO(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
    ENSURE(ctx, NO_MEMORY);
    uint8_t der[DER_MAX_BYTES];
    size_t len = sizeof der;
    ENSURE(EVP_DigestSignInit_ex(ctx, NULL, "SHA384", NULL, NULL, key, NULL) == 1 &&
               EVP_DigestSign(ctx, der, &len, base.data, base.len) == 1,
           CRYPTO);
    return raw_from_der(view_of(der, len), out_signature);
}

static ERRFN der_from_raw(const uint8_t signature[static SIGNATURE_BYTES],
                          uint8_t out_der[static DER_MAX_BYTES], size_t *out_len)
{
    AUTO(ECDSA_SIG) pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, COORDINATE_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(signature + COORDINATE_BYTES, COORDINATE_BYTES, NULL);
    if (!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return E(NO_MEMORY);
    }
    int len = i2d_ECDSA_SIG(pair, NULL);
    ENSURE(len > 0 && len <= DER_MAX_BYTES, CRYPTO);
    unsigned char *at = out_der;
    *out_len = (size_t)i2d_ECDSA_SIG(pair, &at);
    return OK;
}

ERRFN signature_check(EVP_PKEY *key, struct view base,
                      const uint8_t signature[static SIGNATURE_BYTES])
{
    ENSURE(is_p384(key), SIGNATURE_INVALID);
    uint8_t der[DER_MAX_BYTES];
    size_t len = 0;
    TRY(der_from_raw(signature, der, &len));
    AUTO(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
    ENSURE(ctx, NO_MEMORY);
    ENSURE(EVP_DigestVerifyInit_ex(ctx, NULL, "SHA384", NULL, NULL, key, NULL) == 1, CRYPTO);
    ENSURE(EVP_DigestVerify(ctx, der, len, base.data, base.len) == 1, SIGNATURE_INVALID);
    return OK;
}
