/* What the evidence commands read besides evidence itself: text, moments, PCR values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/evidence_file.h"
#include "cli/evidence_pcrs.h"
#include "cli/evidence_time.h"
#include "cli/tpm_vendor.h"

#define ASSERT_OK(expr)   assert_string_equal(err_reason(expr), "ok")
#define ASSERT_E(expr, e) assert_string_equal(err_reason(expr), err_reason(E(e)))

static const uint8_t bytes[] = {0x30, 0x82, 0x01, 0x00, 0xff, 0xfe, 0x3e, 0x00, 0x10, 0x83};

static void assert_decodes_to(struct view content, enum evidence_kind kind, struct view want)
{
    AUTO(buf) decoded = NULL;
    ASSERT_OK(evidence_decode(content, kind, &decoded));
    if (!view_equal(buf_view(decoded), want)) {
        fail_msg("%.*s is not decoded", (int)content.len, (const char *)content.data);
    }
}

static void text_stands_for_bytes_in_many_ways(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "30820100fffe3e001083",
        "30820100FFFE3E001083\r\n",
        "30:82:01:00:ff:fe:3e:00:10:83",
        "30-82-01-00-FF-FE-3E-00-10-83",
        "0x30, 0x82, 0x01, 0x00,\n0xff, 0xfe, 0x3E, 0x00, 0x10, 0x83",
        "0x30820100fffe3e001083",
        "\"30820100fffe3e001083\"\n",
        "'MIIBAP/+PgAQgw=='",
        " 3082 0100 fffe\n3e00 1083 ",
        "MIIBAP/+PgAQgw==",
        "MIIBAP/+\nPgAQgw==\n",
        "MIIBAP/+PgAQgw",
        "MIIBAP_-PgAQgw",
        "MIIBAP_-PgAQgw%3D%3D",
        "MIIBAP%2F%2BPgAQgw%3d%3d",
        "\xEF\xBB\xBFMIIBAP_-PgAQgw",
        "{\"certificate\": \"MIIBAP_-PgAQgw\"}",
        "{\"code\": 200, \"results\": {\"ekcert\": \"MIIBAP/+PgAQgw==\"}}",
        "{\"list\": [{\"ek_cert\": \"MIIBAP/+PgAQgw==\"}, {\"ek_cert\": \"AAAA\"}]}",
        "\n {\"pubhash\": \"x\", \"certificate\": \"MIIBAP/+PgAQgw==\"}",
        "MzA4MjAxMDBmZmZlM2UwMDEwODM=", /* base64 of the hexadecimal */
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_decodes_to(view_text(texts[i]), EVIDENCE_EK, view_of(bytes, sizeof bytes));
    }
}

static void bytes_and_pem_stay_as_they_are(void **state)
{
    (void)state;
    static const char *const same[] = {
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "hello, world",
        "MIIBAP/+PgAQg",
        "short",
        "MIIBAP/+PgAQgw=x",
        "MIIBAP/+PgAQgx",
        ""};
    assert_decodes_to(view_of(bytes, sizeof bytes), EVIDENCE_EK, view_of(bytes, sizeof bytes));
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_decodes_to(view_text(same[i]), EVIDENCE_EK, view_text(same[i]));
    }
    assert_decodes_to(view_text("{\"a\": \"30820100\"}"), EVIDENCE_ANY,
                      view_text("{\"a\": \"30820100\"}"));
}

static void text_of_windows_shells_is_read(void **state)
{
    (void)state;
    static const char text[] = "MIIBAP/+PgAQgw==\r\n";
    uint8_t little[2 + 2 * (sizeof text - 1)] = {0xFF, 0xFE};
    uint8_t big[sizeof little] = {0xFE, 0xFF};
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        little[2 + 2 * i] = (uint8_t)text[i];
        big[3 + 2 * i] = (uint8_t)text[i];
    }
    struct view want = view_of(bytes, sizeof bytes);
    assert_decodes_to(view_of(little, sizeof little), EVIDENCE_EK, want);
    assert_decodes_to(view_of(big, sizeof big), EVIDENCE_EK, want);
    /* Bytes that only begin so. */
    little[3] = 1;
    assert_decodes_to(view_of(little, sizeof little), EVIDENCE_EK, view_of(little, sizeof little));
    assert_decodes_to(view_of(big, sizeof big - 1), EVIDENCE_EK, view_of(big, sizeof big - 1));
    assert_decodes_to(view_of(big, 2), EVIDENCE_EK, view_of(big, 2));
    assert_decodes_to(view_of(big, 1), EVIDENCE_EK, view_of(big, 1));
}

static void each_kind_of_evidence_has_its_piece_of_one_text(void **state)
{
    (void)state;
    static const char quote[] = "rcXVvdGVxdW90ZQ==:c2lnbmF0dXJl:dmFsdWVzIQ==";
    static const char json[] =
        "{\"results\": {\"quote\": \"rcXVvdGVxdW90ZQ==:c2lnbmF0dXJl:dmFsdWVzIQ==\"}}";
    static const char other[] =
        "{\"Quotes\": [{\"Quote\": \"cXVvdGVxdW90ZQ==\", \"Signature\": \"c2lnbmF0dXJl\"}]}";
    const char *const texts[] = {quote, json, other};
    for (size_t i = 0; i < 3; i++) {
        assert_decodes_to(view_text(texts[i]), EVIDENCE_QUOTE, view_text("quotequote"));
        assert_decodes_to(view_text(texts[i]), EVIDENCE_SIGNATURE, view_text("signature"));
    }
    assert_decodes_to(view_text(quote), EVIDENCE_PCRS, view_text("values!"));
    assert_decodes_to(view_text(json), EVIDENCE_PCRS, view_text("values!"));
    assert_decodes_to(view_text("{\"sha256\": {}}"), EVIDENCE_PCRS, view_text("{\"sha256\": {}}"));
    assert_decodes_to(view_text("{\"Public\": \"cHVibGljIQ==\"}"), EVIDENCE_AK,
                      view_text("public!"));
    /* A piece that is not there, or is no base64, leaves what was given. */
    assert_decodes_to(view_text("rcXVvdGU=:c2ln"), EVIDENCE_PCRS, view_text("rcXVvdGU=:c2ln"));
    assert_decodes_to(view_text("r!:c2lnbmF0dXJl"), EVIDENCE_QUOTE, view_text("r!:c2lnbmF0dXJl"));
    assert_decodes_to(view_text(quote), EVIDENCE_EK, view_text(quote));
}

/* One in 256 signatures begins like JSON. */
static void bytes_that_begin_like_json_stay(void **state)
{
    (void)state;
    assert_decodes_to(view_text("{\x80\x01\xff"), EVIDENCE_SIGNATURE, view_text("{\x80\x01\xff"));
    assert_decodes_to(view_text("{ \x01"), EVIDENCE_AK, view_text("{ \x01"));
}

static void json_without_the_member_is_refused(void **state)
{
    (void)state;
    AUTO(buf) decoded = NULL;
    ASSERT_E(evidence_decode(view_text("{}"), EVIDENCE_EK, &decoded), FIELD_MISSING);
    ASSERT_E(evidence_decode(view_text("{\"certificate\": 1}"), EVIDENCE_EK, &decoded),
             FIELD_MISSING);
    ASSERT_E(evidence_decode(view_text("{\"certificate\""), EVIDENCE_EK, &decoded), JSON_INVALID);
    assert_null(decoded);
}

static void layers_are_bounded(void **state)
{
    (void)state;
    /* Hexadecimal of hexadecimal of …: what is under the last layer that counts stays text. */
    char text[1024] = "00112233";
    for (int i = 0; i < EVIDENCE_LAYERS_MAX; i++) {
        char outer[1024] = "";
        for (size_t c = 0; c < strlen(text); c++) {
            snprintf(outer + 2 * c, 3, "%02x", (unsigned char)text[c]);
        }
        memcpy(text, outer, sizeof text);
    }
    assert_decodes_to(view_text(text), EVIDENCE_ANY, view_text("00112233"));
}

static void moments_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = {{"1970-01-01", 0},
                {"2024-02-29", 1709164800000},
                {"2024-02-29T00:00:00Z", 1709164800000},
                {"2024-02-29t01:30:00.123456+01:30", 1709164800000},
                {"2024-02-28T22:30:00-01:30", 1709164800000},
                {"2016-12-31T23:59:60Z", 1483228800000},
                {"9999-12-31T23:59:59Z", 253402300799000}};
    static const char *const bad[] = {"",
                                      "2024",
                                      "2024-2-29",
                                      "2023-02-29",
                                      "2024-04-31",
                                      "2024-00-10",
                                      "2024-01-32",
                                      "1969-12-31",
                                      "2024-02-29T",
                                      "2024-02-29T00:00:00",
                                      "2024-02-29T25:00:00Z",
                                      "2024-02-29T00:00:00.Z",
                                      "2024-02-29T00:00:00+0100",
                                      "2024-02-29T00:00:00Z ",
                                      " 2024-02-29",
                                      "1970-01-01T00:00:00+00:01"};
    uint64_t ms;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ASSERT_OK(evidence_time_parse(good[i].text, &ms));
        assert_true(ms == good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (IS_OK(evidence_time_parse(bad[i], &ms))) {
            fail_msg("%s is taken", bad[i]);
        }
    }
}

static void pcr_values_are_read_from_json(void **state)
{
    (void)state;
    char text[256];
    char digest[65] = "";
    memset(digest, 'a', 64);
    struct pcr_selection none = {0};
    struct pcr_values values;
    snprintf(text, sizeof text, "{\"sha256\": {\"0\": \"%s\", \"23\": \"0x%s\"}, \"sha1\": {}}",
             digest, digest);
    ASSERT_OK(evidence_pcrs_read(view_text(text), &none, &values));
    assert_int_equal(values.count, 2);
    assert_int_equal(values.value[1].index, 23);
    assert_int_equal(values.value[1].digest[31], 0xaa);
    static const char *const before[] = {"\"sha256\": {\"24\": \"", "\"sha256\": {\"01\": \"",
                                         "\"sha256\": {\"1\": \"a", "\"sha3\": {\"1\": \"",
                                         "\"sha256\": {\"\": \"",   "\"sha1\": {\"1\": \""};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        snprintf(text, sizeof text, "{%s%s\"}}", before[i], digest);
        ASSERT_E(evidence_pcrs_read(view_text(text), &none, &values), PCR_VALUES_INVALID);
    }
    ASSERT_E(evidence_pcrs_read(view_text("{\"sha256\": []}"), &none, &values), PCR_VALUES_INVALID);
}

static void plain_digests_are_read_in_the_order_of_the_quote(void **state)
{
    (void)state;
    struct pcr_selection selection = {2, {{TPM_ALG_SHA384, 2}, {TPM_ALG_SHA256, 5}}};
    uint8_t digests[48 + 2 * 32];
    struct pcr_values values;
    memset(digests, 1, 48);
    memset(digests + 48, 2, 32);
    memset(digests + 80, 3, 32);
    ASSERT_OK(evidence_pcrs_read(view_of(digests, sizeof digests), &selection, &values));
    assert_int_equal(values.count, 3);
    assert_int_equal(pcr_values_find(&values, TPM_ALG_SHA384, 1)->digest[0], 1);
    assert_int_equal(pcr_values_find(&values, TPM_ALG_SHA256, 2)->digest[0], 3);
    ASSERT_E(evidence_pcrs_read(view_of(digests, sizeof digests - 1), &selection, &values),
             PCR_VALUES_INVALID);
    ASSERT_E(evidence_pcrs_read(view_of(digests, 48 + 32), &selection, &values),
             PCR_VALUES_INVALID);
}

static void vendors_have_names(void **state)
{
    (void)state;
    assert_string_equal(tpm_vendor_name("id:4E544300"), "Nuvoton");
    assert_string_equal(tpm_vendor_name("id:4e544300"), "Nuvoton");
    assert_null(tpm_vendor_name("4E544300"));
    assert_null(tpm_vendor_name("id:4E5443"));
    assert_null(tpm_vendor_name(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stands_for_bytes_in_many_ways),
        cmocka_unit_test(bytes_and_pem_stay_as_they_are),
        cmocka_unit_test(text_of_windows_shells_is_read),
        cmocka_unit_test(each_kind_of_evidence_has_its_piece_of_one_text),
        cmocka_unit_test(bytes_that_begin_like_json_stay),
        cmocka_unit_test(json_without_the_member_is_refused),
        cmocka_unit_test(layers_are_bounded),
        cmocka_unit_test(moments_are_read),
        cmocka_unit_test(pcr_values_are_read_from_json),
        cmocka_unit_test(plain_digests_are_read_in_the_order_of_the_quote),
        cmocka_unit_test(vendors_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
