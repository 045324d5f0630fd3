/* No signature searches the token: with other objects in it a search per signature cut the rate to
 * a quarter. OpenSC's pkcs11-spy between us and SoftHSM writes down every call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "fixture.h"

static char spy_log[128];

static int set_up(void **state)
{
    (void)state;
    fixture_store_new();
    fixture_token_new(FIXTURE_TOKEN);
    fixture_key_new(HSM_ROLE_AUDIT);
    fixture_key_new(HSM_ROLE_VAULT);
    snprintf(spy_log, sizeof spy_log, "%s/spy", fixture_store());
    setenv("PKCS11SPY", fixture_module(), 1);
    setenv("PKCS11SPY_OUTPUT", spy_log, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_store_remove();
    return 0;
}

static unsigned calls(const char *name)
{
    unsigned count = 0;
    char line[512];
    FILE *f = fopen(spy_log, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        const char *call = strstr(line, ": ");
        count += call && strcmp(call + 2, name) == 0;
    }
    fclose(f);
    return count;
}

static void use_every_path(struct hsm_key *audit, struct hsm_key *vault, struct hsm_provider *p,
                           EVP_PKEY *key)
{
    uint8_t digest[HSM_DIGEST_BYTES] = {1};
    AUTO(buf) out = NULL;
    AUTO(buf) sealed = NULL;
    AUTO(secret) opened = NULL;
    assert_true(IS_OK(buf_new(1024, &out)));
    assert_true(IS_OK(buf_new(1024, &sealed)));
    assert_int_equal(hsm_sign_p384(audit, digest, out).code, 0);
    assert_int_equal(hsm_provider_sign_sha384(p, key, view_text("m"), out).code, 0);
    assert_int_equal(hsm_seal(vault, VIEW_EMPTY, view_text("x"), sealed).code, 0);
    assert_int_equal(hsm_open_sealed(vault, VIEW_EMPTY, buf_view(sealed), &opened).code, 0);
}

static void signatures_and_seals_do_not_search_or_log_in_or_copy(void **state)
{
    (void)state;
    struct hsm_settings settings = fixture_settings(ITL_PKCS11_SPY);
    AUTO(hsm) h = NULL;
    AUTO(hsm_provider) p = NULL;
    struct hsm_key *audit = NULL;
    struct hsm_key *vault = NULL;
    EVP_PKEY *key = NULL;
    assert_int_equal(hsm_open(&settings, &h).code, 0);
    assert_int_equal(hsm_key_find(h, HSM_ROLE_AUDIT, &audit).code, 0);
    assert_int_equal(hsm_key_find(h, HSM_ROLE_VAULT, &vault).code, 0);
    assert_int_equal(hsm_provider_open(&settings, &p).code, 0);
    assert_int_equal(hsm_provider_key(p, HSM_ROLE_AUDIT, &key).code, 0);
    use_every_path(audit, vault, p, key);

    unsigned signatures = calls("C_Sign");
    unsigned searches = calls("C_FindObjectsInit");
    unsigned logins = calls("C_Login");
    unsigned sessions = calls("C_OpenSession");
    assert_true(searches > 0 && logins > 0 && sessions > 0); /* the log says what it should */
    for (int i = 0; i < 10; i++) {
        use_every_path(audit, vault, p, key);
        assert_int_equal(hsm_key_find(h, HSM_ROLE_AUDIT, &audit).code, 0);
    }
    assert_int_equal(calls("C_Sign"), signatures + 20);
    assert_int_equal(calls("C_FindObjectsInit"), searches);
    assert_int_equal(calls("C_Login"), logins);
    assert_int_equal(calls("C_OpenSession"), sessions);
    assert_int_equal(calls("C_CopyObject"), 0);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_and_seals_do_not_search_or_log_in_or_copy),
    };
    _exit(cmocka_run_group_tests_name("hsm_search", tests, set_up, tear_down));
}
