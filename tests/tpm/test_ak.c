#include "area.h"
#include "cmocka_all.h"
#include "issue.h"
#include "real.h"

#include "tpm/ak.h"
#include "tpm/public.h"

#include <openssl/sha.h>
#include <string.h>

static err_t parse(const struct area_spec *spec)
{
    AUTO(buf) area = area_tpm2b(spec);
    AUTO(ak) ak = NULL;
    return ak_parse(buf_view(area), &ak);
}

static void real_ak_has_its_real_name(void **state)
{
    (void)state;
    AUTO(buf) area = real_file("keylime/quotes/ak.pub");
    AUTO(buf) name = real_file("keylime/quotes/ak.name");
    AUTO(ak) ak = NULL;
    assert_ok(ak_parse(buf_view(area), &ak));
    assert_true(view_equal(ak_name(ak), buf_view(name)));
    assert_int_equal(ak->key_type, AK_KEY_RSA_2048);
    assert_string_equal(ak_key_name(ak->key_type), "RSA-2048");
    assert_int_equal(ak->scheme, TPM_ALG_RSASSA);
    assert_int_equal(ak->hash_alg, TPM_ALG_SHA256);
    assert_true(view_equal(buf_view(ak->public_area), buf_view(area)));
}

static void ek_is_no_ak(void **state)
{
    (void)state;
    AUTO(buf) area = real_file("keylime/quotes/ek.pub");
    AUTO(ak) ak = NULL;
    assert_err(ak_parse(buf_view(area), &ak), AK_ATTRIBUTES);
    assert_null(ak);
}

static void every_accepted_key_scheme_and_hash_is_read(void **state)
{
    (void)state;
    struct {
        EVP_PKEY *key;
        uint16_t scheme;
        enum ak_key type;
        const char *name;
    } cases[] = {
        {issue_rsa(2048), TPM_ALG_RSASSA, AK_KEY_RSA_2048, "RSA-2048"},
        {issue_rsa(3072), TPM_ALG_RSAPSS, AK_KEY_RSA_3072, "RSA-3072"},
        {issue_rsa(4096), TPM_ALG_RSAPSS, AK_KEY_RSA_4096, "RSA-4096"},
        {issue_ec("P-256"), TPM_ALG_ECDSA, AK_KEY_P256, "P-256"},
        {issue_ec("P-384"), TPM_ALG_ECDSA, AK_KEY_P384, "P-384"},
        {issue_ec("P-521"), TPM_ALG_ECDSA, AK_KEY_P521, "P-521"},
    };
    const uint16_t hashes[] = {TPM_ALG_SHA256, TPM_ALG_SHA384, TPM_ALG_SHA512};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t h = 0; h < 3; h++) {
            struct area_spec spec = area_ak(cases[i].key, cases[i].scheme, hashes[h]);
            spec.name_alg = hashes[2 - h];
            AUTO(buf) area = area_tpm2b(&spec);
            AUTO(ak) ak = NULL;
            assert_ok(ak_parse(buf_view(area), &ak));
            assert_int_equal(ak->key_type, cases[i].type);
            assert_string_equal(ak_key_name(ak->key_type), cases[i].name);
            assert_int_equal(ak->scheme, cases[i].scheme);
            assert_int_equal(ak->hash_alg, hashes[h]);
            assert_int_equal(EVP_PKEY_eq(ak->key, cases[i].key), 1);
            assert_int_equal(ak->name_len, 2 + tpm_hash_size(hashes[2 - h]));
        }
        EVP_PKEY_free(cases[i].key);
    }
}

static void name_is_the_hash_of_the_area_without_its_size(void **state)
{
    (void)state;
    EVP_PKEY *key = issue_ec("P-384");
    struct area_spec spec = area_ak(key, TPM_ALG_ECDSA, TPM_ALG_SHA384);
    spec.name_alg = TPM_ALG_SHA384;
    AUTO(buf) area = area_tpm2b(&spec);
    AUTO(ak) ak = NULL;
    assert_ok(ak_parse(buf_view(area), &ak));
    uint8_t want[2 + 48] = {0x00, 0x0c};
    SHA384(area->data + 2, area->len - 2, want + 2);
    assert_int_equal(ak->name_len, sizeof want);
    assert_memory_equal(ak->name, want, sizeof want);
    EVP_PKEY_free(key);
}

/* Each single bit of the attributes, set where it is clear and cleared where it is set. */
static void attribute_matrix(void **state)
{
    (void)state;
    EVP_PKEY *key = issue_ec("P-256");
    const uint32_t harmless = TPM_OBJECT_ST_CLEAR | TPM_OBJECT_USER_WITH_AUTH |
                              TPM_OBJECT_ADMIN_WITH_POLICY | TPM_OBJECT_FIRMWARE_LIMITED |
                              TPM_OBJECT_SVN_LIMITED | TPM_OBJECT_NO_DA | TPM_OBJECT_X509_SIGN;
    for (unsigned bit = 0; bit < 32; bit++) {
        struct area_spec spec = area_ak(key, TPM_ALG_ECDSA, TPM_ALG_SHA256);
        spec.attributes ^= 1U << bit;
        err_t got = parse(&spec);
        if (harmless >> bit & 1) {
            assert_ok(got);
        } else {
            assert_err(got, AK_ATTRIBUTES);
        }
    }
    EVP_PKEY_free(key);
}

static void weak_or_foreign_algorithms_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *ec = issue_ec("P-256");
    EVP_PKEY *rsa = issue_rsa(2048);
    struct area_spec spec = area_ak(ec, TPM_ALG_ECDSA, TPM_ALG_SHA1);
    assert_err(parse(&spec), AK_ALGORITHM);
    spec.scheme_hash = 0x0012; /* SM3 */
    assert_err(parse(&spec), AK_ALGORITHM);
    spec.scheme_hash = TPM_ALG_SHA256;
    spec.name_alg = TPM_ALG_SHA1;
    assert_err(parse(&spec), AK_ALGORITHM);
    spec.name_alg = TPM_ALG_NULL;
    assert_err(parse(&spec), AK_ALGORITHM);
    spec = area_ak(ec, TPM_ALG_NULL, 0);
    assert_err(parse(&spec), AK_ALGORITHM);
    spec = area_ak(ec, TPM_ALG_RSASSA, TPM_ALG_SHA256);
    assert_err(parse(&spec), AK_ALGORITHM);
    spec = area_ak(rsa, TPM_ALG_ECDSA, TPM_ALG_SHA256);
    assert_err(parse(&spec), AK_ALGORITHM);
    spec = area_ak(ec, 0x001B /* SM2 */, TPM_ALG_SHA256);
    assert_err(parse(&spec), AK_ALGORITHM);
    spec = area_ak(ec, TPM_ALG_ECDSA, TPM_ALG_SHA256);
    spec.symmetric = TPM_ALG_AES;
    spec.symmetric_bits = 128;
    spec.symmetric_mode = TPM_ALG_CFB;
    assert_err(parse(&spec), AK_ALGORITHM);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(rsa);
}

static void weak_keys_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *small = issue_rsa(1024);
    struct area_spec spec = area_ak(small, TPM_ALG_RSASSA, TPM_ALG_SHA256);
    assert_err(parse(&spec), AK_ALGORITHM);
    EVP_PKEY_free(small);
    EVP_PKEY *rsa = issue_rsa(2048);
    spec = area_ak(rsa, TPM_ALG_RSASSA, TPM_ALG_SHA256);
    spec.exponent = 65537;
    assert_ok(parse(&spec));
    const uint32_t exponents[] = {1, 2, 3, 65536, 65539};
    for (size_t i = 0; i < sizeof exponents / sizeof exponents[0]; i++) {
        spec.exponent = exponents[i];
        assert_err(parse(&spec), AK_ALGORITHM);
    }
    /* keyBits that are not the modulus's */
    spec.exponent = 0;
    AUTO(buf) area = area_tpm2b(&spec);
    const size_t bits_at = 2 + 2 + 2 + 4 + 2 + 2 + 4;
    assert_int_equal(area->data[bits_at] << 8 | area->data[bits_at + 1], 2048);
    area->data[bits_at] = 0x0c;
    AUTO(ak) ak = NULL;
    assert_err(ak_parse(buf_view(area), &ak), AK_ALGORITHM);
    EVP_PKEY_free(rsa);
    EVP_PKEY *old = issue_ec("P-224");
    spec = area_ak(old, TPM_ALG_ECDSA, TPM_ALG_SHA256);
    assert_err(parse(&spec), AK_ALGORITHM);
    EVP_PKEY_free(old);
}

static void point_off_the_curve_is_refused(void **state)
{
    (void)state;
    const char *groups[] = {"P-256", "P-384", "P-521"};
    for (size_t i = 0; i < 3; i++) {
        EVP_PKEY *key = issue_ec(groups[i]);
        struct area_spec spec = area_ak(key, TPM_ALG_ECDSA, TPM_ALG_SHA256);
        assert_ok(parse(&spec));
        spec.odd_point = true;
        assert_err(parse(&spec), AK_ALGORITHM);
        EVP_PKEY_free(key);
    }
}

static void truncated_and_extended_areas_are_refused(void **state)
{
    (void)state;
    AUTO(buf) area = real_file("keylime/quotes/ak.pub");
    for (size_t len = 0; len < area->len; len++) {
        AUTO(ak) ak = NULL;
        AUTO(buf) cut = NULL;
        assert_ok(buf_copy(view_of(area->data, len), &cut));
        assert_err(ak_parse(buf_view(cut), &ak), AK_UNREADABLE);
        if (len >= 2) {
            /* Also with a size that fits. */
            cut->data[0] = (uint8_t)((len - 2) >> 8);
            cut->data[1] = (uint8_t)(len - 2);
            assert_err(ak_parse(buf_view(cut), &ak), AK_UNREADABLE);
        }
    }
    AUTO(buf) longer = NULL;
    assert_ok(buf_new(2048, &longer));
    assert_ok(buf_put(longer, buf_view(area)));
    assert_ok(buf_put_u8(longer, 0));
    AUTO(ak) ak = NULL;
    assert_err(ak_parse(buf_view(longer), &ak), AK_UNREADABLE);
    longer->data[1]++;
    assert_err(ak_parse(buf_view(longer), &ak), AK_UNREADABLE);
    assert_err(ak_parse(VIEW_EMPTY, &ak), AK_UNREADABLE);
    static uint8_t large[AK_PUBLIC_MAX_BYTES + 1];
    large[0] = (uint8_t)((sizeof large - 2) >> 8);
    large[1] = (uint8_t)(sizeof large - 2);
    assert_err(ak_parse(view_of(large, sizeof large), &ak), AK_UNREADABLE);
}

/* Whatever a flipped bit does, it is another key, another name, or refused. */
static void flipped_bits_never_give_the_same_name(void **state)
{
    (void)state;
    AUTO(buf) area = real_file("keylime/quotes/ak.pub");
    AUTO(ak) original = NULL;
    assert_ok(ak_parse(buf_view(area), &original));
    for (size_t bit = 0; bit < area->len * 8; bit++) {
        AUTO(ak) ak = NULL;
        area->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (IS_OK(ak_parse(buf_view(area), &ak))) {
            assert_false(view_equal(ak_name(ak), ak_name(original)));
        }
        area->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void tpmt_public_without_its_size_is_refused(void **state)
{
    (void)state;
    EVP_PKEY *key = issue_ec("P-256");
    struct area_spec spec = area_ak(key, TPM_ALG_ECDSA, TPM_ALG_SHA256);
    AUTO(buf) bare = area_tpmt(&spec);
    AUTO(ak) ak = NULL;
    assert_err(ak_parse(buf_view(bare), &ak), AK_UNREADABLE);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_ak_has_its_real_name),
        cmocka_unit_test(ek_is_no_ak),
        cmocka_unit_test(every_accepted_key_scheme_and_hash_is_read),
        cmocka_unit_test(name_is_the_hash_of_the_area_without_its_size),
        cmocka_unit_test(attribute_matrix),
        cmocka_unit_test(weak_or_foreign_algorithms_are_refused),
        cmocka_unit_test(weak_keys_are_refused),
        cmocka_unit_test(point_off_the_curve_is_refused),
        cmocka_unit_test(truncated_and_extended_areas_are_refused),
        cmocka_unit_test(flipped_bits_never_give_the_same_name),
        cmocka_unit_test(tpmt_public_without_its_size_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
