#include "api/signature_base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#define ASSERT_OK(expr)   assert_int_equal((expr).code, 0)
#define ASSERT_E(expr, e) assert_int_equal((expr).code, ERR_CODE_##e)

#define COMPONENTS "itl=(\"@method\" \"@path\" \"@query\" \"content-digest\")"
#define KEYID      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define INPUT                                                                                    \
    COMPONENTS                                                                                   \
        ";created=1700000000;expires=1700000060;nonce=\"AAECAwQFBgcICQoLDA0ODw\";keyid=\"" KEYID \
        "\";alg=\"ecdsa-p384-sha384\""

static struct buf *buffer(void)
{
    struct buf *b;
    ASSERT_OK(buf_new(SIGNATURE_BASE_MAX_BYTES, &b));
    return b;
}

static void assert_text(const struct buf *b, const char *expected)
{
    assert_int_equal(b->len, strlen(expected));
    assert_memory_equal(b->data, expected, b->len);
}

static void signature_input_has_the_documented_shape(void **state)
{
    (void)state;
    uint8_t bytes[32];
    for (uint8_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = i;
    }
    AUTO(buf) header = buffer();
    ASSERT_OK(signature_input_put(1700000000, bytes, bytes, header));
    assert_text(header, INPUT);
}

static void signature_input_is_read_back(void **state)
{
    (void)state;
    struct signature_params params;
    ASSERT_OK(signature_input_parse(view_text(INPUT), &params));
    assert_int_equal(params.created, 1700000000);
    assert_int_equal(params.expires, 1700000060);
    assert_true(view_is(params.nonce, "AAECAwQFBgcICQoLDA0ODw"));
    assert_true(view_is(params.keyid, KEYID));
    assert_true(view_is(params.text, &INPUT[4]));
}

static void cut_signature_input_or_one_with_a_foreign_byte_is_refused(void **state)
{
    (void)state;
    struct signature_params params;
    for (size_t len = 1; len < strlen(INPUT); len++) {
        ASSERT_E(signature_input_parse(view_of(INPUT, len), &params), SIGNATURE_INVALID);
    }
    ASSERT_E(signature_input_parse(view_text(INPUT " "), &params), SIGNATURE_INVALID);
    char changed[] = INPUT;
    for (size_t i = 0; i < strlen(INPUT); i++) {
        changed[i] = 0x01;
        ASSERT_E(signature_input_parse(view_text(changed), &params), SIGNATURE_INVALID);
        changed[i] = INPUT[i];
    }
}

static void other_spellings_are_refused(void **state)
{
    (void)state;
    static const char *const inputs[] = {
        "sig1=(\"@method\" \"@path\" \"@query\" "
        "\"content-digest\");created=1700000000;expires=1700000060;nonce="
        "\"AAECAwQFBgcICQoLDA0ODw\";keyid=\"" KEYID "\";alg=\"ecdsa-p384-sha384\"",
        "itl=(\"@path\" \"@method\" \"@query\" "
        "\"content-digest\");created=1700000000;expires=1700000060;nonce="
        "\"AAECAwQFBgcICQoLDA0ODw\";keyid=\"" KEYID "\";alg=\"ecdsa-p384-sha384\"",
        "itl=(\"@method\" \"@path\" "
        "\"content-digest\");created=1700000000;expires=1700000060;nonce="
        "\"AAECAwQFBgcICQoLDA0ODw\";keyid=\"" KEYID "\";alg=\"ecdsa-p384-sha384\"",
        COMPONENTS
        ";expires=1700000060;created=1700000000;nonce=\"AAECAwQFBgcICQoLDA0ODw\";keyid=\"" KEYID
        "\";alg=\"ecdsa-p384-sha384\"",
        COMPONENTS
        ";created=01700000000;expires=1700000060;nonce=\"AAECAwQFBgcICQoLDA0ODw\";keyid=\"" KEYID
        "\";alg=\"ecdsa-p384-sha384\"",
        COMPONENTS ";created=-1;expires=1700000060;nonce=\"AAECAwQFBgcICQoLDA0ODw\";keyid=\"" KEYID
                   "\";alg=\"ecdsa-p384-sha384\"",
        COMPONENTS ";created=1700000000;expires=9999999999999999;nonce=\"AAECAwQFBgcICQoLDA0ODw\";"
                   "keyid=\"" KEYID "\";alg=\"ecdsa-p384-sha384\"",
        COMPONENTS
        ";created=1700000000;expires=1700000061;nonce=\"AAECAwQFBgcICQoLDA0ODw\";keyid=\"" KEYID
        "\";alg=\"ecdsa-p384-sha384\"",
        COMPONENTS
        ";created=1700000000;expires=1700000000;nonce=\"AAECAwQFBgcICQoLDA0ODw\";keyid=\"" KEYID
        "\";alg=\"ecdsa-p384-sha384\"",
        COMPONENTS
        ";created=1700000000;expires=1699999999;nonce=\"AAECAwQFBgcICQoLDA0ODw\";keyid=\"" KEYID
        "\";alg=\"ecdsa-p384-sha384\"",
        COMPONENTS
        ";created=1700000000;expires=1700000060;nonce=\"AAECAwQFBgcICQoLDA0ODx\";keyid=\"" KEYID
        "\";alg=\"ecdsa-p384-sha384\"",
        COMPONENTS
        ";created=1700000000;expires=1700000060;nonce=\"AAECAwQFBgcICQoLDA0ODw\";keyid=\"" KEYID
        "\";alg=\"hmac-sha256\"",
        COMPONENTS ";created=1700000000;expires=1700000060;nonce=\"AAECAwQFBgcICQoLDA0ODw\";keyid="
                   "\"000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\";alg="
                   "\"ecdsa-p384-sha384\"",
        INPUT ";tag=\"x\"",
        INPUT ", sig2=()",
        "itl=()"};
    struct signature_params params;
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        ASSERT_E(signature_input_parse(view_text(inputs[i]), &params), SIGNATURE_INVALID);
    }
    ASSERT_E(signature_input_parse(VIEW_EMPTY, &params), SIGNATURE_MISSING);
}

static err_t base_of(const char *method, const char *target, const char *digest,
                     struct buf *out_base)
{
    struct signature_params params;
    ASSERT_OK(signature_input_parse(view_text(INPUT), &params));
    struct signature_request request = {view_text(method), view_text(target), view_text(digest)};
    return signature_base_put(&request, &params, out_base);
}

/* RFC 9421 section 2.5: one line for each component, its value after a colon and a blank,
 * @signature-params last and without a line end. */
static void base_follows_the_specification(void **state)
{
    (void)state;
    AUTO(buf) base = buffer();
    ASSERT_OK(base_of("POST", "/api/v1/machines/1/approve", "sha-512=:AA==:", base));
    assert_text(base, "\"@method\": POST\n"
                      "\"@path\": /api/v1/machines/1/approve\n"
                      "\"@query\": ?\n"
                      "\"content-digest\": sha-512=:AA==:\n"
                      "\"@signature-params\": (\"@method\" \"@path\" \"@query\" "
                      "\"content-digest\");created=1700000000"
                      ";expires=1700000060;nonce=\"AAECAwQFBgcICQoLDA0ODw\";keyid=\"" KEYID
                      "\";alg=\"ecdsa-p384-sha384\"");
}

static void query_keeps_its_question_mark(void **state)
{
    (void)state;
    AUTO(buf) base = buffer();
    ASSERT_OK(base_of("GET", "/p?a=b&c=d?e", "x", base));
    assert_non_null(memmem(base->data, base->len, "\"@path\": /p\n\"@query\": ?a=b&c=d?e\n", 33));
    AUTO(buf) empty = buffer();
    ASSERT_OK(base_of("GET", "/p?", "x", empty));
    assert_non_null(memmem(empty->data, empty->len, "\"@path\": /p\n\"@query\": ?\n", 24));
}

static void bases_that_could_be_read_in_two_ways_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][3] = {{"POST", "/a\n\"@query\": ?", "x"},
                                           {"POST\n", "/a", "x"},
                                           {"POST", "/a", "x\ny"},
                                           {"POST", "/a b", "x"},
                                           {"POST", "a", "x"},
                                           {"", "/a", "x"},
                                           {"POST", "", "x"},
                                           {"POST", "/a", ""},
                                           {"POST", "/a#b", "x"},
                                           {"POST", "/\xc3\xa4", "x"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(buf) base = buffer();
        ASSERT_E(base_of(cases[i][0], cases[i][1], cases[i][2], base), SIGNATURE_INVALID);
        assert_int_equal(base->len, 0);
    }
}

static void content_digest_is_of_exactly_this_body(void **state)
{
    (void)state;
    /* RFC 9530 appendix B.1: {"hello": "world"} and a line end. */
    static const char body[] = "{\"hello\": \"world\"}\n";
    AUTO(buf) header = buffer();
    ASSERT_OK(content_digest_put(view_text(body), header));
    assert_text(header, "sha-512=:YMAam51Jz/jOATT6/"
                        "zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:");
    ASSERT_OK(content_digest_check(buf_view(header), view_text(body)));
    ASSERT_E(content_digest_check(buf_view(header), view_text("{}")), SIGNATURE_INVALID);
    ASSERT_E(content_digest_check(VIEW_EMPTY, view_text(body)), SIGNATURE_MISSING);
    ASSERT_E(content_digest_check(view_text("sha-256=:AA==:"), view_text(body)), SIGNATURE_INVALID);
}

/* -- keys -------------------------------------------------------------------------------------- */

static void signature_verifies_with_its_key_over_its_base_only(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-384");
    EVP_PKEY *other = EVP_EC_gen("P-384");
    for (int i = 0; i < 50; i++) { /* r and s come with leading zeros now and then */
        uint8_t signature[SIGNATURE_BYTES];
        ASSERT_OK(signature_make(key, view_text("base"), signature));
        ASSERT_OK(signature_check(key, view_text("base"), signature));
        ASSERT_E(signature_check(key, view_text("basf"), signature), SIGNATURE_INVALID);
        ASSERT_E(signature_check(other, view_text("base"), signature), SIGNATURE_INVALID);
        signature[i] ^= 1;
        ASSERT_E(signature_check(key, view_text("base"), signature), SIGNATURE_INVALID);
    }
    uint8_t zero[SIGNATURE_BYTES] = {0};
    ASSERT_E(signature_check(key, view_text("base"), zero), SIGNATURE_INVALID);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

static void other_kinds_of_keys_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {EVP_EC_gen("P-256"), EVP_RSA_gen(2048),
                        EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        uint8_t signature[SIGNATURE_BYTES] = {1};
        ASSERT_E(signature_make(keys[i], view_text("base"), signature), FIELD_INVALID);
        ASSERT_E(signature_check(keys[i], view_text("base"), signature), SIGNATURE_INVALID);
        EVP_PKEY_free(keys[i]);
    }
}

static void signature_header_survives_a_round_trip(void **state)
{
    (void)state;
    uint8_t signature[SIGNATURE_BYTES];
    memset(signature, 0xa5, sizeof signature);
    AUTO(buf) header = buffer();
    ASSERT_OK(signature_header_put(signature, header));
    uint8_t read[SIGNATURE_BYTES] = {0};
    ASSERT_OK(signature_header_parse(buf_view(header), read));
    assert_memory_equal(read, signature, sizeof read);
    ASSERT_E(signature_header_parse(VIEW_EMPTY, read), SIGNATURE_MISSING);
    for (size_t len = 1; len < header->len; len++) {
        ASSERT_E(signature_header_parse(view_of(header->data, len), read), SIGNATURE_INVALID);
    }
    ASSERT_E(signature_header_parse(view_text("itl=:AAAA:"), read), SIGNATURE_INVALID);
    ASSERT_OK(buf_put_u8(header, ' '));
    ASSERT_E(signature_header_parse(buf_view(header), read), SIGNATURE_INVALID);
}

static void keyid_is_the_hash_of_the_public_key(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-384");
    uint8_t first[SIGNATURE_KEYID_BYTES];
    uint8_t again[SIGNATURE_KEYID_BYTES];
    ASSERT_OK(signature_keyid(key, first));
    ASSERT_OK(signature_keyid(key, again));
    assert_memory_equal(first, again, sizeof first);
    EVP_PKEY *other = EVP_EC_gen("P-384");
    ASSERT_OK(signature_keyid(other, again));
    assert_memory_not_equal(first, again, sizeof first);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signature_input_has_the_documented_shape),
        cmocka_unit_test(signature_input_is_read_back),
        cmocka_unit_test(cut_signature_input_or_one_with_a_foreign_byte_is_refused),
        cmocka_unit_test(other_spellings_are_refused),
        cmocka_unit_test(base_follows_the_specification),
        cmocka_unit_test(query_keeps_its_question_mark),
        cmocka_unit_test(bases_that_could_be_read_in_two_ways_are_refused),
        cmocka_unit_test(content_digest_is_of_exactly_this_body),
        cmocka_unit_test(signature_verifies_with_its_key_over_its_base_only),
        cmocka_unit_test(other_kinds_of_keys_are_refused),
        cmocka_unit_test(signature_header_survives_a_round_trip),
        cmocka_unit_test(keyid_is_the_hash_of_the_public_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
