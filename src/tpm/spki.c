#include "tpm/spki.h"

#include "tpm/der.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/x509.h>
#include <string.h>

/* Contents of the OBJECT IDENTIFIERs. */
static const uint8_t rsa_encryption[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
static const uint8_t rsaes_oaep[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07};
static const uint8_t ec_public_key[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const uint8_t p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t p384[] = {0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t p521[] = {0x2b, 0x81, 0x04, 0x00, 0x23};

static const struct {
    enum tpm_key key;
    int nid;
    struct view oid;
} curves[] = {
    {TPM_KEY_P256, NID_X9_62_prime256v1, {p256, sizeof p256}},
    {TPM_KEY_P384, NID_secp384r1, {p384, sizeof p384}},
    {TPM_KEY_P521, NID_secp521r1, {p521, sizeof p521}},
};
enum { CURVE_COUNT = sizeof curves / sizeof curves[0] };

enum { POINT_MAX_BYTES = 1 + 2 * TPM_ECC_MAX_BYTES };

AUTO_DEFINE(ec_group, EC_GROUP, EC_GROUP_free);
AUTO_DEFINE(ec_point, EC_POINT, EC_POINT_free);

/* RSAPublicKey, RFC 8017 appendix A.1.1. Through its numbers, so that one key has one form whatever
 * its algorithm identifier said. */
static ERRFN read_rsa(struct view bits, EVP_PKEY **out_key)
{
    struct view content;
    struct view modulus;
    struct view exponent;
    ENSURE(der_take_content(&bits, DER_SEQUENCE, &content) && bits.len == 0, EK_UNREADABLE);
    ENSURE(der_take_positive(&content, &modulus), EK_UNREADABLE);
    ENSURE(der_take_positive(&content, &exponent) && content.len == 0, EK_UNREADABLE);
    return spki_key_from_rsa(modulus, exponent, out_key);
}

ERRFN spki_parse_pkcs1(struct view der, EVP_PKEY **out_key)
{
    ENSURE(der.len <= SPKI_MAX_BYTES, EK_UNREADABLE);
    return read_rsa(der, out_key);
}

static ERRFN expand_point(int curve_nid, struct view compressed, uint8_t *out_point, size_t size)
{
    AUTO(ec_group) group = EC_GROUP_new_by_curve_name(curve_nid);
    ENSURE(group, CRYPTO);
    AUTO(ec_point) point = EC_POINT_new(group);
    ENSURE(point, CRYPTO);
    ENSURE(EC_POINT_oct2point(group, point, compressed.data, compressed.len, NULL) == 1,
           EK_KEY_UNSUPPORTED);
    ENSURE(EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out_point, size, NULL) ==
               size,
           CRYPTO);
    return OK;
}

/* A compressed point is expanded, so that it gets the same encoding as an uncompressed one. */
static ERRFN read_point(size_t curve, struct view point, EVP_PKEY **out_key)
{
    size_t width = tpm_key_ecc_bytes(curves[curve].key);
    uint8_t expanded[POINT_MAX_BYTES];
    bool compressed = point.len == 1 + width && (point.data[0] & ~1) == POINT_CONVERSION_COMPRESSED;
    if (compressed) {
        TRY(expand_point(curves[curve].nid, point, expanded, 1 + 2 * width));
        point = view_of(expanded, 1 + 2 * width);
    }
    ENSURE(point.len == 1 + 2 * width && point.data[0] == POINT_CONVERSION_UNCOMPRESSED,
           EK_KEY_UNSUPPORTED);
    return spki_key_from_point(curves[curve].key, view_of(point.data + 1, width),
                               view_of(point.data + 1 + width, width), out_key);
}

/* RFC 5480 section 2.1.1 wants a curve's name. Where its parameters stand instead, OpenSSL says
 * whether they are those of a curve that has one; the key gets its one form all the same. */
static ERRFN read_spelled_out(struct view der, EVP_PKEY **out_key)
{
    uint8_t x[TPM_ECC_MAX_BYTES];
    uint8_t y[TPM_ECC_MAX_BYTES];
    enum tpm_key type;
    const uint8_t *at = der.data;
    AUTO(pkey) key = d2i_PUBKEY(NULL, &at, (long)der.len);
    ENSURE(key, EK_KEY_UNSUPPORTED);
    TRY(spki_key_type(key, &type));
    size_t width = tpm_key_ecc_bytes(type);
    ENSURE(width > 0, EK_KEY_UNSUPPORTED);
    TRY(spki_key_number(key, OSSL_PKEY_PARAM_EC_PUB_X, x, width));
    TRY(spki_key_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, y, width));
    return spki_key_from_point(type, view_of(x, width), view_of(y, width), out_key);
}

static ERRFN read_ec(struct view parameters, struct view point, EVP_PKEY **out_key)
{
    struct view curve;
    ENSURE(der_take_content(&parameters, DER_OID, &curve) && parameters.len == 0,
           EK_KEY_UNSUPPORTED);
    for (size_t i = 0; i < CURVE_COUNT; i++) {
        if (view_equal(curve, curves[i].oid)) {
            return read_point(i, point, out_key);
        }
    }
    return E(EK_KEY_UNSUPPORTED);
}

ERRFN spki_parse(struct view der, EVP_PKEY **out_key, bool *out_oaep)
{
    const struct view whole = der;
    struct view info;
    struct view algorithm; /* what is left of it after the identifier are the parameters */
    struct view oid;
    struct view bits;
    ENSURE(der.len <= SPKI_MAX_BYTES, EK_UNREADABLE);
    ENSURE(der_take_content(&der, DER_SEQUENCE, &info) && der.len == 0, EK_UNREADABLE);
    ENSURE(der_take_content(&info, DER_SEQUENCE, &algorithm), EK_UNREADABLE);
    ENSURE(der_take_content(&algorithm, DER_OID, &oid), EK_UNREADABLE);
    ENSURE(der_take_content(&info, DER_BIT_STRING, &bits) && info.len == 0, EK_UNREADABLE);
    uint8_t unused_bits;
    TRY(view_get_u8(&bits, &unused_bits, E(EK_UNREADABLE)));
    ENSURE(unused_bits == 0, EK_UNREADABLE);

    bool oaep = view_equal(oid, view_of(rsaes_oaep, sizeof rsaes_oaep));
    if (oaep || view_equal(oid, view_of(rsa_encryption, sizeof rsa_encryption))) {
        TRY(read_rsa(bits, out_key));
    } else {
        ENSURE(view_equal(oid, view_of(ec_public_key, sizeof ec_public_key)), EK_KEY_UNSUPPORTED);
        TRY(der_tag(algorithm) == DER_SEQUENCE ? read_spelled_out(whole, out_key)
                                               : read_ec(algorithm, bits, out_key));
    }
    *out_oaep = oaep;
    return OK;
}

ERRFN spki_from_x509(const X509 *certificate, EVP_PKEY **out_key, bool *out_oaep)
{
    uint8_t *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    ENSURE(len > 0, EK_UNREADABLE);
    err_t parsed = spki_parse(view_of(der, (size_t)len), out_key, out_oaep);
    OPENSSL_free(der);
    return parsed;
}

static ERRFN put_info(struct buf *out, struct view algorithm, struct view key)
{
    AUTO(buf) info = NULL;
    AUTO(buf) bits = NULL;
    TRY(buf_new(SPKI_MAX_BYTES, &info));
    TRY(buf_new(SPKI_MAX_BYTES, &bits));
    TRY(buf_put_u8(bits, 0));
    TRY(buf_put(bits, key));
    TRY(der_put(info, DER_SEQUENCE, algorithm));
    TRY(der_put(info, DER_BIT_STRING, buf_view(bits)));
    return der_put(out, DER_SEQUENCE, buf_view(info));
}

static ERRFN encode_rsa(const EVP_PKEY *key, struct buf *out)
{
    uint8_t modulus[TPM_RSA_MAX_BYTES];
    uint8_t exponent[SPKI_EXPONENT_MAX_BYTES];
    size_t width = (size_t)EVP_PKEY_get_size(key);
    ENSURE(width <= sizeof modulus, EK_KEY_UNSUPPORTED);
    TRY(spki_key_number(key, OSSL_PKEY_PARAM_RSA_N, modulus, width));
    TRY(spki_key_number(key, OSSL_PKEY_PARAM_RSA_E, exponent, sizeof exponent));
    AUTO(buf) algorithm = NULL;
    AUTO(buf) numbers = NULL;
    AUTO(buf) rsa = NULL;
    TRY(buf_new(SPKI_MAX_BYTES, &algorithm));
    TRY(buf_new(SPKI_MAX_BYTES, &numbers));
    TRY(buf_new(SPKI_MAX_BYTES, &rsa));
    TRY(der_put(algorithm, DER_OID, view_of(rsa_encryption, sizeof rsa_encryption)));
    TRY(der_put(algorithm, DER_NULL, VIEW_EMPTY));
    TRY(der_put_positive(numbers, view_of(modulus, width)));
    TRY(der_put_positive(numbers, view_of(exponent, sizeof exponent)));
    TRY(der_put(rsa, DER_SEQUENCE, buf_view(numbers)));
    return put_info(out, buf_view(algorithm), buf_view(rsa));
}

static ERRFN encode_ec(const EVP_PKEY *key, size_t curve, struct buf *out)
{
    size_t width = tpm_key_ecc_bytes(curves[curve].key);
    uint8_t point[POINT_MAX_BYTES];
    size_t len = 0;
    ENSURE(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point,
                                           sizeof point, &len) == 1,
           CRYPTO);
    ENSURE(len == 1 + 2 * width && point[0] == POINT_CONVERSION_UNCOMPRESSED, CRYPTO);
    AUTO(buf) algorithm = NULL;
    TRY(buf_new(SPKI_MAX_BYTES, &algorithm));
    TRY(der_put(algorithm, DER_OID, view_of(ec_public_key, sizeof ec_public_key)));
    TRY(der_put(algorithm, DER_OID, curves[curve].oid));
    return put_info(out, buf_view(algorithm), view_of(point, len));
}

static ERRFN encode(const EVP_PKEY *key, enum tpm_key type, struct buf *out)
{
    for (size_t i = 0; i < CURVE_COUNT; i++) {
        if (curves[i].key == type) {
            return encode_ec(key, i, out);
        }
    }
    return encode_rsa(key, out);
}

ERRFN spki_encode(const EVP_PKEY *key, struct buf **out_der)
{
    enum tpm_key type;
    TRY(spki_key_type(key, &type));
    AUTO(buf) der = NULL;
    TRY(buf_new(SPKI_MAX_BYTES, &der));
    TRY(encode(key, type, der));
    *out_der = STEAL(der);
    return OK;
}
