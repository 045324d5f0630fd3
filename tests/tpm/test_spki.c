#include "cmocka_all.h"
#include "issue.h"
#include "real.h"

#include "tpm/der.h"
#include "tpm/spki.h"

#include <string.h>

static err_t parse(struct view der)
{
    EVP_PKEY *key = NULL;
    bool oaep;
    err_t parsed = spki_parse(der, &key, &oaep);
    EVP_PKEY_free(key);
    return parsed;
}

static void encoding_is_the_one_openssl_makes(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {issue_rsa(2048),   issue_rsa(3072),   issue_rsa(4096),
                        issue_ec("P-256"), issue_ec("P-384"), issue_ec("P-521")};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        AUTO(buf) want = issue_spki(keys[i]);
        AUTO(buf) direct = NULL;
        assert_ok(spki_encode(keys[i], &direct));
        assert_true(view_equal(buf_view(direct), buf_view(want)));
        EVP_PKEY *read = NULL;
        bool oaep = true;
        assert_ok(spki_parse(buf_view(want), &read, &oaep));
        assert_false(oaep);
        assert_int_equal(EVP_PKEY_eq(read, keys[i]), 1);
        AUTO(buf) again = NULL;
        assert_ok(spki_encode(read, &again));
        assert_true(view_equal(buf_view(again), buf_view(want)));
        EVP_PKEY_free(read);
        EVP_PKEY_free(keys[i]);
    }
}

/* One coordinate in 256 begins with a zero byte. */
static void short_coordinates_are_padded(void **state)
{
    (void)state;
    for (size_t i = 0; i < 300; i++) {
        EVP_PKEY *key = issue_ec("P-256");
        AUTO(buf) want = issue_spki(key);
        AUTO(buf) direct = NULL;
        assert_ok(spki_encode(key, &direct));
        assert_true(view_equal(buf_view(direct), buf_view(want)));
        /* As a TPM may send them: without leading zeros. */
        struct view x = view_of(want->data + want->len - 64, 32);
        struct view y = view_of(want->data + want->len - 32, 32);
        while (x.data[0] == 0) {
            x = view_of(x.data + 1, x.len - 1);
        }
        EVP_PKEY *made = NULL;
        assert_ok(spki_key_from_point(TPM_KEY_P256, x, y, &made));
        assert_int_equal(EVP_PKEY_eq(made, key), 1);
        EVP_PKEY_free(made);
        EVP_PKEY_free(key);
    }
}

/* SEQUENCE { SEQUENCE { oid, parameters }, BIT STRING { unused, bits } }, each part at will. */
static struct buf *info(const char *oid, const char *parameters, uint8_t unused, struct view bits)
{
    AUTO(buf) oid_bytes = hex_bytes(oid);
    AUTO(buf) parameter_bytes = hex_bytes(parameters);
    AUTO(buf) algorithm = NULL;
    AUTO(buf) string = NULL;
    AUTO(buf) body = NULL;
    struct buf *whole = NULL;
    assert_ok(buf_new(2048, &algorithm));
    assert_ok(buf_new(2048, &string));
    assert_ok(buf_new(2048, &body));
    assert_ok(buf_new(2048, &whole));
    assert_ok(der_put(algorithm, DER_OID, buf_view(oid_bytes)));
    assert_ok(buf_put(algorithm, buf_view(parameter_bytes)));
    assert_ok(buf_put_u8(string, unused));
    assert_ok(buf_put(string, bits));
    assert_ok(der_put(body, DER_SEQUENCE, buf_view(algorithm)));
    assert_ok(der_put(body, DER_BIT_STRING, buf_view(string)));
    assert_ok(der_put(whole, DER_SEQUENCE, buf_view(body)));
    return whole;
}

static const char rsa_oid[] = "2a864886f70d010101";
static const char oaep_oid[] = "2a864886f70d010107";
static const char pss_oid[] = "2a864886f70d01010a";
static const char ec_oid[] = "2a8648ce3d0201";
static const char p256_parameter[] = "06082a8648ce3d030107";
static const char p384_parameter[] = "06052b81040022";

/* RSAPublicKey of two numbers; a modulus of ones is as odd and as long as it needs to be. */
static struct buf *rsa_key(size_t modulus_len, const char *exponent, const char *after)
{
    uint8_t ones[600];
    memset(ones, 0xff, sizeof ones);
    AUTO(buf) exponent_bytes = hex_bytes(exponent);
    AUTO(buf) after_bytes = hex_bytes(after);
    AUTO(buf) numbers = NULL;
    struct buf *key = NULL;
    assert_ok(buf_new(2048, &numbers));
    assert_ok(buf_new(2048, &key));
    assert_ok(der_put_positive(numbers, view_of(ones, modulus_len)));
    assert_ok(buf_put(numbers, buf_view(exponent_bytes)));
    assert_ok(buf_put(numbers, buf_view(after_bytes)));
    assert_ok(der_put(key, DER_SEQUENCE, buf_view(numbers)));
    return key;
}

static err_t parse_info(const char *oid, const char *parameters, uint8_t unused, struct view bits)
{
    AUTO(buf) whole = info(oid, parameters, unused, bits);
    return parse(buf_view(whole));
}

static err_t parse_rsa(size_t modulus_len, const char *exponent, const char *after)
{
    AUTO(buf) key = rsa_key(modulus_len, exponent, after);
    return parse_info(rsa_oid, "0500", 0, buf_view(key));
}

static void rsa_numbers_must_be_acceptable(void **state)
{
    (void)state;
    assert_ok(parse_rsa(256, "0203010001", ""));
    assert_ok(parse_rsa(384, "020103", ""));
    assert_ok(parse_rsa(512, "020500ffffffff", ""));
    assert_err(parse_rsa(128, "0203010001", ""), EK_KEY_UNSUPPORTED);
    assert_err(parse_rsa(255, "0203010001", ""), EK_KEY_UNSUPPORTED);
    assert_err(parse_rsa(257, "0203010001", ""), EK_KEY_UNSUPPORTED);
    assert_err(parse_rsa(513, "0203010001", ""), EK_KEY_UNSUPPORTED);
    assert_err(parse_rsa(256, "020101", ""), EK_KEY_UNSUPPORTED);
    assert_err(parse_rsa(256, "020102", ""), EK_KEY_UNSUPPORTED);
    assert_err(parse_rsa(256, "0203010000", ""), EK_KEY_UNSUPPORTED);
    assert_err(parse_rsa(256, "02050100000001", ""), EK_KEY_UNSUPPORTED);
    assert_err(parse_rsa(256, "020100", ""), EK_UNREADABLE);
    assert_err(parse_rsa(256, "0201ff", ""), EK_UNREADABLE); /* negative */
    assert_err(parse_rsa(256, "0200", ""), EK_UNREADABLE);
    assert_err(parse_rsa(256, "0403010001", ""), EK_UNREADABLE);
    assert_err(parse_rsa(256, "", ""), EK_UNREADABLE);
    assert_err(parse_rsa(256, "0203010001", "020101"), EK_UNREADABLE);
    assert_err(parse_rsa(256, "0203010001", "00"), EK_UNREADABLE);
}

static void anything_after_or_around_a_key_is_refused(void **state)
{
    (void)state;
    AUTO(buf) key = rsa_key(256, "0203010001", "");
    assert_ok(parse_info(rsa_oid, "0500", 0, buf_view(key)));
    assert_ok(parse_info(oaep_oid, "3000", 0, buf_view(key)));
    assert_err(parse_info(pss_oid, "3000", 0, buf_view(key)), EK_KEY_UNSUPPORTED);
    assert_err(parse_info("2a03", "0500", 0, buf_view(key)), EK_KEY_UNSUPPORTED);
    assert_err(parse_info(rsa_oid, "0500", 1, buf_view(key)), EK_UNREADABLE);
    assert_err(parse_info(rsa_oid, "0500", 0, VIEW_EMPTY), EK_UNREADABLE);
    assert_ok(buf_put_u8(key, 0));
    assert_err(parse_info(rsa_oid, "0500", 0, buf_view(key)), EK_UNREADABLE);

    AUTO(buf) whole = info(rsa_oid, "0500", 0, buf_view(key));
    assert_ok(buf_put_u8(whole, 0));
    assert_err(parse(buf_view(whole)), EK_UNREADABLE);
    assert_err(parse(VIEW_EMPTY), EK_UNREADABLE);
    static uint8_t large[SPKI_MAX_BYTES + 1];
    assert_err(parse(view_of(large, sizeof large)), EK_UNREADABLE);
}

static void curves_must_be_named_and_points_on_them(void **state)
{
    (void)state;
    EVP_PKEY *key = issue_ec("P-256");
    AUTO(buf) spki = issue_spki(key);
    struct view point = view_of(spki->data + spki->len - 65, 65);
    assert_ok(parse_info(ec_oid, p256_parameter, 0, point));
    assert_err(parse_info(ec_oid, p384_parameter, 0, point), EK_KEY_UNSUPPORTED);
    assert_err(parse_info(ec_oid, "", 0, point), EK_KEY_UNSUPPORTED);
    assert_err(parse_info(ec_oid, "0500", 0, point), EK_KEY_UNSUPPORTED);
    assert_err(parse_info(ec_oid, "3000", 0, point), EK_KEY_UNSUPPORTED);
    assert_err(parse_info(ec_oid, "06082a8648ce3d0301070500", 0, point), EK_KEY_UNSUPPORTED);
    assert_err(parse_info(ec_oid, p256_parameter, 0, view_of(point.data, 64)), EK_KEY_UNSUPPORTED);
    assert_err(parse_info(ec_oid, p256_parameter, 0, VIEW_EMPTY), EK_KEY_UNSUPPORTED);
    assert_err(parse_info(ec_oid, p256_parameter, 0, view_of("", 1)),
               EK_KEY_UNSUPPORTED); /* infinity */

    uint8_t changed[65];
    memcpy(changed, point.data, sizeof changed);
    changed[0] = 0x06 | (changed[64] & 1); /* hybrid form */
    assert_err(parse_info(ec_oid, p256_parameter, 0, view_of(changed, 65)), EK_KEY_UNSUPPORTED);
    changed[0] = 0x02 | (changed[64] & 1);
    assert_ok(parse_info(ec_oid, p256_parameter, 0, view_of(changed, 33)));
    changed[0] = 0x04;
    memset(changed + 1, 0xff, 32); /* past the field */
    assert_err(parse_info(ec_oid, p256_parameter, 0, view_of(changed, 65)), EK_KEY_UNSUPPORTED);
    changed[0] = 0x02;
    assert_err(parse_info(ec_oid, p256_parameter, 0, view_of(changed, 33)), EK_KEY_UNSUPPORTED);
    EVP_PKEY_free(key);
}

static bool takes(const char *hex, uint8_t tag, const char *want_content, const char *want_rest)
{
    AUTO(buf) bytes = hex_bytes(hex);
    AUTO(buf) content_bytes = hex_bytes(want_content);
    AUTO(buf) rest_bytes = hex_bytes(want_rest);
    struct view v = buf_view(bytes);
    struct view value;
    struct view content;
    if (!der_take(&v, tag, &value, &content)) {
        assert_true(view_equal(v, buf_view(bytes)));
        return false;
    }
    assert_true(view_equal(content, buf_view(content_bytes)));
    assert_true(view_equal(v, buf_view(rest_bytes)));
    assert_int_equal(value.len + v.len, bytes->len);
    return true;
}

static void der_lengths_are_bounded_by_what_is_there(void **state)
{
    (void)state;
    assert_true(takes("0400", 4, "", ""));
    assert_true(takes("0402aabbcc", 4, "aabb", "cc"));
    assert_true(takes("048102aabb", 4, "aabb", ""));
    assert_true(takes("04820002aabb", 4, "aabb", ""));
    assert_true(takes("0483000002aabb", 4, "aabb", ""));
    assert_false(takes("0484000000"
                       "02aabb",
                       4, "", "")); /* four bytes of length */
    assert_false(takes("0402aabb", 5, "", ""));
    assert_false(takes("0403aabb", 4, "", ""));
    assert_false(takes("0480aabb0000", 4, "", "")); /* indefinite */
    assert_false(takes("0483ffffff", 4, "", ""));
    assert_false(takes("0481", 4, "", ""));
    assert_false(takes("04", 4, "", ""));
    assert_false(takes("", 4, "", ""));
}

static void lengths_are_written_in_the_shortest_form(void **state)
{
    (void)state;
    const struct {
        size_t len;
        const char *header;
    } cases[] = {{0, "0400"}, {127, "047f"}, {128, "048180"}, {255, "0481ff"}, {256, "04820100"}};
    static const uint8_t zeros[256] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(buf) out = NULL;
        AUTO(buf) header = hex_bytes(cases[i].header);
        assert_ok(buf_new(512, &out));
        assert_ok(der_put(out, DER_OCTET_STRING, view_of(zeros, cases[i].len)));
        assert_int_equal(out->len, header->len + cases[i].len);
        assert_memory_equal(out->data, header->data, header->len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoding_is_the_one_openssl_makes),
        cmocka_unit_test(short_coordinates_are_padded),
        cmocka_unit_test(rsa_numbers_must_be_acceptable),
        cmocka_unit_test(anything_after_or_around_a_key_is_refused),
        cmocka_unit_test(curves_must_be_named_and_points_on_them),
        cmocka_unit_test(der_lengths_are_bounded_by_what_is_there),
        cmocka_unit_test(lengths_are_written_in_the_shortest_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
