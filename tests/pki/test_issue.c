/* What certificates, revocation lists, the bundle and wrapped keys hold, read back by OpenSSL. */
#include "pki/software_ca.h"

#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/secret.h"
#include "pki/bundle.h"
#include "pki/revocation.h"
#include "pki/wrap.h"
#include "pki/x509_parts.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

/* An extension as `openssl x509 -text` shows it, on one line. */
static void extension_text(X509 *certificate, int nid, char *out_text, size_t size)
{
    int at = X509_get_ext_by_NID(certificate, nid, -1);
    assert_true(at >= 0);
    assert_true(X509_get_ext_by_NID(certificate, nid, at) < 0); /* once */
    AUTO(BIO) bio = BIO_new(BIO_s_mem());
    assert_int_equal(X509V3_EXT_print(bio, X509_get_ext(certificate, at), 0, 0), 1);
    char *text;
    long len = BIO_get_mem_data(bio, &text);
    snprintf(out_text, size, "%s%.*s", X509_EXTENSION_get_critical(X509_get_ext(certificate, at)) ? "critical " : "", (int)len, text);
}

static void assert_extension(X509 *certificate, int nid, const char *expected)
{
    char text[1024];
    extension_text(certificate, nid, text, sizeof text);
    if (!strstr(text, expected)) {
        fail_msg("%s is not in %s", expected, text);
    }
}

static X509 *issue(struct software_ca *software, const struct issue_facts *facts)
{
    struct issued issued;
    assert_ok(certificate_issue(software->ca, facts, &issued));
    X509 *certificate = parse_certificate(issued.der);
    assert_int_equal(X509_verify(certificate, software->key), 1);
    issued_clear(&issued);
    return certificate;
}

static void enrollment_certificate_has_the_contracts_profile(void **state)
{
    struct software_ca *software = *state;
    AUTO(EVP_PKEY) key = EVP_EC_gen("P-384");
    struct issue_facts facts = sample_facts(ISSUE_ENROLLMENT, key);
    AUTO(X509) certificate = issue(software, &facts);
    char subject[256];
    X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof subject);
    assert_string_equal(subject, "/C=NL/O=ITL Usions/OU=worker-app/CN=0b7c5b1e-1111-4222-8333-444455556666");
    assert_int_equal(X509_get_version(certificate), X509_VERSION_3);
    assert_int_equal(X509_get_signature_nid(certificate), NID_ecdsa_with_SHA384);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate), key), 1);
    assert_extension(certificate, NID_basic_constraints, "critical CA:FALSE");
    assert_extension(certificate, NID_key_usage, "critical Digital Signature");
    assert_extension(certificate, NID_ext_key_usage, "TLS Web Client Authentication");
    assert_extension(certificate, NID_subject_alt_name, "URI:urn:itl:ek:00ff");
    assert_int_equal(X509_get_extended_key_usage(certificate), XKU_SSL_CLIENT);
    assert_int_equal(X509_get_key_usage(certificate), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_check_issued(software->ca->certificate, certificate), X509_V_OK); /* names and key identifiers */
    assert_int_equal(X509_get_ext_by_NID(certificate, NID_crl_distribution_points, -1), -1);
    assert_int_equal(X509_get_ext_count(certificate), 6);
}

static void certificate_is_back_dated_and_ends_when_it_should(void **state)
{
    struct software_ca *software = *state;
    struct issue_facts facts = sample_facts(ISSUE_ENROLLMENT, software->key);
    AUTO(X509) certificate = issue(software, &facts);
    uint64_t begin;
    uint64_t end;
    assert_ok(x509_time_get(X509_get0_notBefore(certificate), &begin));
    assert_ok(x509_time_get(X509_get0_notAfter(certificate), &end));
    assert_int_equal(begin, NOW_MS - 5 * 60 * 1000);
    assert_int_equal(end, NOW_MS + 30 * DAY_MS);
    /* Never longer than the CA itself. */
    facts.lifetime_ms = 5000 * DAY_MS;
    AUTO(X509) longest = issue(software, &facts);
    assert_ok(x509_time_get(X509_get0_notAfter(longest), &end));
    assert_int_equal(end, software->ca->not_after_ms);
}

static void svid_names_nobody_but_by_its_one_uri(void **state)
{
    struct software_ca *software = *state;
    struct issue_facts facts = sample_facts(ISSUE_SVID, software->key);
    AUTO(X509) certificate = issue(software, &facts);
    char subject[256];
    X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof subject);
    assert_string_equal(subject, "/C=NL/O=ITL Usions");
    AUTO(GENERAL_NAMES) names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(names), 1);
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, 0);
    assert_int_equal(name->type, GEN_URI);
    assert_string_equal(ASN1_STRING_get0_data(name->d.uniformResourceIdentifier), facts.uri);
    assert_int_equal(X509_get_extended_key_usage(certificate), XKU_SSL_CLIENT | XKU_SSL_SERVER);
    assert_int_equal(X509_get_key_usage(certificate), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_check_ca(certificate), 0);
}

static void serial_numbers_are_long_random_and_positive(void **state)
{
    struct software_ca *software = *state;
    struct issue_facts facts = sample_facts(ISSUE_SVID, software->key);
    uint8_t seen[64][X509_SERIAL_BYTES];
    for (size_t i = 0; i < 64; i++) {
        struct issued issued;
        assert_ok(certificate_issue(software->ca, &facts, &issued));
        memcpy(seen[i], issued.serial, sizeof seen[i]);
        AUTO(X509) certificate = parse_certificate(issued.der);
        const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
        assert_int_equal(ASN1_STRING_length(serial), X509_SERIAL_BYTES);
        assert_memory_equal(ASN1_STRING_get0_data(serial), issued.serial, X509_SERIAL_BYTES);
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(seen[i], seen[k], X509_SERIAL_BYTES);
        }
        issued_clear(&issued);
    }
}

static void revocation_list_is_found_where_an_address_is_known(void **state)
{
    struct software_ca *software = *state;
    struct issue_facts facts = sample_facts(ISSUE_ENROLLMENT, software->key);
    facts.crl_url = "https://attest.example.org/pki/enrollment-ca.crl";
    AUTO(X509) certificate = issue(software, &facts);
    assert_extension(certificate, NID_crl_distribution_points, "URI:https://attest.example.org/pki/enrollment-ca.crl");
}

static void key_that_is_cut_or_followed_by_something_is_an_error(void **state)
{
    struct software_ca *software = *state;
    struct issue_facts facts = sample_facts(ISSUE_ENROLLMENT, software->key);
    struct view whole = facts.spki;
    struct issued issued;
    for (size_t len = 0; len < whole.len; len++) {
        facts.spki = view_of(whole.data, len);
        assert_err(certificate_issue(software->ca, &facts, &issued), CRYPTO);
    }
    facts.spki = view_of(whole.data, whole.len + 1);
    assert_err(certificate_issue(software->ca, &facts, &issued), CRYPTO);
    assert_int_equal(software->signatures, 0);
}

static void role_that_is_too_long_for_a_name_is_an_error(void **state)
{
    struct software_ca *software = *state;
    struct issue_facts facts = sample_facts(ISSUE_ENROLLMENT, software->key);
    facts.role = "a234567890123456789012345678901234567890123456789012345678901234x";
    struct issued issued;
    assert_err(certificate_issue(software->ca, &facts, &issued), CRYPTO);
    assert_int_equal(software->signatures, 0);
}

/* -- the CA's own certificate ------------------------------------------------------------------ */

static void certificate_that_is_not_the_tokens_ca_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *curve;
        const char *constraints;
        const char *usage;
    } bad[] = {{"P-256", NULL, NULL},
               {"P-384", "critical,CA:FALSE", NULL},
               {"P-384", NULL, "critical,digitalSignature,cRLSign"},
               {"P-384", NULL, "critical,digitalSignature,keyCertSign"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct software_ca software;
        struct ca *ca = NULL;
        software_ca_make(&software, bad[i].curve, bad[i].constraints, bad[i].usage);
        struct ca_key key = software_ca_key(&software);
        assert_err(ca_new(buf_view(software.pem), software.key, NOW_MS, &key, &ca), CA_CERTIFICATE);
        assert_null(ca);
        software_ca_clear(&software);
    }
}

static void certificate_of_another_key_or_time_is_refused(void **state)
{
    struct software_ca *software = *state;
    struct ca *ca = NULL;
    struct ca_key key = software_ca_key(software);
    AUTO(EVP_PKEY) other = EVP_EC_gen("P-384");
    struct view pem = buf_view(software->pem);
    assert_err(ca_new(pem, other, NOW_MS, &key, &ca), CA_CERTIFICATE);
    assert_err(ca_new(pem, software->key, NOW_MS - 11 * DAY_MS, &key, &ca), CA_CERTIFICATE);
    assert_err(ca_new(pem, software->key, NOW_MS + 3650 * DAY_MS, &key, &ca), CA_CERTIFICATE);
    assert_err(ca_new(VIEW_EMPTY, software->key, NOW_MS, &key, &ca), CA_CERTIFICATE);
    assert_err(ca_new(view_of(pem.data, pem.len / 2), software->key, NOW_MS, &key, &ca), CA_CERTIFICATE);
    assert_null(ca);
}

static void exercise_signs_once(void **state)
{
    struct software_ca *software = *state;
    assert_ok(ca_exercise(software->ca));
    assert_int_equal(software->signatures, 1);
}

/* -- revocation lists -------------------------------------------------------------------------- */

static X509_CRL *make_list(struct software_ca *software, unsigned entries, uint64_t number)
{
    AUTO(revocation) list = NULL;
    AUTO(buf) der = NULL;
    assert_ok(buf_new(REVOCATION_DER_MAX_BYTES, &der));
    assert_ok(revocation_new(software->ca, &list));
    for (unsigned i = 0; i < entries; i++) {
        uint8_t serial[X509_SERIAL_BYTES] = {0x40, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        assert_ok(revocation_add(list, serial, NOW_MS - 1000, i % 2 ? 6 : 0));
    }
    assert_ok(revocation_finish(list, number, NOW_MS, NOW_MS + DAY_MS, der));
    const uint8_t *at = der->data;
    X509_CRL *parsed = d2i_X509_CRL(NULL, &at, (long)der->len);
    assert_non_null(parsed);
    assert_ptr_equal(at, der->data + der->len);
    return parsed;
}

static void revocation_list_holds_number_times_reasons_and_a_signature(void **state)
{
    struct software_ca *software = *state;
    AUTO(X509_CRL) list = make_list(software, 2, 77);
    uint64_t made;
    uint64_t next;
    int critical;
    assert_int_equal(X509_CRL_verify(list, software->key), 1);
    assert_int_equal(X509_CRL_get_version(list), X509_CRL_VERSION_2);
    assert_ok(x509_time_get(X509_CRL_get0_lastUpdate(list), &made));
    assert_ok(x509_time_get(X509_CRL_get0_nextUpdate(list), &next));
    assert_int_equal(made, NOW_MS);
    assert_int_equal(next, NOW_MS + DAY_MS);
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(list, NID_crl_number, &critical, NULL);
    assert_int_equal(ASN1_INTEGER_get(number), 77);
    assert_int_equal(critical, 0);
    ASN1_INTEGER_free(number);
    assert_true(X509_CRL_get_ext_by_NID(list, NID_authority_key_identifier, -1) >= 0);
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(list);
    assert_int_equal(sk_X509_REVOKED_num(entries), 2);
    assert_int_equal(X509_REVOKED_get_ext_count(sk_X509_REVOKED_value(entries, 0)), 0); /* unspecified is not written */
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(sk_X509_REVOKED_value(entries, 1), NID_crl_reason, NULL, NULL);
    assert_int_equal(ASN1_ENUMERATED_get(reason), 6);
    ASN1_ENUMERATED_free(reason);
}

static void empty_revocation_list_is_one(void **state)
{
    AUTO(X509_CRL) list = make_list(*state, 0, 1);
    assert_null(X509_CRL_get_REVOKED(list));
}

static void fullest_revocation_list_fits_and_one_more_is_refused(void **state)
{
    struct software_ca *software = *state;
    AUTO(X509_CRL) list = make_list(software, REVOCATION_ENTRIES_MAX, 1);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list)), REVOCATION_ENTRIES_MAX);
    AUTO(revocation) full = NULL;
    const uint8_t serial[X509_SERIAL_BYTES] = {0x41};
    assert_ok(revocation_new(software->ca, &full));
    for (unsigned i = 0; i < REVOCATION_ENTRIES_MAX; i++) {
        assert_ok(revocation_add(full, serial, NOW_MS, 0));
    }
    assert_err(revocation_add(full, serial, NOW_MS, 0), CERTIFICATE_LIST_LIMIT);
}

/* -- the rest ---------------------------------------------------------------------------------- */

static void bundle_is_a_jwk_set_with_the_ca(void **state)
{
    struct software_ca *software = *state;
    AUTO(buf) json = NULL;
    assert_ok(buf_new(BUNDLE_MAX_BYTES, &json));
    assert_ok(bundle_make(software->ca, json));
    assert_ok(buf_put_u8(json, 0));
    const char *text = (const char *)json->data;
    assert_non_null(strstr(text, "\"use\":\"x509-svid\",\"kty\":\"EC\",\"crv\":\"P-384\""));
    assert_non_null(strstr(text, "\"spiffe_sequence\":1766361600,\"spiffe_refresh_hint\":3600}"));
}

static void assert_opens_wrapped_key(EVP_PKEY *rsa, bool hybrid)
{
    AUTO(buf) spki = NULL;
    struct wrapped_key wrapped;
    assert_ok(wrapped_key_make(rsa, &spki, &wrapped));
    const uint8_t *at = spki->data;
    AUTO(EVP_PKEY) public_key = d2i_PUBKEY(NULL, &at, (long)spki->len);
    assert_int_equal(wrapped.wrapped_key != NULL, hybrid);
    uint8_t opened[1024];
    size_t len = sizeof opened;
    const struct buf *sealed = hybrid ? wrapped.wrapped_key : wrapped.ciphertext;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(rsa, NULL);
    assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()), 1);
    assert_int_equal(EVP_PKEY_decrypt(ctx, opened, &len, sealed->data, sealed->len), 1);
    EVP_PKEY_CTX_free(ctx);
    AUTO(buf) text = NULL;
    assert_ok(buf_new(WRAP_TEXT_MAX_BYTES, &text));
    if (hybrid) {
        struct view body = view_of(wrapped.ciphertext->data, wrapped.ciphertext->len - GCM_TAG_BYTES);
        struct view tag = view_of(body.data + body.len, GCM_TAG_BYTES);
        assert_ok(gcm_open(view_of(opened, len), view_of(wrapped.iv, sizeof wrapped.iv), VIEW_EMPTY, body, tag, text));
    } else {
        assert_ok(buf_put(text, view_of(opened, len)));
    }
    BIO *bio = BIO_new_mem_buf(text->data, (int)text->len);
    AUTO(EVP_PKEY) key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(key);
    assert_non_null(strstr((const char *)text->data, "BEGIN EC PRIVATE KEY")); /* SEC1, as the reference gives it */
    assert_int_equal(EVP_PKEY_eq(key, public_key), 1);
    wrapped_key_clear(&wrapped);
}

static void wrapped_key_opens_with_rsa_of_every_size(void **state)
{
    (void)state;
    AUTO(EVP_PKEY) small = EVP_RSA_gen(2048);
    AUTO(EVP_PKEY) large = EVP_RSA_gen(3072);
    assert_opens_wrapped_key(small, true);
    assert_opens_wrapped_key(large, false);
}

int main(void)
{
    if (!IS_OK(secret_setup())) {
        return 1;
    }
#define TEST(test_) cmocka_unit_test_setup_teardown(test_, software_ca_setup, software_ca_teardown)
    const struct CMUnitTest tests[] = {
        TEST(enrollment_certificate_has_the_contracts_profile),
        TEST(certificate_is_back_dated_and_ends_when_it_should),
        TEST(svid_names_nobody_but_by_its_one_uri),
        TEST(serial_numbers_are_long_random_and_positive),
        TEST(revocation_list_is_found_where_an_address_is_known),
        TEST(key_that_is_cut_or_followed_by_something_is_an_error),
        TEST(role_that_is_too_long_for_a_name_is_an_error),
        TEST(certificate_that_is_not_the_tokens_ca_is_refused),
        TEST(certificate_of_another_key_or_time_is_refused),
        TEST(exercise_signs_once),
        TEST(revocation_list_holds_number_times_reasons_and_a_signature),
        TEST(empty_revocation_list_is_one),
        TEST(fullest_revocation_list_fits_and_one_more_is_refused),
        TEST(bundle_is_a_jwk_set_with_the_ca),
        TEST(wrapped_key_opens_with_rsa_of_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
