/* Certificates that claim to be ours. */
#include "pki/software_ca.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "pki/presented.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

static struct buf *issue(struct software_ca *software, enum issue_profile profile, EVP_PKEY *key)
{
    struct issue_facts facts = sample_facts(profile, key);
    struct issued issued;
    assert_ok(certificate_issue(software->ca, &facts, &issued));
    struct buf *der = STEAL(issued.der);
    issued_clear(&issued);
    return der;
}

static err_t present(struct software_ca *software, struct view der, uint64_t now_ms)
{
    struct presented presented = {0};
    err_t parsed = presented_parse(software->ca, der, now_ms, &presented);
    presented_clear(&presented);
    return parsed;
}

static void certificate_of_ours_is_accepted_while_it_lasts(void **state)
{
    struct software_ca *software = *state;
    AUTO(buf) der = issue(software, ISSUE_ENROLLMENT, software->key);
    assert_ok(present(software, buf_view(der), NOW_MS));
    assert_ok(present(software, buf_view(der), NOW_MS - 5 * 60 * 1000));
    assert_ok(present(software, buf_view(der), NOW_MS + 30 * DAY_MS - 1));
    assert_err(present(software, buf_view(der), NOW_MS - 5 * 60 * 1000 - 1), CERTIFICATE_INVALID);
    assert_err(present(software, buf_view(der), NOW_MS + 30 * DAY_MS), CERTIFICATE_INVALID);
}

static void altered_cut_or_extended_certificate_is_refused(void **state)
{
    struct software_ca *software = *state;
    AUTO(buf) der = issue(software, ISSUE_ENROLLMENT, software->key);
    for (size_t i = 0; i < der->len; i++) {
        der->data[i] ^= 1;
        assert_err(present(software, buf_view(der), NOW_MS), CERTIFICATE_INVALID);
        der->data[i] ^= 1;
        assert_err(present(software, view_of(der->data, i), NOW_MS), CERTIFICATE_INVALID);
    }
    assert_ok(buf_put_u8(der, 0));
    assert_err(present(software, buf_view(der), NOW_MS), CERTIFICATE_INVALID);
}

static void certificate_of_a_namesake_is_refused(void **state)
{
    struct software_ca *software = *state;
    struct software_ca namesake;
    software_ca_make(&namesake, "P-384", NULL, NULL);
    struct ca_key key = software_ca_key(&namesake);
    assert_ok(ca_new(buf_view(namesake.pem), namesake.key, NOW_MS, &key, &namesake.ca));
    AUTO(buf) der = issue(&namesake, ISSUE_ENROLLMENT, software->key);
    assert_err(present(software, buf_view(der), NOW_MS), CERTIFICATE_INVALID);
    software_ca_clear(&namesake);
}

static void certificate_of_the_ca_itself_is_refused(void **state)
{
    struct software_ca *software = *state;
    assert_err(present(software, buf_view(software->ca->der), NOW_MS), CERTIFICATE_INVALID);
}

/* Signed by our CA, but lacking what an enrollment certificate has. */
static void certificate_without_client_authentication_is_refused(void **state)
{
    struct software_ca *software = *state;
    static const char *const purposes[] = {NULL, "serverAuth", "clientAuth"};
    for (size_t i = 0; i < 3; i++) {
        uint8_t serial[X509_SERIAL_BYTES];
        AUTO(X509) certificate = X509_new();
        AUTO(buf) der = NULL;
        assert_true(X509_set_version(certificate, X509_VERSION_3) == 1 && x509_serial_set(certificate, serial));
        X509_set_issuer_name(certificate, X509_get_subject_name(software->ca->certificate));
        X509_set_pubkey(certificate, software->key);
        assert_true(x509_time_set(X509_getm_notBefore(certificate), NOW_MS));
        assert_true(x509_time_set(X509_getm_notAfter(certificate), NOW_MS + DAY_MS));
        assert_true(x509_extension_add(certificate, NID_key_usage, "critical,digitalSignature"));
        assert_true(!purposes[i] || x509_extension_add(certificate, NID_ext_key_usage, purposes[i]));
        assert_true(X509_sign(certificate, software->key, EVP_sha384()) > 0);
        assert_ok(buf_new(X509_DER_MAX_BYTES, &der));
        assert_ok(x509_put_der(certificate, der));
        if (i == 2) { /* so the others fail for their purposes alone */
            assert_ok(present(software, buf_view(der), NOW_MS));
        } else {
            assert_err(present(software, buf_view(der), NOW_MS), CERTIFICATE_INVALID);
        }
    }
}

static size_t sign(EVP_PKEY *key, const EVP_MD *hash, const char *text, uint8_t *out_signature, size_t size)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, hash, NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, out_signature, &size, (const uint8_t *)text, strlen(text)), 1);
    EVP_MD_CTX_free(ctx);
    return size;
}

static void check_signatures(struct software_ca *software, EVP_PKEY *key, const EVP_MD *right, const EVP_MD *wrong)
{
    AUTO(buf) der = issue(software, ISSUE_ENROLLMENT, key);
    struct presented presented;
    uint8_t signature[1024];
    assert_ok(presented_parse(software->ca, buf_view(der), NOW_MS, &presented));
    size_t len = sign(key, right, "nonce", signature, sizeof signature);
    assert_ok(presented_check_signature(&presented, view_text("nonce"), view_of(signature, len)));
    assert_err(presented_check_signature(&presented, view_text("nonc"), view_of(signature, len)), CERTIFICATE_SIGNATURE);
    assert_err(presented_check_signature(&presented, view_text("nonce"), view_of(signature, len - 1)), CERTIFICATE_SIGNATURE);
    assert_err(presented_check_signature(&presented, view_text("nonce"), VIEW_EMPTY), CERTIFICATE_SIGNATURE);
    len = sign(key, wrong, "nonce", signature, sizeof signature);
    assert_err(presented_check_signature(&presented, view_text("nonce"), view_of(signature, len)), CERTIFICATE_SIGNATURE);
    presented_clear(&presented);
}

static void signature_is_checked_with_the_contracts_hashes(void **state)
{
    AUTO(EVP_PKEY) p256 = EVP_EC_gen("P-256");
    AUTO(EVP_PKEY) rsa = EVP_RSA_gen(2048);
    check_signatures(*state, p256, EVP_sha384(), EVP_sha256());
    check_signatures(*state, rsa, EVP_sha256(), EVP_sha384());
}

int main(void)
{
#define TEST(test_) cmocka_unit_test_setup_teardown(test_, software_ca_setup, software_ca_teardown)
    const struct CMUnitTest tests[] = {
        TEST(certificate_of_ours_is_accepted_while_it_lasts),
        TEST(altered_cut_or_extended_certificate_is_refused),
        TEST(certificate_of_a_namesake_is_refused),
        TEST(certificate_of_the_ca_itself_is_refused),
        TEST(certificate_without_client_authentication_is_refused),
        TEST(signature_is_checked_with_the_contracts_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
