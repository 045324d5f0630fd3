/* Certificate requests as nodes send them, good and hostile. */
#include "pki/software_ca.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "pki/csr.h"
#include "pki/x509_parts.h"

/* A request for `key`, signed by `signer`. */
static struct buf *make_request(EVP_PKEY *key, EVP_PKEY *signer, const EVP_MD *hash)
{
    AUTO(X509_REQ) request = X509_REQ_new();
    struct buf *der = NULL;
    assert_true(x509_name_add(X509_REQ_get_subject_name(request), "CN", "controlplane"));
    assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
    assert_true(X509_REQ_sign(request, signer, hash) > 0);
    uint8_t *bytes = NULL;
    int len = i2d_X509_REQ(request, &bytes);
    assert_true(len > 0);
    assert_ok(buf_new((size_t)len + 1, &der));
    assert_ok(buf_put(der, view_of(bytes, (size_t)len)));
    OPENSSL_free(bytes);
    return der;
}

static err_t parse(struct view der)
{
    AUTO(buf) spki = NULL;
    err_t parsed = csr_parse(der, &spki);
    assert_int_equal(spki != NULL, IS_OK(parsed));
    return parsed;
}

static err_t parse_request_of(EVP_PKEY *take_key, const EVP_MD *hash)
{
    AUTO(buf) der = make_request(take_key, take_key, hash);
    EVP_PKEY_free(take_key);
    return parse(buf_view(der));
}

static EVP_PKEY *rsa_with_exponent(unsigned long exponent)
{
    EVP_PKEY *key = NULL;
    BIGNUM *e = BN_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BN_set_word(e, exponent);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    BN_free(e);
    return key;
}

static EVP_PKEY *explicit_curve(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_EXPLICIT), 1);
    return key;
}

static EVP_PKEY *compressed_point(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"), 1);
    return key;
}

static void keys_that_the_contract_names_are_accepted(void **state)
{
    (void)state;
    assert_ok(parse_request_of(EVP_EC_gen("P-256"), EVP_sha256()));
    assert_ok(parse_request_of(EVP_EC_gen("P-384"), EVP_sha384()));
    assert_ok(parse_request_of(EVP_RSA_gen(2048), EVP_sha256()));
    assert_ok(parse_request_of(EVP_RSA_gen(3072), EVP_sha512()));
}

static void weak_and_unusual_keys_are_refused(void **state)
{
    (void)state;
    assert_err(parse_request_of(EVP_RSA_gen(1024), EVP_sha256()), CSR_KEY);
    assert_err(parse_request_of(EVP_RSA_gen(2040), EVP_sha256()), CSR_KEY);
    assert_err(parse_request_of(rsa_with_exponent(3), EVP_sha256()), CSR_KEY);
    assert_err(parse_request_of(EVP_EC_gen("P-224"), EVP_sha256()), CSR_KEY);
    assert_err(parse_request_of(EVP_EC_gen("secp256k1"), EVP_sha256()), CSR_KEY);
    assert_err(parse_request_of(explicit_curve(), EVP_sha256()), CSR_KEY);
    assert_err(parse_request_of(compressed_point(), EVP_sha256()), CSR_KEY);
    assert_err(parse_request_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL), CSR_KEY);
}

static void request_signed_by_another_key_or_with_a_broken_hash_is_refused(void **state)
{
    (void)state;
    AUTO(EVP_PKEY) victim = EVP_EC_gen("P-384");
    AUTO(EVP_PKEY) thief = EVP_EC_gen("P-384");
    AUTO(buf) stolen = make_request(victim, thief, EVP_sha384());
    assert_err(parse(buf_view(stolen)), CSR_SIGNATURE);
    AUTO(buf) weak = make_request(victim, victim, EVP_sha1());
    assert_err(parse(buf_view(weak)), CSR_SIGNATURE);
}

static void altered_cut_extended_or_huge_request_is_refused(void **state)
{
    (void)state;
    static uint8_t huge[CSR_MAX_BYTES + 1];
    AUTO(EVP_PKEY) key = EVP_EC_gen("P-256");
    AUTO(buf) der = make_request(key, key, EVP_sha256());
    for (size_t i = 0; i < der->len; i++) {
        der->data[i] ^= 4;
        assert_false(IS_OK(parse(buf_view(der))));
        der->data[i] ^= 4;
        assert_err(parse(view_of(der->data, i)), CSR_UNREADABLE);
    }
    assert_ok(parse(buf_view(der)));
    assert_ok(buf_put_u8(der, 0));
    assert_err(parse(buf_view(der)), CSR_UNREADABLE);
    assert_err(parse(view_of(huge, sizeof huge)), CSR_UNREADABLE);
    assert_err(parse(VIEW_EMPTY), CSR_UNREADABLE);
}

static void wrapping_key_is_rsa_of_a_sound_size(void **state)
{
    (void)state;
    const struct {
        EVP_PKEY *key;
        bool good;
    } keys[] = {{EVP_RSA_gen(2048), true}, {EVP_RSA_gen(1024), false}, {EVP_EC_gen("P-384"), false}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        uint8_t *der = NULL;
        int len = i2d_PUBKEY(keys[i].key, &der);
        EVP_PKEY *parsed = NULL;
        assert_true(len > 0);
        assert_string_equal(err_reason(csr_wrapping_key_parse(view_of(der, (size_t)len), &parsed)),
                            keys[i].good ? "ok" : "wrapping_key_invalid");
        assert_err(csr_wrapping_key_parse(view_of(der, (size_t)len - 1), &parsed), WRAPPING_KEY);
        EVP_PKEY_free(parsed);
        EVP_PKEY_free(keys[i].key);
        OPENSSL_free(der);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_the_contract_names_are_accepted),
        cmocka_unit_test(weak_and_unusual_keys_are_refused),
        cmocka_unit_test(request_signed_by_another_key_or_with_a_broken_hash_is_refused),
        cmocka_unit_test(altered_cut_extended_or_huge_request_is_refused),
        cmocka_unit_test(wrapping_key_is_rsa_of_a_sound_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
