#include "pki/csr.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "pki/x509_parts.h"

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 4096, RSA_EXPONENT = 65537, CURVE_NAME_SIZE = 32 };

static bool is_accepted_rsa(const EVP_PKEY *key)
{
    BIGNUM *exponent = NULL;
    int bits = EVP_PKEY_get_bits(key);
    bool good = EVP_PKEY_is_a(key, "RSA") && bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX &&
                EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
                BN_is_word(exponent, RSA_EXPONENT);
    BN_free(exponent);
    return good;
}

static bool is_accepted_curve(const EVP_PKEY *key)
{
    char name[CURVE_NAME_SIZE] = "";
    char encoding[CURVE_NAME_SIZE] = "";
    return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, name, sizeof name, NULL) == 1 &&
           (strcmp(name, "prime256v1") == 0 || strcmp(name, "secp384r1") == 0) &&
           EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof encoding, NULL) == 1 &&
           strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) == 0;
}

/* The signature only shows that the requester has the key, yet a hash that breaks shows nothing. */
static bool is_accepted_signature(const X509_REQ *request)
{
    int hash = NID_undef;
    if (OBJ_find_sigid_algs(X509_REQ_get_signature_nid(request), &hash, NULL) != 1) {
        return false;
    }
    return hash == NID_sha256 || hash == NID_sha384 || hash == NID_sha512;
}

static ERRFN copy_spki(X509_REQ *request, struct buf **out_spki)
{
    uint8_t *der = NULL;
    int len = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(request), &der);
    ENSURE(len > 0, CRYPTO);
    err_t copied = buf_copy(view_of(der, (size_t)len), out_spki);
    OPENSSL_free(der);
    return copied;
}

/* The certificate gets the key as it was sent, so it must be in the form that everybody reads. */
static bool is_uncompressed(X509_REQ *request)
{
    const uint8_t *bytes = NULL;
    int len = 0;
    return X509_PUBKEY_get0_param(NULL, &bytes, &len, NULL, X509_REQ_get_X509_PUBKEY(request)) == 1 && len > 0 &&
           bytes[0] == POINT_CONVERSION_UNCOMPRESSED;
}

static ERRFN take_key(X509_REQ *request, struct buf **out_spki)
{
    const EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    ENSURE(key && (is_accepted_rsa(key) || (is_accepted_curve(key) && is_uncompressed(request))), CSR_KEY);
    ENSURE(is_accepted_signature(request), CSR_SIGNATURE);
    ENSURE(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)) == 1, CSR_SIGNATURE);
    return copy_spki(request, out_spki);
}

ERRFN csr_parse(struct view der, struct buf **out_spki)
{
    ENSURE(der.len > 0 && der.len <= CSR_MAX_BYTES, CSR_UNREADABLE);
    const uint8_t *at = der.data;
    AUTO(X509_REQ) request = d2i_X509_REQ(NULL, &at, (long)der.len);
    err_t taken = request && at == der.data + der.len ? take_key(request, out_spki) : E(CSR_UNREADABLE);
    ERR_clear_error();
    return taken;
}

ERRFN csr_wrapping_key_parse(struct view der, EVP_PKEY **out_key)
{
    ENSURE(der.len > 0 && der.len <= CSR_MAX_BYTES, WRAPPING_KEY);
    const uint8_t *at = der.data;
    AUTO(EVP_PKEY) key = d2i_PUBKEY(NULL, &at, (long)der.len);
    bool good = key && at == der.data + der.len && is_accepted_rsa(key);
    ERR_clear_error();
    ENSURE(good, WRAPPING_KEY);
    *out_key = STEAL(key);
    return OK;
}

ERRFN csr_make(EVP_PKEY *key, struct buf *out_der)
{
    AUTO(X509_REQ) request = X509_REQ_new();
    uint8_t *der = NULL;
    bool made = request && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 && X509_REQ_set_pubkey(request, key) == 1 &&
                X509_REQ_sign(request, key, EVP_sha384()) > 0;
    int len = made ? i2d_X509_REQ(request, &der) : -1;
    ERR_clear_error();
    ENSURE(len > 0, CRYPTO);
    err_t put = buf_put(out_der, view_of(der, (size_t)len));
    OPENSSL_free(der);
    return put;
}
