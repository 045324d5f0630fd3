#include "cmocka_all.h"

#include "tpm/pcr.h"

#include <openssl/sha.h>
#include <string.h>

static err_t parse(const char *bytes, size_t len, struct pcr_selection *out)
{
    struct view v = view_of(bytes, len);
    err_t parsed = pcr_selection_parse(&v, out);
    if (IS_OK(parsed)) {
        assert_int_equal(v.len, 0);
    }
    return parsed;
}

#define PARSE(literal, out) parse(literal, sizeof literal - 1, out)

static void bank_names_and_sizes_belong_together(void **state)
{
    (void)state;
    const struct {
        const char *name;
        uint16_t bank;
        size_t size;
    } all[] = {{"sha1", TPM_ALG_SHA1, 20},     {"sha256", TPM_ALG_SHA256, 32},
               {"sha384", TPM_ALG_SHA384, 48}, {"sha512", TPM_ALG_SHA512, 64},
               {"sm3_256", 0x12, 32},          {"sha3_256", 0x27, 32},
               {"sha3_384", 0x28, 48},         {"sha3_512", 0x29, 64}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(pcr_bank_from_name(view_text(all[i].name)), all[i].bank);
        assert_string_equal(pcr_bank_name(all[i].bank), all[i].name);
        assert_int_equal(pcr_bank_digest_size(all[i].bank), all[i].size);
    }
    assert_int_equal(pcr_bank_from_name(view_text("SHA256")), TPM_ALG_NONE);
    assert_int_equal(pcr_bank_from_name(view_text("sha2")), TPM_ALG_NONE);
    assert_int_equal(pcr_bank_from_name(VIEW_EMPTY), TPM_ALG_NONE);
    assert_null(pcr_bank_name(0x30));
    assert_int_equal(pcr_bank_digest_size(0x30), 0);
}

static void selection_keeps_the_order_of_the_tpm(void **state)
{
    (void)state;
    struct pcr_selection s;
    assert_ok(PARSE("\0\0\0\2\0\x0c\3\x01\0\x80\0\x0b\3\xff\x01\0", &s));
    assert_int_equal(s.count, 2);
    assert_int_equal(s.banks[0].bank, TPM_ALG_SHA384);
    assert_int_equal(s.banks[0].mask, 0x800001);
    assert_int_equal(s.banks[1].bank, TPM_ALG_SHA256);
    assert_int_equal(s.banks[1].mask, 0x1ff);
}

static void malformed_selections_are_refused(void **state)
{
    (void)state;
    struct pcr_selection s;
    assert_err(PARSE("", &s), QUOTE_UNREADABLE);
    assert_err(PARSE("\0\0\0\1", &s), QUOTE_UNREADABLE);
    assert_err(PARSE("\0\0\0\1\0\x0b", &s), QUOTE_UNREADABLE);
    assert_err(PARSE("\0\0\0\1\0\x0b\3\1\1", &s), QUOTE_UNREADABLE);
    assert_err(PARSE("\xff\xff\xff\xff\0\x0b\3\1\1\1", &s), QUOTE_UNREADABLE);
    assert_err(PARSE("\0\0\0\1\0\x30\3\1\1\1", &s), QUOTE_UNREADABLE);               /* no bank */
    assert_err(PARSE("\0\0\0\2\0\x0b\3\1\0\0\0\x0b\3\2\0\0", &s), QUOTE_UNREADABLE); /* twice */
    assert_err(PARSE("\0\0\0\1\0\x0b\4\1\0\0\1", &s), QUOTE_UNREADABLE);             /* PCR 24 */
    assert_err(PARSE("\0\0\0\1\0\x0b\5\1\0\0\0\0", &s), QUOTE_UNREADABLE);
    assert_err(PARSE("\0\0\0\5\0\4\1\1\0\x0b\1\1\0\x0c\1\1\0\x0d\1\1\0\4\1\1", &s),
               QUOTE_UNREADABLE);
    assert_ok(PARSE("\0\0\0\1\0\x30\3\0\0\0", &s));
    assert_int_equal(s.count, 0);
    assert_ok(PARSE("\0\0\0\1\0\x12\3\1\1\1", &s)); /* SM3 */
    assert_int_equal(s.banks[0].bank, 0x12);
    assert_ok(PARSE("\0\0\0\1\0\x0b\4\1\0\0\0", &s));
    assert_ok(PARSE("\0\0\0\4\0\4\1\1\0\x0b\1\1\0\x0c\1\1\0\x0d\1\1", &s));
    assert_ok(PARSE("\0\0\0\0", &s));
    assert_true(pcr_selection_empty(&s));
    assert_ok(PARSE("\0\0\0\1\0\x0b\0", &s));
    assert_true(pcr_selection_empty(&s));
}

static void selections_are_equal_whatever_their_order(void **state)
{
    (void)state;
    struct pcr_selection a = {2, {{TPM_ALG_SHA256, 5}, {TPM_ALG_SHA384, 6}}};
    struct pcr_selection b = {3, {{TPM_ALG_SHA384, 6}, {TPM_ALG_SHA1, 0}, {TPM_ALG_SHA256, 5}}};
    assert_true(pcr_selection_equal(&a, &b));
    assert_true(pcr_selection_equal(&b, &a));
    b.banks[1].mask = 1;
    assert_false(pcr_selection_equal(&a, &b));
    assert_false(pcr_selection_equal(&b, &a));
    b.banks[1].mask = 0;
    b.banks[0].mask = 7;
    assert_false(pcr_selection_equal(&a, &b));
    struct pcr_selection swapped = {2, {{TPM_ALG_SHA256, 6}, {TPM_ALG_SHA384, 5}}};
    assert_false(pcr_selection_equal(&a, &swapped));
    assert_false(pcr_selection_empty(&a));
}

static void values_of_the_wrong_shape_are_refused(void **state)
{
    (void)state;
    struct pcr_values values = {0};
    uint8_t digest[65] = {0};
    assert_err(pcr_values_add(&values, TPM_ALG_SHA256, 0, view_of(digest, 31)), PCR_VALUES_INVALID);
    assert_err(pcr_values_add(&values, TPM_ALG_SHA256, 0, view_of(digest, 33)), PCR_VALUES_INVALID);
    assert_err(pcr_values_add(&values, TPM_ALG_SHA512, 0, view_of(digest, 65)), PCR_VALUES_INVALID);
    assert_err(pcr_values_add(&values, TPM_ALG_SHA256, 24, view_of(digest, 32)),
               PCR_VALUES_INVALID);
    assert_err(pcr_values_add(&values, 0x30, 0, view_of(digest, 32)), PCR_VALUES_INVALID);
    assert_err(pcr_values_add(&values, 0, 0, VIEW_EMPTY), PCR_VALUES_INVALID);
    assert_ok(pcr_values_add(&values, TPM_ALG_SHA256, 23, view_of(digest, 32)));
    assert_err(pcr_values_add(&values, TPM_ALG_SHA256, 23, view_of(digest, 32)),
               PCR_VALUES_INVALID);
    assert_int_equal(values.count, 1);
}

/* All 24 PCRs of two banks, given in another order than quoted: PCR 10 must come after PCR 9, not
 * after PCR 1. */
static void digest_follows_banks_as_quoted_and_pcrs_ascending(void **state)
{
    (void)state;
    struct pcr_values values = {0};
    struct pcr_selection order = {2, {{TPM_ALG_SHA384, 0xffffff}, {TPM_ALG_SHA256, 0xffffff}}};
    uint8_t all[24 * (48 + 32)];
    for (uint32_t i = 24; i-- > 0;) {
        uint8_t digest[48];
        memset(digest, (int)(i + 1), sizeof digest);
        memcpy(all + i * 48, digest, 48);
        assert_ok(pcr_values_add(&values, TPM_ALG_SHA384, i, view_of(digest, 48)));
        memset(digest, (int)(i + 101), sizeof digest);
        memcpy(all + 24 * 48 + i * 32, digest, 32);
        assert_ok(pcr_values_add(&values, TPM_ALG_SHA256, i, view_of(digest, 32)));
    }
    uint8_t want[64];
    uint8_t got[64];
    size_t len;
    assert_ok(pcr_values_digest(&values, &order, TPM_ALG_SHA384, got, &len));
    SHA384(all, sizeof all, want);
    assert_int_equal(len, 48);
    assert_memory_equal(got, want, 48);
    assert_ok(pcr_values_digest(&values, &order, TPM_ALG_SHA256, got, &len));
    SHA256(all, sizeof all, want);
    assert_int_equal(len, 32);
    assert_memory_equal(got, want, 32);
    assert_err(pcr_values_digest(&values, &order, TPM_ALG_SHA1, got, &len), QUOTE_HASH);
}

static void missing_and_surplus_values_are_refused(void **state)
{
    (void)state;
    struct pcr_values values = {0};
    struct pcr_selection order = {1, {{TPM_ALG_SHA256, 0x3}}};
    uint8_t digest[64] = {0};
    size_t len;
    assert_err(pcr_values_digest(&values, &order, TPM_ALG_SHA256, digest, &len),
               PCR_VALUES_INVALID);
    assert_ok(pcr_values_add(&values, TPM_ALG_SHA256, 0, view_of(digest, 32)));
    assert_err(pcr_values_digest(&values, &order, TPM_ALG_SHA256, digest, &len),
               PCR_VALUES_INVALID);
    assert_ok(pcr_values_add(&values, TPM_ALG_SHA384, 1, view_of(digest, 48)));
    assert_err(pcr_values_digest(&values, &order, TPM_ALG_SHA256, digest, &len),
               PCR_VALUES_INVALID);
    assert_ok(pcr_values_add(&values, TPM_ALG_SHA256, 1, view_of(digest, 32)));
    assert_err(pcr_values_digest(&values, &order, TPM_ALG_SHA256, digest, &len),
               PCR_VALUES_INVALID);
    values.value[1] = values.value[2];
    values.count = 2;
    assert_ok(pcr_values_digest(&values, &order, TPM_ALG_SHA256, digest, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bank_names_and_sizes_belong_together),
        cmocka_unit_test(selection_keeps_the_order_of_the_tpm),
        cmocka_unit_test(malformed_selections_are_refused),
        cmocka_unit_test(selections_are_equal_whatever_their_order),
        cmocka_unit_test(values_of_the_wrong_shape_are_refused),
        cmocka_unit_test(digest_follows_banks_as_quoted_and_pcrs_ascending),
        cmocka_unit_test(missing_and_surplus_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
