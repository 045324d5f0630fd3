/* NV areas with more than one certificate, and what is said of bytes that are none. */
#include "cmocka_all.h"
#include "issue.h"
#include "real.h"

#include "tpm/ek.h"
#include "tpm/ek_diagnosis.h"

#include <openssl/pem.h>
#include <string.h>

struct pair {
    struct buf *rsa;
    struct buf *ecc;
};

static int make_pair(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    p->rsa = real_file("ek-certificates/ifx_slb9670_0728_ca007.der");
    p->ecc = real_file("ek-certificates/intel_glk_ecc_p256.der");
    *state = p;
    return 0;
}

static int end_pair(void **state)
{
    struct pair *p = *state;
    buf_free(p->rsa);
    buf_free(p->ecc);
    free(p);
    return 0;
}

static void put_all(struct buf *area, const struct view *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_ok(buf_put(area, parts[i]));
    }
}

static void every_certificate_of_an_area_is_usable(void **state)
{
    struct pair *p = *state;
    static const uint8_t padding[] = {0xff, 0xff, 0x00};
    AUTO(buf) area = NULL;
    assert_ok(buf_new(EK_MAX_BYTES, &area));
    put_all(area,
            (struct view[]){buf_view(p->rsa), view_of(padding, 3), buf_view(p->ecc),
                            view_of(padding, 2)},
            4);
    struct view rest = buf_view(area);
    const enum ek_key types[] = {EK_KEY_RSA_2048, EK_KEY_P256};
    const struct buf *want[] = {p->rsa, p->ecc};
    uint32_t quirks = 0;
    struct view der;
    for (size_t i = 0; i < 2; i++) {
        assert_ok(ek_area_next(&rest, &der, &quirks));
        assert_true(view_equal(der, buf_view(want[i])));
        AUTO(ek) ek = NULL;
        assert_ok(ek_parse(der, EK_SOURCE_CERT, &ek));
        assert_int_equal(ek->key_type, types[i]);
    }
    assert_err(ek_area_next(&rest, &der, &quirks), NOT_FOUND);
    assert_int_equal(quirks, EK_QUIRK_PADDED);
    AUTO(ek) first = NULL;
    assert_ok(ek_parse(buf_view(area), EK_SOURCE_CERT, &first));
    assert_int_equal(first->key_type, EK_KEY_RSA_2048);
    assert_int_equal(first->quirks, EK_QUIRK_SECOND_CERT | EK_QUIRK_PADDED);
}

static void each_certificate_may_be_wrapped(void **state)
{
    struct pair *p = *state;
    uint8_t octets[4] = {0x04, 0x82, (uint8_t)(p->rsa->len >> 8), (uint8_t)p->rsa->len};
    uint8_t header[5] = {0x10, 0x01, 0x00, (uint8_t)(p->ecc->len >> 8), (uint8_t)p->ecc->len};
    AUTO(buf) area = NULL;
    assert_ok(buf_new(EK_MAX_BYTES, &area));
    put_all(
        area,
        (struct view[]){view_of(octets, 4), buf_view(p->rsa), view_of(header, 5), buf_view(p->ecc)},
        4);
    struct view rest = buf_view(area);
    struct view der;
    uint32_t quirks = 0;
    assert_ok(ek_area_next(&rest, &der, &quirks));
    assert_true(view_equal(der, buf_view(p->rsa)));
    assert_ok(ek_area_next(&rest, &der, &quirks));
    assert_true(view_equal(der, buf_view(p->ecc)));
    assert_int_equal(quirks, EK_QUIRK_OCTET_STRING | EK_QUIRK_TCG_HEADER);
}

static void specification_is_a_fact(void **state)
{
    struct pair *p = *state;
    AUTO(ek) ek = NULL;
    assert_ok(ek_parse(buf_view(p->rsa), EK_SOURCE_CERT, &ek));
    assert_string_equal(ek->family, "2.0");
    assert_int_equal(ek->level, 0);
    assert_true(ek->revision > 0);
    AUTO(buf) old = real_file("ek-certificates/hirs_nuc_ek_tpm12.der");
    AUTO(ek) tpm12 = NULL;
    assert_ok(ek_parse(buf_view(old), EK_SOURCE_CERT, &tpm12));
    assert_string_equal(tpm12->family, "1.2");
    assert_int_equal(tpm12->level, 2);
    assert_int_equal(tpm12->revision, 0x74);
}

static void assert_diagnosis(struct view sent, size_t offset, const char *said)
{
    struct ek_diagnosis found = ek_diagnose(sent);
    assert_non_null(found.what);
    if (!strstr(found.what, said)) {
        fail_msg("\"%s\" does not say \"%s\"", found.what, said);
    }
    assert_int_equal(found.offset, offset);
}

static void diagnosis_says_where_reading_stops(void **state)
{
    struct pair *p = *state;
    struct view der = buf_view(p->rsa);
    assert_diagnosis(VIEW_EMPTY, 0, "empty");
    assert_diagnosis(view_of("\xff\xff\xff", 3), 0, "padding");
    assert_diagnosis(view_text("hello"), 0, "neither");
    for (size_t len = 5; len < der.len; len += 97) {
        assert_diagnosis(view_of(der.data, len), len, "end inside");
    }
    AUTO(buf) tail = NULL;
    assert_ok(buf_new(EK_MAX_BYTES, &tail));
    put_all(tail, (struct view[]){der, view_text("x")}, 2);
    assert_diagnosis(buf_view(tail), der.len, "neither");
    AUTO(buf) broken = NULL;
    assert_ok(buf_copy(der, &broken));
    broken->data[5] = 0x83; /* the length of what is signed */
    assert_diagnosis(buf_view(broken), 4, "does not fit");
}

static void relatives_of_certificates_are_known(void **state)
{
    struct pair *p = *state;
    static const char *const platform[] = {"Intel_pc1.cer", "Intel_pc4.cer", "lenovo.cer",
                                           "plat_cert3.cer"};
    for (size_t i = 0; i < 4; i++) {
        char path[64];
        snprintf(path, sizeof path, "go-attestation/attributecert/%s", platform[i]);
        AUTO(buf) sent = real_file(path);
        assert_int_equal(ek_relative_of(buf_view(sent)), EK_RELATIVE_ATTRIBUTE_CERTIFICATE);
        assert_int_equal(ek_diagnose(buf_view(sent)).relative, EK_RELATIVE_ATTRIBUTE_CERTIFICATE);
    }
    assert_int_equal(ek_relative_of(buf_view(p->rsa)), EK_RELATIVE_CERTIFICATE);
    AUTO(ek) ek = NULL;
    assert_ok(ek_parse(buf_view(p->ecc), EK_SOURCE_CERT, &ek));
    assert_int_equal(ek_relative_of(buf_view(ek->spki)), EK_RELATIVE_PUBLIC_KEY);
    assert_int_equal(ek_relative_of(VIEW_EMPTY), EK_RELATIVE_NONE);
    assert_int_equal(ek_relative_of(view_of("\x30\x00", 2)), EK_RELATIVE_NONE);
    for (int i = EK_RELATIVE_NONE + 1; i <= EK_RELATIVE_PUBLIC_KEY; i++) {
        assert_non_null(ek_relative_name((enum ek_relative)i));
    }
}

static void rsa_public_key_without_its_algorithm_is_known(void **state)
{
    (void)state;
    EVP_PKEY *key = issue_rsa(2048);
    AUTO(buf) spki = issue_spki(key);
    uint8_t *der = NULL;
    int len = i2d_PublicKey(key, &der);
    assert_true(len > 0);
    struct view pkcs1 = view_of(der, (size_t)len);
    assert_int_equal(ek_relative_of(pkcs1), EK_RELATIVE_PUBLIC_KEY);
    AUTO(ek) short_one = NULL;
    AUTO(ek) whole = NULL;
    assert_ok(ek_parse(pkcs1, EK_SOURCE_PUB, &short_one));
    assert_ok(ek_parse(buf_view(spki), EK_SOURCE_PUB, &whole));
    assert_memory_equal(short_one->spki_sha384, whole->spki_sha384, SHA384_BYTES);
    AUTO(ek) cut = NULL;
    assert_err(ek_parse(view_of(der, (size_t)len - 1), EK_SOURCE_PUB, &cut), EK_UNREADABLE);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}

static void private_keys_are_known(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {issue_ec("P-256"), issue_rsa(2048)};
    for (size_t i = 0; i < 2; i++) {
        uint8_t *der = NULL;
        int len = i2d_PrivateKey(keys[i], &der); /* SEC 1, PKCS#1 */
        assert_int_equal(ek_relative_of(view_of(der, (size_t)len)), EK_RELATIVE_PRIVATE_KEY);
        OPENSSL_free(der);
        PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(keys[i]);
        der = NULL;
        len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
        assert_int_equal(ek_relative_of(view_of(der, (size_t)len)), EK_RELATIVE_PRIVATE_KEY);
        OPENSSL_free(der);
        PKCS8_PRIV_KEY_INFO_free(info);
        EVP_PKEY_free(keys[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_certificate_of_an_area_is_usable),
        cmocka_unit_test(each_certificate_may_be_wrapped),
        cmocka_unit_test(specification_is_a_fact),
        cmocka_unit_test(diagnosis_says_where_reading_stops),
        cmocka_unit_test(relatives_of_certificates_are_known),
        cmocka_unit_test(rsa_public_key_without_its_algorithm_is_known),
        cmocka_unit_test(private_keys_are_known),
    };
    return cmocka_run_group_tests(tests, make_pair, end_pair);
}
