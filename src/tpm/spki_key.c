#include "tpm/spki.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <string.h>

AUTO_DEFINE(bignum, BIGNUM, BN_free);
AUTO_DEFINE(param_builder, OSSL_PARAM_BLD, OSSL_PARAM_BLD_free);
AUTO_DEFINE(params, OSSL_PARAM, OSSL_PARAM_free);
AUTO_DEFINE(pkey_ctx, EVP_PKEY_CTX, EVP_PKEY_CTX_free);

const char *spki_group_name(enum tpm_key curve)
{
    switch (curve) {
    case TPM_KEY_P256:
        return "P-256";
    case TPM_KEY_P384:
        return "P-384";
    case TPM_KEY_P521:
        return "P-521";
    case TPM_KEY_NONE:
    case TPM_KEY_RSA_2048:
    case TPM_KEY_RSA_3072:
    case TPM_KEY_RSA_4096:
        return NULL;
    }
    return NULL;
}

static enum tpm_key curve_of_nid(int nid)
{
    switch (nid) {
    case NID_X9_62_prime256v1:
        return TPM_KEY_P256;
    case NID_secp384r1:
        return TPM_KEY_P384;
    case NID_secp521r1:
        return TPM_KEY_P521;
    }
    return TPM_KEY_NONE;
}

static enum tpm_key rsa_of_bits(int bits)
{
    switch (bits) {
    case 2048:
        return TPM_KEY_RSA_2048;
    case 3072:
        return TPM_KEY_RSA_3072;
    case 4096:
        return TPM_KEY_RSA_4096;
    }
    return TPM_KEY_NONE;
}

static ERRFN key_from_params(const char *type, int selection, OSSL_PARAM_BLD *builder,
                             EVP_PKEY **out_key)
{
    AUTO(params) params = OSSL_PARAM_BLD_to_param(builder);
    AUTO(pkey_ctx) ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    ENSURE(params && ctx && EVP_PKEY_fromdata_init(ctx) == 1, CRYPTO);
    EVP_PKEY *key = NULL;
    ENSURE(EVP_PKEY_fromdata(ctx, &key, selection, params) == 1, EK_KEY_UNSUPPORTED);
    *out_key = key;
    return OK;
}

ERRFN spki_key_from_rsa(struct view modulus, struct view exponent, EVP_PKEY **out_key)
{
    ENSURE(modulus.len <= TPM_RSA_MAX_BYTES, EK_KEY_UNSUPPORTED);
    ENSURE(exponent.len <= SPKI_EXPONENT_MAX_BYTES, EK_KEY_UNSUPPORTED);
    AUTO(bignum) n = BN_bin2bn(modulus.data, (int)modulus.len, NULL);
    AUTO(bignum) e = BN_bin2bn(exponent.data, (int)exponent.len, NULL);
    AUTO(param_builder) builder = OSSL_PARAM_BLD_new();
    ENSURE(n && e && builder, CRYPTO);
    ENSURE(rsa_of_bits(BN_num_bits(n)) != TPM_KEY_NONE && BN_is_odd(n), EK_KEY_UNSUPPORTED);
    ENSURE(BN_is_odd(e) && !BN_is_one(e), EK_KEY_UNSUPPORTED);
    ENSURE(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1, CRYPTO);
    ENSURE(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1, CRYPTO);
    return key_from_params("RSA", EVP_PKEY_PUBLIC_KEY, builder, out_key);
}

static const enum tpm_key curves[] = {TPM_KEY_P256, TPM_KEY_P384, TPM_KEY_P521};
enum { CURVE_COUNT = sizeof curves / sizeof curves[0] };

/* Keys that have a curve and no point. OpenSSL takes three times as long to set a curve up as to
 * copy it and read a point, and every attestation reads two keys. Constant once made. */
static EVP_PKEY *blanks[CURVE_COUNT];
static CRYPTO_ONCE blanks_made = CRYPTO_ONCE_STATIC_INIT;

static EVP_PKEY *make_blank(enum tpm_key curve)
{
    AUTO(param_builder) builder = OSSL_PARAM_BLD_new();
    if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME,
                                                    spki_group_name(curve), 0) != 1) {
        return NULL;
    }
    EVP_PKEY *blank = NULL;
    return IS_OK(key_from_params("EC", EVP_PKEY_KEY_PARAMETERS, builder, &blank)) ? blank : NULL;
}

static void make_blanks(void)
{
    for (size_t i = 0; i < CURVE_COUNT; i++) {
        blanks[i] = make_blank(curves[i]);
    }
}

static ERRFN copy_blank(enum tpm_key curve, EVP_PKEY **out_key)
{
    ENSURE(CRYPTO_THREAD_run_once(&blanks_made, make_blanks) == 1, CRYPTO);
    for (size_t i = 0; i < CURVE_COUNT; i++) {
        if (curves[i] == curve) {
            ENSURE(blanks[i], CRYPTO);
            *out_key = EVP_PKEY_dup(blanks[i]);
            return *out_key ? OK : E(NO_MEMORY);
        }
    }
    return E(EK_KEY_UNSUPPORTED);
}

/* OpenSSL checks that the point is on the curve when it reads it; the cofactor of the NIST curves
 * is 1, so that is enough. */
ERRFN spki_key_from_point(enum tpm_key curve, struct view x, struct view y, EVP_PKEY **out_key)
{
    AUTO(pkey) key = NULL;
    size_t width = tpm_key_ecc_bytes(curve);
    TRY(copy_blank(curve, &key));
    ENSURE(x.len > 0 && x.len <= width && y.len > 0 && y.len <= width, EK_KEY_UNSUPPORTED);

    uint8_t point[1 + 2 * TPM_ECC_MAX_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(point + 1 + width - x.len, x.data, x.len);
    memcpy(point + 1 + 2 * width - y.len, y.data, y.len);
    ENSURE(EVP_PKEY_set1_encoded_public_key(key, point, 1 + 2 * width) == 1, EK_KEY_UNSUPPORTED);
    *out_key = STEAL(key);
    return OK;
}

ERRFN spki_key_type(const EVP_PKEY *key, enum tpm_key *out_type)
{
    enum tpm_key type = TPM_KEY_NONE;
    if (EVP_PKEY_is_a(key, "RSA")) {
        type = rsa_of_bits(EVP_PKEY_get_bits(key));
    } else if (EVP_PKEY_is_a(key, "EC")) {
        char group[32] = "";
        size_t len = 0;
        if (EVP_PKEY_get_group_name(key, group, sizeof group, &len) == 1) {
            type = curve_of_nid(OBJ_txt2nid(group));
        }
    }
    ENSURE(type != TPM_KEY_NONE, EK_KEY_UNSUPPORTED);
    *out_type = type;
    return OK;
}

ERRFN spki_key_number(const EVP_PKEY *key, const char *name, uint8_t *out_bytes, size_t width)
{
    BIGNUM *value = NULL;
    ENSURE(EVP_PKEY_get_bn_param(key, name, &value) == 1, CRYPTO);
    AUTO(bignum) owned = value;
    ENSURE(BN_bn2binpad(owned, out_bytes, (int)width) == (int)width, CRYPTO);
    return OK;
}
