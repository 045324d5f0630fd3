/* What hsm_key_find refuses. Each test's key differs from the ceremony's in one thing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"

static const uint8_t p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

/* The ceremony's choices, to be changed one at a time. */
struct recipe {
    const uint8_t *curve;
    CK_ULONG curve_len;
    CK_ULONG aes_bytes;
    CK_BBOOL token;
    CK_BBOOL sensitive;
    CK_BBOOL extractable;
    CK_BBOOL private;
    CK_BBOOL sign;
    CK_BBOOL derive;
    CK_BBOOL decrypt;
};

static const struct recipe good = {.curve = p384,
                                   .curve_len = sizeof p384,
                                   .aes_bytes = 32,
                                   .token = CK_TRUE,
                                   .sensitive = CK_TRUE,
                                   .private = CK_TRUE,
                                   .sign = CK_TRUE};

static int set_up(void **state)
{
    (void)state;
    fixture_store_new();
    fixture_token_new(FIXTURE_TOKEN);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_store_remove();
    return 0;
}

static int clear(void **state)
{
    (void)state;
    fixture_token_clear();
    return 0;
}

#define FLAG(type, value)                          \
    {                                              \
        type, &(CK_BBOOL){value}, sizeof(CK_BBOOL) \
    }
#define LABEL(text)                                        \
    {                                                      \
        CKA_LABEL, (void *)(uintptr_t)(text), strlen(text) \
    }

static void make_pair(const char *label, const struct recipe *r)
{
    struct fixture_raw raw = fixture_raw_open();
    CK_ATTRIBUTE public_half[] = {{CKA_EC_PARAMS, (void *)(uintptr_t)r->curve, r->curve_len},
                                  LABEL(label),
                                  FLAG(CKA_TOKEN, CK_TRUE),
                                  FLAG(CKA_PRIVATE, CK_FALSE),
                                  FLAG(CKA_VERIFY, CK_TRUE)};
    CK_ATTRIBUTE private_half[] = {LABEL(label),
                                   FLAG(CKA_TOKEN, r->token),
                                   FLAG(CKA_PRIVATE, r->private),
                                   FLAG(CKA_SENSITIVE, r->sensitive),
                                   FLAG(CKA_EXTRACTABLE, r->extractable),
                                   FLAG(CKA_SIGN, r->sign),
                                   FLAG(CKA_SIGN_RECOVER, CK_FALSE),
                                   FLAG(CKA_DECRYPT, r->decrypt),
                                   FLAG(CKA_UNWRAP, CK_FALSE),
                                   FLAG(CKA_DERIVE, r->derive)};
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_OBJECT_HANDLE made[2];
    assert_int_equal(raw.module->C_GenerateKeyPair(
                         raw.session, &mechanism, public_half,
                         sizeof public_half / sizeof *public_half, private_half,
                         sizeof private_half / sizeof *private_half, &made[0], &made[1]),
                     CKR_OK);
    fixture_raw_close(&raw);
}

static void make_vault(const struct recipe *r)
{
    struct fixture_raw raw = fixture_raw_open();
    CK_ATTRIBUTE secret[] = {{CKA_VALUE_LEN, (void *)(uintptr_t)&r->aes_bytes, sizeof r->aes_bytes},
                             LABEL("itl-vault"),
                             FLAG(CKA_TOKEN, CK_TRUE),
                             FLAG(CKA_PRIVATE, r->private),
                             FLAG(CKA_SENSITIVE, r->sensitive),
                             FLAG(CKA_EXTRACTABLE, r->extractable),
                             FLAG(CKA_ENCRYPT, CK_TRUE),
                             FLAG(CKA_DECRYPT, r->decrypt),
                             FLAG(CKA_SIGN, CK_FALSE),
                             FLAG(CKA_VERIFY, CK_FALSE),
                             FLAG(CKA_WRAP, CK_FALSE),
                             FLAG(CKA_UNWRAP, CK_FALSE),
                             FLAG(CKA_DERIVE, r->derive)};
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    CK_OBJECT_HANDLE made;
    assert_int_equal(raw.module->C_GenerateKey(raw.session, &mechanism, secret,
                                               sizeof secret / sizeof *secret, &made),
                     CKR_OK);
    fixture_raw_close(&raw);
}

static void expect_find(enum hsm_role role, const char *reason)
{
    struct hsm_settings settings = fixture_settings(fixture_module());
    AUTO(hsm) h = NULL;
    assert_int_equal(hsm_open(&settings, &h).code, 0);
    struct hsm_key *key = NULL;
    assert_string_equal(err_reason(hsm_key_find(h, role, &key)), reason);
    if (strcmp(reason, "ok") != 0) {
        assert_null(key);
        assert_string_equal(err_reason(hsm_key_find(h, role, &key)),
                            reason); /* a refusal is not cached away */
    }
}

static void keys_of_the_ceremony_are_found(void **state)
{
    (void)state;
    fixture_key_new(HSM_ROLE_ENROLLMENT_CA);
    fixture_key_new(HSM_ROLE_AUDIT);
    fixture_key_new(HSM_ROLE_VAULT);
    fixture_key_new(HSM_ROLE_TLS);
    expect_find(HSM_ROLE_ENROLLMENT_CA, "ok");
    expect_find(HSM_ROLE_AUDIT, "ok");
    expect_find(HSM_ROLE_VAULT, "ok");
    expect_find(HSM_ROLE_TLS, "ok");
    expect_find(HSM_ROLE_NONE, "internal_error");
}

static void recipe_of_these_tests_is_accepted_unchanged(void **state)
{
    (void)state;
    make_pair("itl-audit", &good);
    make_vault(&good);
    expect_find(HSM_ROLE_AUDIT, "ok");
    expect_find(HSM_ROLE_VAULT, "ok");
}

static void missing_key_is_reported(void **state)
{
    (void)state;
    fixture_key_new(HSM_ROLE_AUDIT);
    expect_find(HSM_ROLE_ENROLLMENT_CA, "token_key_missing");
    expect_find(HSM_ROLE_VAULT, "token_key_missing");
}

static void ceremony_does_not_overwrite_a_key(void **state)
{
    (void)state;
    fixture_key_new(HSM_ROLE_AUDIT);
    struct hsm_settings settings = fixture_settings(fixture_module());
    AUTO(hsm) h = NULL;
    assert_int_equal(hsm_open_for_ceremony(&settings, &h).code, 0);
    assert_string_equal(err_reason(hsm_key_create(h, HSM_ROLE_AUDIT)), "token_exists");
}

static void service_session_makes_no_keys(void **state)
{
    (void)state;
    struct hsm_settings settings = fixture_settings(fixture_module());
    AUTO(hsm) h = NULL;
    assert_int_equal(hsm_open(&settings, &h).code, 0);
    assert_string_equal(err_reason(hsm_key_create(h, HSM_ROLE_AUDIT)), "internal_error");
}

static void two_keys_of_one_label_are_refused(void **state)
{
    (void)state;
    make_pair("itl-audit", &good);
    make_pair("itl-audit", &good);
    expect_find(HSM_ROLE_AUDIT, "token_key_ambiguous");
}

static void key_that_lives_in_the_session_only_is_missing(void **state)
{
    (void)state;
    struct recipe r = good;
    r.token = CK_FALSE;
    make_pair("itl-audit", &r);
    expect_find(HSM_ROLE_AUDIT, "token_key_missing");
}

static void extractable_key_is_refused(void **state)
{
    (void)state;
    struct recipe r = good;
    r.extractable = CK_TRUE;
    make_pair("itl-audit", &r);
    make_vault(&r);
    expect_find(HSM_ROLE_AUDIT, "token_key_extractable");
    expect_find(HSM_ROLE_VAULT, "token_key_extractable");
}

static void readable_key_is_refused(void **state)
{
    (void)state;
    struct recipe r = good;
    r.sensitive = CK_FALSE;
    make_pair("itl-audit", &r);
    make_vault(&r);
    expect_find(HSM_ROLE_AUDIT, "token_key_extractable");
    expect_find(HSM_ROLE_VAULT, "token_key_extractable");
}

static void key_usable_without_login_is_refused(void **state)
{
    (void)state;
    struct recipe r = good;
    r.private = CK_FALSE;
    make_vault(&r);
    expect_find(HSM_ROLE_VAULT, "token_key_extractable");
}

/* A key that was brought in is known to others, whatever its flags say now. */
static void imported_key_is_refused(void **state)
{
    (void)state;
    static const CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    static const CK_KEY_TYPE type = CKK_AES;
    static const uint8_t value[32] = {1};
    struct fixture_raw raw = fixture_raw_open();
    CK_ATTRIBUTE secret[] = {{CKA_CLASS, (void *)(uintptr_t) & class, sizeof class},
                             {CKA_KEY_TYPE, (void *)(uintptr_t)&type, sizeof type},
                             {CKA_VALUE, (void *)(uintptr_t)value, sizeof value},
                             LABEL("itl-vault"),
                             FLAG(CKA_TOKEN, CK_TRUE),
                             FLAG(CKA_PRIVATE, CK_TRUE),
                             FLAG(CKA_SENSITIVE, CK_TRUE),
                             FLAG(CKA_EXTRACTABLE, CK_FALSE),
                             FLAG(CKA_ENCRYPT, CK_TRUE),
                             FLAG(CKA_DECRYPT, CK_FALSE)};
    CK_OBJECT_HANDLE made;
    assert_int_equal(
        raw.module->C_CreateObject(raw.session, secret, sizeof secret / sizeof *secret, &made),
        CKR_OK);
    fixture_raw_close(&raw);
    expect_find(HSM_ROLE_VAULT, "token_key_extractable");
}

static void wrong_curve_is_refused(void **state)
{
    (void)state;
    struct recipe r = good;
    r.curve = p256;
    r.curve_len = sizeof p256;
    make_pair("itl-audit", &r);
    expect_find(HSM_ROLE_AUDIT, "token_key_type");
}

static void short_vault_key_is_refused(void **state)
{
    (void)state;
    struct recipe r = good;
    r.aes_bytes = 16;
    make_vault(&r);
    expect_find(HSM_ROLE_VAULT, "token_key_type");
}

static void wider_usage_is_refused(void **state)
{
    (void)state;
    struct recipe r = good;
    r.derive = CK_TRUE;
    make_pair("itl-audit", &r);
    expect_find(HSM_ROLE_AUDIT, "token_key_usage");
    r = good;
    r.decrypt = CK_TRUE;
    make_vault(&r);
    expect_find(HSM_ROLE_VAULT, "token_key_usage");
}

static void key_that_may_not_sign_is_refused(void **state)
{
    (void)state;
    struct recipe r = good;
    r.sign = CK_FALSE;
    make_pair("itl-audit", &r);
    expect_find(HSM_ROLE_AUDIT, "token_key_usage");
}

/* The public object is unprotected: somebody put another key's in its place. */
static void foreign_public_half_is_refused(void **state)
{
    (void)state;
    make_pair("itl-audit", &good);
    make_pair("another", &good);
    struct fixture_raw raw = fixture_raw_open();
    CK_OBJECT_HANDLE ours = fixture_find(&raw, CKO_PUBLIC_KEY, "itl-audit");
    CK_OBJECT_HANDLE theirs = fixture_find(&raw, CKO_PUBLIC_KEY, "another");
    CK_ATTRIBUTE label = LABEL("itl-audit");
    assert_int_equal(raw.module->C_DestroyObject(raw.session, ours), CKR_OK);
    assert_int_equal(raw.module->C_SetAttributeValue(raw.session, theirs, &label, 1), CKR_OK);
    fixture_raw_close(&raw);
    expect_find(HSM_ROLE_AUDIT, "token_key_type");
}

static void missing_public_half_is_reported(void **state)
{
    (void)state;
    make_pair("itl-audit", &good);
    struct fixture_raw raw = fixture_raw_open();
    assert_int_equal(
        raw.module->C_DestroyObject(raw.session, fixture_find(&raw, CKO_PUBLIC_KEY, "itl-audit")),
        CKR_OK);
    fixture_raw_close(&raw);
    expect_find(HSM_ROLE_AUDIT, "token_key_missing");
}

#define KEY_TEST(name) cmocka_unit_test_setup(name, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEY_TEST(keys_of_the_ceremony_are_found),
        KEY_TEST(recipe_of_these_tests_is_accepted_unchanged),
        KEY_TEST(missing_key_is_reported),
        KEY_TEST(ceremony_does_not_overwrite_a_key),
        KEY_TEST(service_session_makes_no_keys),
        KEY_TEST(two_keys_of_one_label_are_refused),
        KEY_TEST(key_that_lives_in_the_session_only_is_missing),
        KEY_TEST(extractable_key_is_refused),
        KEY_TEST(readable_key_is_refused),
        KEY_TEST(key_usable_without_login_is_refused),
        KEY_TEST(imported_key_is_refused),
        KEY_TEST(wrong_curve_is_refused),
        KEY_TEST(short_vault_key_is_refused),
        KEY_TEST(wider_usage_is_refused),
        KEY_TEST(key_that_may_not_sign_is_refused),
        KEY_TEST(foreign_public_half_is_refused),
        KEY_TEST(missing_public_half_is_reported),
    };
    _exit(cmocka_run_group_tests_name("hsm_key", tests, set_up, tear_down));
}
