#include "area.h"

#include "cmocka_all.h"

#include "tpm/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <string.h>

struct area_spec area_ak(EVP_PKEY *key, uint16_t scheme, uint16_t hash)
{
    return (struct area_spec){.key = key,
                              .name_alg = TPM_ALG_SHA256,
                              .attributes = AREA_AK_ATTRIBUTES,
                              .symmetric = TPM_ALG_NULL,
                              .scheme = scheme,
                              .scheme_hash = hash};
}

struct area_spec area_ek(EVP_PKEY *key, uint16_t name_alg, uint16_t bits)
{
    return (struct area_spec){.key = key,
                              .name_alg = name_alg,
                              .attributes = AREA_EK_ATTRIBUTES,
                              .symmetric = TPM_ALG_AES,
                              .symmetric_bits = bits,
                              .symmetric_mode = TPM_ALG_CFB,
                              .scheme = TPM_ALG_NULL};
}

static void put_number(struct buf *b, EVP_PKEY *key, const char *name, size_t width, bool odd)
{
    BIGNUM *number = NULL;
    uint8_t bytes[512];
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    assert_int_equal(BN_bn2binpad(number, bytes, (int)width), (int)width);
    BN_free(number);
    bytes[width - 1] ^= odd;
    assert_ok(buf_put_u16(b, (uint16_t)width));
    assert_ok(buf_put(b, view_of(bytes, width)));
}

static void put_common(struct buf *b, const struct area_spec *spec)
{
    assert_ok(buf_put_u16(b, EVP_PKEY_is_a(spec->key, "RSA") ? TPM_ALG_RSA : TPM_ALG_ECC));
    assert_ok(buf_put_u16(b, spec->name_alg));
    assert_ok(buf_put_u32(b, spec->attributes));
    assert_ok(buf_put_u16(b, 0));
    assert_ok(buf_put_u16(b, spec->symmetric));
    if (spec->symmetric != TPM_ALG_NULL) {
        assert_ok(buf_put_u16(b, spec->symmetric_bits));
        assert_ok(buf_put_u16(b, spec->symmetric_mode));
    }
    assert_ok(buf_put_u16(b, spec->scheme));
    if (spec->scheme != TPM_ALG_NULL) {
        assert_ok(buf_put_u16(b, spec->scheme_hash));
    }
}

static uint16_t curve_of(int bits)
{
    return bits == 256 ? 3 : bits == 384 ? 4 : bits == 521 ? 5 : bits == 224 ? 2 : 0;
}

struct buf *area_tpmt(const struct area_spec *spec)
{
    struct buf *b = NULL;
    assert_ok(buf_new(4096, &b));
    put_common(b, spec);
    int bits = EVP_PKEY_get_bits(spec->key);
    size_t width = (size_t)(bits + 7) / 8;
    if (EVP_PKEY_is_a(spec->key, "RSA")) {
        assert_ok(buf_put_u16(b, (uint16_t)bits));
        assert_ok(buf_put_u32(b, spec->exponent));
        put_number(b, spec->key, OSSL_PKEY_PARAM_RSA_N, width, false);
    } else {
        assert_ok(buf_put_u16(b, curve_of(bits)));
        assert_ok(buf_put_u16(b, TPM_ALG_NULL));
        put_number(b, spec->key, OSSL_PKEY_PARAM_EC_PUB_X, width, false);
        put_number(b, spec->key, OSSL_PKEY_PARAM_EC_PUB_Y, width, spec->odd_point);
    }
    return b;
}

struct buf *area_tpm2b(const struct area_spec *spec)
{
    AUTO(buf) tpmt = area_tpmt(spec);
    struct buf *b = NULL;
    assert_ok(buf_new(4096, &b));
    assert_ok(buf_put_u16(b, (uint16_t)tpmt->len));
    assert_ok(buf_put(b, buf_view(tpmt)));
    return b;
}
