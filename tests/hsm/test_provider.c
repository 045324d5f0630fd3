#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/digest.h"
#include "fixture.h"

static int set_up(void **state)
{
    (void)state;
    fixture_store_new();
    fixture_token_new(FIXTURE_TOKEN);
    fixture_key_new(HSM_ROLE_ENROLLMENT_CA);
    fixture_key_new(HSM_ROLE_AUDIT);
    fixture_key_new(HSM_ROLE_VAULT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_store_remove();
    return 0;
}

struct opened {
    struct hsm *h;
    struct hsm_provider *p;
};

static struct opened open_both(void)
{
    struct hsm_settings settings = fixture_settings(fixture_module());
    struct opened o = {0};
    assert_int_equal(hsm_open(&settings, &o.h).code, 0);
    assert_int_equal(hsm_provider_open(&settings, &o.p).code, 0);
    return o;
}

static void close_both(struct opened *o)
{
    hsm_provider_close(o->p);
    hsm_close(o->h);
}

static void provider_signature_verifies_with_plain_openssl(void **state)
{
    (void)state;
    struct opened o = open_both();
    EVP_PKEY *key = NULL;
    assert_int_equal(hsm_provider_key(o.p, HSM_ROLE_AUDIT, &key).code, 0);
    struct hsm_key *direct = NULL;
    assert_int_equal(hsm_key_find(o.h, HSM_ROLE_AUDIT, &direct).code, 0);
    EVP_PKEY *public_key = NULL;
    assert_true(IS_OK(hsm_public_key(direct, &public_key)));
    AUTO(buf) signature = NULL;
    assert_true(IS_OK(buf_new(HSM_SIGNATURE_MAX_BYTES, &signature)));
    for (int i = 0; i < 20; i++) {
        char message[] = "head 0 of the log";
        message[5] = (char)('0' + i);
        uint8_t digest[SHA384_BYTES];
        assert_true(IS_OK(sha384(view_text(message), digest)));
        buf_truncate(signature, 0);
        assert_int_equal(hsm_provider_sign_sha384(o.p, key, view_text(message), signature).code, 0);
        assert_true(fixture_verifies(public_key, digest, signature));
        digest[47] ^= 1;
        assert_false(fixture_verifies(public_key, digest, signature));
    }
    EVP_PKEY_free(public_key);
    EVP_PKEY_free(key);
    close_both(&o);
}

static void certificate_verifies_with_plain_openssl(void **state)
{
    (void)state;
    struct opened o = open_both();
    EVP_PKEY *key = NULL;
    assert_int_equal(hsm_provider_key(o.p, HSM_ROLE_ENROLLMENT_CA, &key).code, 0);
    struct hsm_key *direct = NULL;
    assert_int_equal(hsm_key_find(o.h, HSM_ROLE_ENROLLMENT_CA, &direct).code, 0);
    EVP_PKEY *public_key = NULL;
    assert_true(IS_OK(hsm_public_key(direct, &public_key)));
    X509 *certificate = X509_new();
    assert_int_equal(X509_set_pubkey(certificate, public_key), 1);
    assert_int_equal(hsm_provider_sign_certificate(o.p, key, certificate).code, 0);
    assert_int_equal(X509_verify(certificate, public_key), 1);
    assert_int_equal(X509_get_signature_nid(certificate), NID_ecdsa_with_SHA384);
    X509_free(certificate);
    EVP_PKEY_free(public_key);
    EVP_PKEY_free(key);
    close_both(&o);
}

static void both_paths_work_side_by_side(void **state)
{
    (void)state;
    struct opened o = open_both();
    EVP_PKEY *key = NULL;
    struct hsm_key *direct = NULL;
    assert_int_equal(hsm_provider_key(o.p, HSM_ROLE_AUDIT, &key).code, 0);
    assert_int_equal(hsm_key_find(o.h, HSM_ROLE_AUDIT, &direct).code, 0);
    AUTO(buf) signature = NULL;
    assert_true(IS_OK(buf_new(HSM_SIGNATURE_MAX_BYTES, &signature)));
    uint8_t digest[HSM_DIGEST_BYTES] = {1};
    for (int i = 0; i < 5; i++) {
        buf_truncate(signature, 0);
        assert_int_equal(hsm_provider_sign_sha384(o.p, key, view_text("m"), signature).code, 0);
        buf_truncate(signature, 0);
        assert_int_equal(hsm_sign_p384(direct, digest, signature).code, 0);
    }
    EVP_PKEY_free(key);
    close_both(&o);
}

static void missing_key_is_reported(void **state)
{
    (void)state;
    struct opened o = open_both();
    EVP_PKEY *key = NULL;
    assert_string_equal(err_reason(hsm_provider_key(o.p, HSM_ROLE_TLS, &key)), "token_key_missing");
    assert_null(key);
    close_both(&o);
}

static void vault_key_is_no_provider_key(void **state)
{
    (void)state;
    struct opened o = open_both();
    EVP_PKEY *key = NULL;
    assert_string_equal(err_reason(hsm_provider_key(o.p, HSM_ROLE_VAULT, &key)), "internal_error");
    close_both(&o);
}

static void private_part_does_not_come_out(void **state)
{
    (void)state;
    struct opened o = open_both();
    EVP_PKEY *key = NULL;
    assert_int_equal(hsm_provider_key(o.p, HSM_ROLE_AUDIT, &key).code, 0);
    BIGNUM *secret = NULL;
    assert_int_not_equal(EVP_PKEY_get_bn_param(key, "priv", &secret), 1);
    EVP_PKEY_free(key);
    close_both(&o);
}

static void strange_module_path_is_refused(void **state)
{
    (void)state;
    struct hsm_provider *p = NULL;
    struct hsm_settings settings = fixture_settings("/tmp/a b.so");
    assert_string_equal(err_reason(hsm_provider_open(&settings, &p)), "config_invalid");
    settings.module = "/tmp/$x.so";
    assert_string_equal(err_reason(hsm_provider_open(&settings, &p)), "config_invalid");
    settings.module = "relative.so";
    assert_string_equal(err_reason(hsm_provider_open(&settings, &p)), "config_invalid");
}

static void missing_module_is_reported(void **state)
{
    (void)state;
    struct hsm_provider *p = NULL;
    struct hsm_settings settings = fixture_settings("/nowhere/module.so");
    assert_string_equal(err_reason(hsm_provider_open(&settings, &p)), "token_module");
}

static void single_session_is_not_enough(void **state)
{
    (void)state;
    struct hsm_provider *p = NULL;
    struct hsm_settings settings = fixture_settings(fixture_module());
    settings.sessions_max = 1;
    assert_string_equal(err_reason(hsm_provider_open(&settings, &p)), "config_invalid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(provider_signature_verifies_with_plain_openssl),
        cmocka_unit_test(certificate_verifies_with_plain_openssl),
        cmocka_unit_test(both_paths_work_side_by_side),
        cmocka_unit_test(missing_key_is_reported),
        cmocka_unit_test(vault_key_is_no_provider_key),
        cmocka_unit_test(private_part_does_not_come_out),
        cmocka_unit_test(strange_module_path_is_refused),
        cmocka_unit_test(missing_module_is_reported),
        cmocka_unit_test(single_session_is_not_enough),
    };
    _exit(cmocka_run_group_tests_name("hsm_provider", tests, set_up, tear_down));
}
