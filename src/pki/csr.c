#include "pki/csr.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
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

static ERRFN take_key(X509_REQ *request, EVP_PKEY **out_key)
{
    AUTO(EVP_PKEY) key = X509_REQ_get_pubkey(request);
    ENSURE(key && (is_accepted_rsa(key) || is_accepted_curve(key)), CSR_KEY);
    ENSURE(is_accepted_signature(request), CSR_SIGNATURE);
    ENSURE(X509_REQ_verify(request, key) == 1, CSR_SIGNATURE);
    *out_key = STEAL(key);
    return OK;
}

ERRFN csr_parse(struct view der, EVP_PKEY **out_key)
{
    ENSURE(der.len > 0 && der.len <= CSR_MAX_BYTES, CSR_UNREADABLE);
    const uint8_t *at = der.data;
    AUTO(X509_REQ) request = d2i_X509_REQ(NULL, &at, (long)der.len);
    err_t taken = request && at == der.data + der.len ? take_key(request, out_key) : E(CSR_UNREADABLE);
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
