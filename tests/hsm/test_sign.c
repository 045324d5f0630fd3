#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/random.h"
#include "fixture.h"

static int set_up(void **state)
{
    (void)state;
    fixture_store_new();
    fixture_token_new(FIXTURE_TOKEN);
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

static struct hsm *open_token(void)
{
    struct hsm_settings settings = fixture_settings(fixture_module());
    struct hsm *h = NULL;
    assert_int_equal(hsm_open(&settings, &h).code, 0);
    return h;
}

static void signature_verifies_with_plain_openssl(void **state)
{
    (void)state;
    AUTO(hsm) h = open_token();
    struct hsm_key *key = NULL;
    assert_int_equal(hsm_key_find(h, HSM_ROLE_AUDIT, &key).code, 0);
    EVP_PKEY *public_key = NULL;
    assert_true(IS_OK(hsm_public_key(key, &public_key)));
    AUTO(buf) signature = NULL;
    assert_true(IS_OK(buf_new(HSM_SIGNATURE_MAX_BYTES, &signature)));
    for (int i = 0; i < 50; i++) { /* short integers and leading zeros come up */
        uint8_t digest[HSM_DIGEST_BYTES];
        random_bytes(digest, sizeof digest);
        buf_truncate(signature, 0);
        assert_int_equal(hsm_sign_p384(key, digest, signature).code, 0);
        assert_true(fixture_verifies(public_key, digest, signature));
        digest[0] ^= 1;
        assert_false(fixture_verifies(public_key, digest, signature));
    }
    EVP_PKEY_free(public_key);
}

static void public_key_is_a_p384_subject_public_key_info(void **state)
{
    (void)state;
    AUTO(hsm) h = open_token();
    struct hsm_key *key = NULL;
    assert_int_equal(hsm_key_find(h, HSM_ROLE_AUDIT, &key).code, 0);
    AUTO(buf) spki = NULL;
    assert_true(IS_OK(buf_new(256, &spki)));
    assert_true(IS_OK(hsm_public_key_der(key, spki)));
    assert_int_equal(spki->len, 120);
    const uint8_t *at = spki->data;
    EVP_PKEY *decoded = d2i_PUBKEY(NULL, &at, (long)spki->len);
    assert_non_null(decoded);
    assert_int_equal(EVP_PKEY_get_bits(decoded), 384);
    EVP_PKEY_free(decoded);
}

static void full_output_buffer_is_left_as_it_was(void **state)
{
    (void)state;
    AUTO(hsm) h = open_token();
    struct hsm_key *key = NULL;
    assert_int_equal(hsm_key_find(h, HSM_ROLE_AUDIT, &key).code, 0);
    uint8_t digest[HSM_DIGEST_BYTES] = {0};
    AUTO(buf) small = NULL;
    assert_true(IS_OK(buf_new(10, &small)));
    assert_true(IS_E(hsm_sign_p384(key, digest, small), TOO_LONG));
    assert_int_equal(small->len, 0);
}

static void vault_key_does_not_sign(void **state)
{
    (void)state;
    AUTO(hsm) h = open_token();
    struct hsm_key *key = NULL;
    assert_int_equal(hsm_key_find(h, HSM_ROLE_VAULT, &key).code, 0);
    uint8_t digest[HSM_DIGEST_BYTES] = {0};
    AUTO(buf) out = NULL;
    assert_true(IS_OK(buf_new(HSM_SIGNATURE_MAX_BYTES, &out)));
    assert_true(IS_E(hsm_sign_p384(key, digest, out), BUG));
    EVP_PKEY *none = NULL;
    assert_true(IS_E(hsm_public_key(key, &none), BUG));
}

/* Another user of the module closes every session under us: the next signature logs in again. */
static void lost_session_is_opened_again(void **state)
{
    (void)state;
    AUTO(hsm) h = open_token();
    struct hsm_key *key = NULL;
    assert_int_equal(hsm_key_find(h, HSM_ROLE_AUDIT, &key).code, 0);
    fixture_close_all_sessions();
    uint8_t digest[HSM_DIGEST_BYTES] = {7};
    AUTO(buf) signature = NULL;
    assert_true(IS_OK(buf_new(HSM_SIGNATURE_MAX_BYTES, &signature)));
    assert_int_equal(hsm_sign_p384(key, digest, signature).code, 0);
    fixture_close_all_sessions();
    assert_int_equal(hsm_ready(h).code, 0);
    buf_truncate(signature, 0);
    assert_int_equal(hsm_sign_p384(key, digest, signature).code, 0);
}

static void removed_token_is_reported_and_comes_back_with_a_new_open(void **state)
{
    (void)state;
    AUTO(hsm) h = open_token();
    struct hsm_key *key = NULL;
    assert_int_equal(hsm_key_find(h, HSM_ROLE_AUDIT, &key).code, 0);
    char here[128];
    char away[128];
    snprintf(here, sizeof here, "%s/tokens", fixture_store());
    snprintf(away, sizeof away, "%s/away", fixture_store());
    uint8_t digest[HSM_DIGEST_BYTES] = {7};
    AUTO(buf) signature = NULL;
    assert_true(IS_OK(buf_new(HSM_SIGNATURE_MAX_BYTES, &signature)));

    assert_int_equal(rename(here, away), 0);
    err_t err = hsm_sign_p384(key, digest, signature);
    assert_int_equal(rename(away, here), 0);
    assert_string_equal(err_reason(err), "token_removed");
    assert_int_equal(signature->len, 0);
    hsm_close(STEAL(h));
    h = open_token();
    assert_int_equal(hsm_key_find(h, HSM_ROLE_AUDIT, &key).code, 0);
    assert_int_equal(hsm_sign_p384(key, digest, signature).code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signature_verifies_with_plain_openssl),
        cmocka_unit_test(public_key_is_a_p384_subject_public_key_info),
        cmocka_unit_test(full_output_buffer_is_left_as_it_was),
        cmocka_unit_test(vault_key_does_not_sign),
        cmocka_unit_test(lost_session_is_opened_again),
        cmocka_unit_test(removed_token_is_reported_and_comes_back_with_a_new_open),
    };
    _exit(cmocka_run_group_tests_name("hsm_sign", tests, set_up, tear_down));
}
