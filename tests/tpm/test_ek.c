#include "area.h"
#include "cmocka_all.h"
#include "issue.h"
#include "real.h"

#include "base/text.h"
#include "tpm/ek.h"
#include "tpm/public.h"

#include <openssl/pem.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

static struct ek *ek_of(struct view sent, enum ek_source source)
{
    struct ek *ek = NULL;
    assert_ok(ek_parse(sent, source, &ek));
    return ek;
}

static void assert_refused(struct view sent, enum ek_source source, const char *reason)
{
    AUTO(ek) ek = NULL;
    assert_string_equal(err_reason(ek_parse(sent, source, &ek)), reason);
    assert_null(ek);
}

static struct buf *join(struct view a, struct view b)
{
    struct buf *joined = NULL;
    assert_ok(buf_new(a.len + b.len, &joined));
    assert_ok(buf_put(joined, a));
    assert_ok(buf_put(joined, b));
    return joined;
}

static const char *or_empty(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));
    return text ? text : "";
}

static uint64_t time_of(const char *text)
{
    ASN1_TIME *time = ASN1_TIME_new();
    struct tm parts;
    assert_int_equal(ASN1_TIME_set_string(time, text), 1);
    assert_int_equal(ASN1_TIME_to_tm(time, &parts), 1);
    ASN1_TIME_free(time);
    return (uint64_t)timegm(&parts) * 1000;
}

static void check_facts(const json_t *entry)
{
    char path[256];
    snprintf(path, sizeof path, "ek-certificates/%s", real_text(entry, "file"));
    AUTO(buf) sent = real_file(path);
    AUTO(ek) ek = ek_of(buf_view(sent), EK_SOURCE_CERT);
    assert_string_equal(ek->manufacturer, or_empty(entry, "manufacturer"));
    assert_string_equal(ek->model, or_empty(entry, "model"));
    assert_string_equal(ek->version, or_empty(entry, "version"));
    const char *serial = real_text(entry, "serial");
    assert_string_equal(ek->serial, strncmp(serial, "00", 2) == 0 ? serial + 2 : serial);
    assert_true(ek->valid_from_ms == time_of(real_text(entry, "not_before")));
    assert_true(ek->valid_until_ms == time_of(real_text(entry, "not_after")));
    bool padded = json_integer_value(json_object_get(entry, "trailing_bytes")) > 0;
    assert_int_equal(!!(ek->quirks & EK_QUIRK_PADDED), padded);
    /* The collection's hash is over the padding too, where there is any. */
    char hash[HEX_TEXT_SIZE(SHA256_BYTES)];
    hex_encode(view_of(padded ? ek->sent_sha256 : ek->cert_sha256, SHA256_BYTES), hash);
    assert_string_equal(hash, real_text(entry, "cert_sha256"));
    bool ecc = strncmp(real_text(entry, "key"), "EC", 2) == 0;
    assert_int_equal(ek->key_type, ecc ? EK_KEY_P256 : EK_KEY_RSA_2048);
}

static void real_certificates_tell_the_expected_facts(void **state)
{
    (void)state;
    json_t *list = real_json("ek-certificates/expected_certs.json");
    assert_int_equal(json_array_size(list), 12);
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
    {
        check_facts(entry);
    }
    json_decref(list);
}

static uint32_t quirks_of(const char *file)
{
    char path[256];
    snprintf(path, sizeof path, "ek-certificates/%s", file);
    AUTO(buf) sent = real_file(path);
    AUTO(ek) ek = ek_of(buf_view(sent), EK_SOURCE_CERT);
    return ek->quirks;
}

static void quirks_of_real_certificates_are_facts(void **state)
{
    (void)state;
    assert_int_equal(quirks_of("ntc_npct75x_keylime.der"), EK_QUIRK_UNSORTED_NAME);
    assert_int_equal(quirks_of("stm_st33htphahb4_rsa_padded_ff.der"), EK_QUIRK_PADDED);
    assert_int_equal(quirks_of("ifx_slb9665_053e_ca029.der"), 0);
    assert_int_equal(quirks_of("intel_spt_rsa2048.der"), 0);
    assert_int_equal(quirks_of("intel_glk_ecc_p256.der"), EK_QUIRK_ECC_ENCIPHERMENT);
    assert_int_equal(quirks_of("stm_st33htphahe0_ca06.der"), EK_QUIRK_NO_EXPIRY);
    assert_int_equal(quirks_of("gce_pca_tpm_ecc_enc_cert.pem"),
                     EK_QUIRK_NO_TPM_SAN | EK_QUIRK_NO_PURPOSE);
    assert_int_equal(quirks_of("hirs_nuc_ek_tpm12.der"),
                     EK_QUIRK_RSAES_OAEP | EK_QUIRK_NO_KEY_USAGE);
    assert_int_equal(quirks_of("hirs_nuc_ek_with_tcg_header.bin"),
                     EK_QUIRK_RSAES_OAEP | EK_QUIRK_NO_KEY_USAGE | EK_QUIRK_TCG_HEADER);
    for (unsigned bit = 0; bit < 32; bit++) {
        assert_int_equal(!!ek_quirk_name((enum ek_quirk)(1U << bit)), bit <= 11);
    }
}

/* id-RSAES-OAEP or not, header or not: one key, one identity. */
static void identity_does_not_depend_on_the_form(void **state)
{
    (void)state;
    AUTO(buf) plain = real_file("ek-certificates/hirs_nuc_ek_tpm12.der");
    AUTO(buf) headed = real_file("ek-certificates/hirs_nuc_ek_with_tcg_header.bin");
    AUTO(ek) a = ek_of(buf_view(plain), EK_SOURCE_CERT);
    AUTO(ek) b = ek_of(buf_view(headed), EK_SOURCE_CERT);
    AUTO(ek) c = ek_of(buf_view(a->spki), EK_SOURCE_PUB);
    assert_memory_equal(a->spki_sha384, b->spki_sha384, SHA384_BYTES);
    assert_memory_equal(a->spki_sha384, c->spki_sha384, SHA384_BYTES);
    assert_memory_equal(a->cert_sha384, b->cert_sha384, SHA384_BYTES);
    assert_memory_not_equal(a->sent_sha384, b->sent_sha384, SHA384_BYTES);
    assert_true(view_equal(a->cert, buf_view(plain)));
    assert_true(view_equal(b->cert, buf_view(plain)));
    /* SEQUENCE { SEQUENCE { rsaEncryption, NULL } … */
    AUTO(buf) want = hex_bytes("30820122300d06092a864886f70d01010105000382010f00");
    assert_memory_equal(a->spki->data, want->data, want->len);
}

struct forms {
    X509 *cert;
    EVP_PKEY *key;
    EVP_PKEY *ca;
    struct buf *der;
    struct buf *pem;
};

static int make_forms(void **state)
{
    struct forms *f = calloc(1, sizeof *f);
    f->key = issue_ec("P-384");
    f->ca = issue_ec("P-256");
    struct issue_spec spec = issue_ek(f->key, "CA", f->ca);
    f->cert = issue_certificate(&spec);
    f->der = issue_der(f->cert);
    f->pem = issue_pem(f->cert);
    *state = f;
    return 0;
}

static int end_forms(void **state)
{
    struct forms *f = *state;
    X509_free(f->cert);
    EVP_PKEY_free(f->key);
    EVP_PKEY_free(f->ca);
    buf_free(f->der);
    buf_free(f->pem);
    free(f);
    return 0;
}

static void assert_form(const struct forms *f, struct view sent, uint32_t quirks)
{
    AUTO(ek) ek = ek_of(sent, EK_SOURCE_CERT);
    assert_true(view_equal(ek->cert, buf_view(f->der)));
    assert_int_equal(ek->quirks, quirks);
    assert_int_equal(ek->key_type, EK_KEY_P384);
    assert_string_equal(ek->manufacturer, "id:54534D54");
}

static void certificate_is_found_in_every_wrapping(void **state)
{
    struct forms *f = *state;
    struct view der = buf_view(f->der);
    assert_form(f, der, 0);
    assert_form(f, buf_view(f->pem), 0);
    AUTO(buf) spaced = join(view_text("\n  Subject: EK\r\n"), buf_view(f->pem));
    assert_form(f, buf_view(spaced), 0);
    static const uint8_t ones[300] = {[0 ... 299] = 0xff};
    static const uint8_t zeros[300] = {0};
    AUTO(buf) ff = join(der, view_of(ones, sizeof ones));
    AUTO(buf) oo = join(der, view_of(zeros, sizeof zeros));
    AUTO(buf) both = join(buf_view(ff), view_of(zeros, sizeof zeros));
    assert_form(f, buf_view(ff), EK_QUIRK_PADDED);
    assert_form(f, buf_view(oo), EK_QUIRK_PADDED);
    assert_form(f, buf_view(both), EK_QUIRK_PADDED);
    AUTO(buf) two = join(der, der);
    assert_form(f, buf_view(two), EK_QUIRK_SECOND_CERT);
    AUTO(buf) two_padded = join(buf_view(two), view_of(ones, sizeof ones));
    assert_form(f, buf_view(two_padded), EK_QUIRK_SECOND_CERT | EK_QUIRK_PADDED);

    uint8_t octets[4] = {0x04, 0x82, (uint8_t)(der.len >> 8), (uint8_t)der.len};
    AUTO(buf) octet = join(view_of(octets, 4), der);
    assert_form(f, buf_view(octet), EK_QUIRK_OCTET_STRING);

    size_t body = der.len + 2;
    uint8_t header7[7] = {0x10, 0x01, 0x00, (uint8_t)(body >> 8), (uint8_t)body, 0x10, 0x02};
    uint8_t header5[5] = {0x10, 0x01, 0x00, (uint8_t)(der.len >> 8), (uint8_t)der.len};
    AUTO(buf) seven = join(view_of(header7, 7), der);
    AUTO(buf) five = join(view_of(header5, 5), buf_view(ff));
    assert_form(f, buf_view(seven), EK_QUIRK_TCG_HEADER);
    assert_form(f, buf_view(five), EK_QUIRK_TCG_HEADER | EK_QUIRK_PADDED);
}

static void anything_else_around_a_certificate_is_refused(void **state)
{
    struct forms *f = *state;
    struct view der = buf_view(f->der);
    AUTO(buf) tail = join(der, view_text("x"));
    AUTO(buf) head = join(view_text("x"), der);
    AUTO(buf) in_padding = join(der, view_of("\xff\xff\x01\xff", 4));
    assert_refused(buf_view(tail), EK_SOURCE_CERT, "ek_unreadable");
    assert_refused(buf_view(head), EK_SOURCE_CERT, "ek_unreadable");
    assert_refused(buf_view(in_padding), EK_SOURCE_CERT, "ek_unreadable");
    uint8_t octets[4] = {0x04, 0x82, (uint8_t)(der.len >> 8), (uint8_t)der.len};
    AUTO(buf) once = join(view_of(octets, 4), der);
    uint8_t more[4] = {0x04, 0x82, (uint8_t)(once->len >> 8), (uint8_t)once->len};
    AUTO(buf) twice = join(view_of(more, 4), buf_view(once));
    assert_refused(buf_view(twice), EK_SOURCE_CERT, "ek_unreadable");
    uint8_t header[5] = {0x10, 0x01, 0x00, 0xff, 0xff};
    AUTO(buf) lying = join(view_of(header, 5), der);
    assert_refused(buf_view(lying), EK_SOURCE_CERT, "ek_unreadable");
    assert_refused(VIEW_EMPTY, EK_SOURCE_CERT, "ek_missing");
    assert_refused(VIEW_EMPTY, EK_SOURCE_PUB, "ek_missing");
    assert_refused(der, EK_SOURCE_NONE, "ek_missing");
    assert_refused(der, EK_SOURCE_PUB, "ek_unreadable");
    assert_refused(view_text("hello"), EK_SOURCE_CERT, "ek_unreadable");
    assert_refused(view_text("-----BEGIN CERTIFICATE-----"), EK_SOURCE_CERT, "ek_unreadable");
    static uint8_t large[EK_MAX_BYTES + 1];
    memset(large, 0xff, sizeof large);
    memcpy(large, der.data, der.len);
    assert_refused(view_of(large, sizeof large), EK_SOURCE_CERT, "too_long");
    AUTO(ek) just = ek_of(view_of(large, EK_MAX_BYTES), EK_SOURCE_CERT);
    assert_true(just->quirks & EK_QUIRK_PADDED);
}

static void pem_of_another_kind_is_refused(void **state)
{
    struct forms *f = *state;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(bio, f->key), 1);
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    struct view pem = view_of(text, (size_t)len);
    assert_refused(pem, EK_SOURCE_CERT, "ek_unreadable");
    assert_refused(buf_view(f->pem), EK_SOURCE_PUB, "ek_unreadable");
    AUTO(ek) ek = ek_of(pem, EK_SOURCE_PUB);
    assert_null(ek->x509);
    assert_null(ek->area);
    assert_int_equal(ek->key_type, EK_KEY_P384);
    BIO_free(bio);
}

static void encrypted_pem_is_refused(void **state)
{
    struct forms *f = *state;
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n";
    AUTO(buf) text = join(view_text(begin), view_text("Proc-Type: 4,ENCRYPTED\n\n"));
    struct view body = view_of(f->pem->data + strlen(begin), f->pem->len - strlen(begin));
    AUTO(buf) sent = join(buf_view(text), body);
    assert_refused(buf_view(sent), EK_SOURCE_CERT, "ek_unreadable");
}

static void truncated_certificates_are_refused(void **state)
{
    struct forms *f = *state;
    for (size_t len = 1; len < f->der->len; len++) {
        assert_refused(view_of(f->der->data, len), EK_SOURCE_CERT, "ek_unreadable");
    }
    AUTO(buf) spki = issue_spki(f->key);
    for (size_t len = 1; len < spki->len; len++) {
        assert_refused(view_of(spki->data, len), EK_SOURCE_PUB, "ek_unreadable");
    }
    AUTO(buf) longer = join(buf_view(spki), view_of("", 1));
    assert_refused(buf_view(longer), EK_SOURCE_PUB, "ek_unreadable");
}

static void public_area_and_spki_are_the_same_machine(void **state)
{
    (void)state;
    AUTO(buf) pem = real_file("keylime/quotes/ekpub.pem");
    AUTO(buf) area = real_file("keylime/quotes/ek.pub");
    AUTO(ek) a = ek_of(buf_view(pem), EK_SOURCE_PUB);
    AUTO(ek) b = ek_of(buf_view(area), EK_SOURCE_PUB);
    AUTO(ek) c = ek_of(view_of(area->data + 2, area->len - 2), EK_SOURCE_PUB);
    assert_memory_equal(a->spki_sha384, b->spki_sha384, SHA384_BYTES);
    assert_memory_equal(a->spki_sha384, c->spki_sha384, SHA384_BYTES);
    assert_false(a->public_area_known);
    assert_true(b->public_area_known);
    assert_int_equal(b->name_alg, TPM_ALG_SHA256);
    assert_int_equal(b->symmetric_bits, 128);
    assert_ok(ek_set_public_area(a, buf_view(area)));
    assert_true(a->public_area_known);
}

static void compressed_point_is_the_same_machine(void **state)
{
    (void)state;
    EVP_PKEY *key = issue_ec("P-256");
    AUTO(buf) full = issue_spki(key);
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "point-format", "compressed"), 1);
    AUTO(buf) compressed = issue_spki(key);
    assert_true(compressed->len < full->len);
    AUTO(ek) a = ek_of(buf_view(full), EK_SOURCE_PUB);
    AUTO(ek) b = ek_of(buf_view(compressed), EK_SOURCE_PUB);
    assert_true(view_equal(buf_view(a->spki), buf_view(full)));
    assert_true(view_equal(buf_view(b->spki), buf_view(full)));
    EVP_PKEY_free(key);
}

static void template_follows_the_key_type(void **state)
{
    (void)state;
    struct {
        EVP_PKEY *key;
        enum ek_key type;
        uint16_t name_alg;
        uint16_t bits;
        const char *name;
    } cases[] = {
        {issue_rsa(2048), EK_KEY_RSA_2048, TPM_ALG_SHA256, 128, "RSA-2048"},
        {issue_rsa(3072), EK_KEY_RSA_3072, TPM_ALG_SHA384, 256, "RSA-3072"},
        {issue_rsa(4096), EK_KEY_RSA_4096, TPM_ALG_SHA384, 256, "RSA-4096"},
        {issue_ec("P-256"), EK_KEY_P256, TPM_ALG_SHA256, 128, "P-256"},
        {issue_ec("P-384"), EK_KEY_P384, TPM_ALG_SHA384, 256, "P-384"},
        {issue_ec("P-521"), EK_KEY_P521, TPM_ALG_SHA512, 256, "P-521"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(buf) spki = issue_spki(cases[i].key);
        AUTO(ek) ek = ek_of(buf_view(spki), EK_SOURCE_PUB);
        assert_int_equal(ek->key_type, cases[i].type);
        assert_string_equal(ek_key_name(ek->key_type), cases[i].name);
        assert_int_equal(ek->name_alg, cases[i].name_alg);
        assert_int_equal(ek->symmetric_bits, cases[i].bits);
        assert_true(view_equal(buf_view(ek->spki), buf_view(spki)));
        EVP_PKEY_free(cases[i].key);
    }
}

static void unsupported_keys_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {
        issue_rsa(1024),
        issue_rsa(2047),
        issue_rsa(2056),
        issue_ec("P-224"),
        issue_ec("secp256k1"),
        issue_ec("brainpoolP256r1"),
        EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
        EVP_PKEY_Q_keygen(NULL, NULL, "X25519"),
    };
    EVP_PKEY *ca = issue_ec("P-256");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_non_null(keys[i]);
        AUTO(buf) spki = issue_spki(keys[i]);
        assert_refused(buf_view(spki), EK_SOURCE_PUB, "ek_key_unsupported");
        struct issue_spec spec = issue_ek(keys[i], "CA", ca);
        X509 *cert = issue_certificate(&spec);
        AUTO(buf) der = issue_der(cert);
        assert_refused(buf_view(der), EK_SOURCE_CERT, "ek_key_unsupported");
        X509_free(cert);
        EVP_PKEY_free(keys[i]);
    }
    EVP_PKEY_free(ca);
}

static void damaged_keys_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *rsa = issue_rsa(2048);
    AUTO(buf) spki = issue_spki(rsa);
    /* The exponent 65537 ends the structure: 02 03 01 00 01. */
    spki->data[spki->len - 1] = 0x00;
    assert_refused(buf_view(spki), EK_SOURCE_PUB, "ek_key_unsupported");
    spki->data[spki->len - 3] = 0x00;
    spki->data[spki->len - 1] = 0x01;
    assert_refused(buf_view(spki), EK_SOURCE_PUB, "ek_key_unsupported"); /* 1 */
    EVP_PKEY_free(rsa);
    EVP_PKEY *ec = issue_ec("P-256");
    AUTO(buf) point = issue_spki(ec);
    point->data[point->len - 1] ^= 1;
    assert_refused(buf_view(point), EK_SOURCE_PUB, "ek_key_unsupported");
    EVP_PKEY_free(ec);
}

static void even_modulus_and_useless_exponents_in_a_public_area_are_refused(void **state)
{
    (void)state;
    AUTO(buf) area = real_file("keylime/quotes/ek.pub");
    area->data[area->len - 1] &= 0xfe;
    assert_refused(buf_view(area), EK_SOURCE_PUB, "ek_key_unsupported");
    EVP_PKEY *rsa = issue_rsa(2048);
    const uint32_t exponents[] = {1, 2, 65536};
    for (size_t i = 0; i < 3; i++) {
        struct area_spec spec = area_ek(rsa, TPM_ALG_SHA256, 128);
        spec.exponent = exponents[i];
        AUTO(buf) made = area_tpm2b(&spec);
        assert_refused(buf_view(made), EK_SOURCE_PUB, "ek_key_unsupported");
    }
    EVP_PKEY_free(rsa);
}

static err_t set_area(EVP_PKEY *key, const struct area_spec *spec)
{
    AUTO(buf) spki = issue_spki(key);
    AUTO(ek) ek = ek_of(buf_view(spki), EK_SOURCE_PUB);
    AUTO(buf) area = area_tpm2b(spec);
    err_t set = ek_set_public_area(ek, buf_view(area));
    assert_int_equal(ek->public_area_known, IS_OK(set));
    if (IS_OK(set)) {
        assert_int_equal(ek->name_alg, spec->name_alg);
        assert_int_equal(ek->symmetric_bits, spec->symmetric_bits);
    }
    return set;
}

static void public_area_must_be_that_of_an_ek(void **state)
{
    (void)state;
    EVP_PKEY *key = issue_ec("P-256");
    const uint32_t needed = TPM_OBJECT_RESTRICTED | TPM_OBJECT_DECRYPT | TPM_OBJECT_FIXED_TPM |
                            TPM_OBJECT_FIXED_PARENT | TPM_OBJECT_SENSITIVE_DATA_ORIGIN;
    for (unsigned bit = 0; bit < 20; bit++) {
        struct area_spec spec = area_ek(key, TPM_ALG_SHA256, 128);
        spec.attributes ^= 1U << bit;
        bool refused = (needed | TPM_OBJECT_SIGN_ENCRYPT) >> bit & 1;
        assert_string_equal(err_reason(set_area(key, &spec)),
                            refused ? "ek_template_unsupported" : "ok");
    }
    const uint16_t good[] = {TPM_ALG_SHA256, TPM_ALG_SHA384, TPM_ALG_SHA512};
    for (size_t i = 0; i < 3; i++) {
        struct area_spec spec = area_ek(key, good[i], i ? 256 : 128);
        assert_ok(set_area(key, &spec));
    }
    struct area_spec spec = area_ek(key, TPM_ALG_SHA1, 128);
    assert_err(set_area(key, &spec), EK_TEMPLATE);
    spec = area_ek(key, TPM_ALG_SHA256, 192);
    assert_err(set_area(key, &spec), EK_TEMPLATE);
    spec = area_ek(key, TPM_ALG_SHA256, 128);
    spec.symmetric_mode = 0x0042; /* CBC */
    assert_err(set_area(key, &spec), EK_TEMPLATE);
    spec = area_ek(key, TPM_ALG_SHA256, 128);
    spec.symmetric = 0x0026; /* Camellia */
    assert_err(set_area(key, &spec), EK_TEMPLATE);
    spec.symmetric = TPM_ALG_NULL;
    spec.symmetric_bits = 0;
    assert_err(set_area(key, &spec), EK_TEMPLATE);
    spec = area_ek(key, TPM_ALG_SHA256, 128);
    spec.scheme = TPM_ALG_ECDSA;
    spec.scheme_hash = TPM_ALG_SHA256;
    assert_err(set_area(key, &spec), EK_TEMPLATE);
    EVP_PKEY_free(key);
}

static void public_area_of_another_key_is_a_mismatch(void **state)
{
    (void)state;
    EVP_PKEY *key = issue_ec("P-256");
    EVP_PKEY *other = issue_ec("P-256");
    EVP_PKEY *rsa = issue_rsa(2048);
    struct area_spec spec = area_ek(other, TPM_ALG_SHA256, 128);
    assert_err(set_area(key, &spec), EK_MISMATCH);
    spec = area_ek(rsa, TPM_ALG_SHA256, 128);
    assert_err(set_area(key, &spec), EK_MISMATCH);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    EVP_PKEY_free(rsa);
}

static bool matches(const struct ek *ek, const uint8_t *digest, size_t len)
{
    char text[200];
    hex_encode(view_of(digest, len), text);
    return ek_fingerprint_matches(ek, view_text(text));
}

static void fingerprint_of_key_certificate_or_sent_bytes_matches(void **state)
{
    struct forms *f = *state;
    AUTO(buf) spki = issue_spki(f->key);
    AUTO(ek) ek = ek_of(buf_view(f->pem), EK_SOURCE_CERT);
    struct view forms[] = {buf_view(spki), buf_view(f->der), buf_view(f->pem)};
    for (size_t i = 0; i < 3; i++) {
        uint8_t digest[64];
        SHA384(forms[i].data, forms[i].len, digest);
        assert_true(matches(ek, digest, 48));
        assert_false(matches(ek, digest, 47));
        assert_false(matches(ek, digest, 32));
        digest[47] ^= 1;
        assert_false(matches(ek, digest, 48));
        SHA256(forms[i].data, forms[i].len, digest);
        assert_true(matches(ek, digest, 32));
        digest[0] ^= 0x80;
        assert_false(matches(ek, digest, 32));
        SHA512(forms[i].data, forms[i].len, digest);
        assert_false(matches(ek, digest, 64));
    }
    assert_false(ek_fingerprint_matches(ek, VIEW_EMPTY));
    char text[97];
    memset(text, 'g', 96);
    text[96] = '\0';
    assert_false(ek_fingerprint_matches(ek, view_text(text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_certificates_tell_the_expected_facts),
        cmocka_unit_test(quirks_of_real_certificates_are_facts),
        cmocka_unit_test(identity_does_not_depend_on_the_form),
        cmocka_unit_test(certificate_is_found_in_every_wrapping),
        cmocka_unit_test(anything_else_around_a_certificate_is_refused),
        cmocka_unit_test(pem_of_another_kind_is_refused),
        cmocka_unit_test(encrypted_pem_is_refused),
        cmocka_unit_test(truncated_certificates_are_refused),
        cmocka_unit_test(public_area_and_spki_are_the_same_machine),
        cmocka_unit_test(compressed_point_is_the_same_machine),
        cmocka_unit_test(template_follows_the_key_type),
        cmocka_unit_test(unsupported_keys_are_refused),
        cmocka_unit_test(damaged_keys_are_refused),
        cmocka_unit_test(even_modulus_and_useless_exponents_in_a_public_area_are_refused),
        cmocka_unit_test(public_area_must_be_that_of_an_ek),
        cmocka_unit_test(public_area_of_another_key_is_a_mismatch),
        cmocka_unit_test(fingerprint_of_key_certificate_or_sent_bytes_matches),
    };
    return cmocka_run_group_tests(tests, make_forms, end_forms);
}
