#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/random.h"
#include "fixture.h"

struct vault {
    struct hsm *h;
    struct hsm_key *key;
};

static struct vault vault;

static void open_vault(void)
{
    struct hsm_settings settings = fixture_settings(fixture_module());
    assert_int_equal(hsm_open(&settings, &vault.h).code, 0);
    assert_int_equal(hsm_key_find(vault.h, HSM_ROLE_VAULT, &vault.key).code, 0);
}

static int set_up(void **state)
{
    (void)state;
    fixture_store_new();
    fixture_token_new(FIXTURE_TOKEN);
    fixture_key_new(HSM_ROLE_VAULT);
    fixture_key_new(HSM_ROLE_AUDIT);
    open_vault();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hsm_close(vault.h);
    fixture_store_remove();
    return 0;
}

static struct buf *seal(const char *aad, struct view plaintext)
{
    struct buf *sealed = NULL;
    assert_true(IS_OK(buf_new(HSM_SEAL_OVERHEAD_BYTES + HSM_SEAL_MAX_BYTES, &sealed)));
    assert_int_equal(hsm_seal(vault.key, view_text(aad), plaintext, sealed).code, 0);
    return sealed;
}

static void expect_refused(const char *aad, struct view sealed, const char *reason)
{
    struct secret *none = NULL;
    assert_string_equal(err_reason(hsm_open_sealed(vault.key, view_text(aad), sealed, &none)),
                        reason);
    assert_null(none);
}

static void sealed_bytes_open_to_what_was_sealed(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 15, 16, 17, 32, 4096, HSM_SEAL_MAX_BYTES};
    uint8_t *plaintext = malloc(HSM_SEAL_MAX_BYTES);
    assert_non_null(plaintext);
    random_bytes(plaintext, HSM_SEAL_MAX_BYTES);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        AUTO(buf) sealed = seal("name", view_of(plaintext, lengths[i]));
        assert_int_equal(sealed->len, lengths[i] + HSM_SEAL_OVERHEAD_BYTES);
        AUTO(secret) opened = NULL;
        assert_int_equal(
            hsm_open_sealed(vault.key, view_text("name"), buf_view(sealed), &opened).code, 0);
        assert_true(view_equal(secret_view(opened), view_of(plaintext, lengths[i])));
    }
    free(plaintext);
}

static void same_plaintext_seals_differently_each_time(void **state)
{
    (void)state;
    AUTO(buf) one = seal("name", view_text("secret"));
    AUTO(buf) two = seal("name", view_text("secret"));
    assert_false(view_equal(buf_view(one), buf_view(two)));
}

static void every_altered_byte_is_refused(void **state)
{
    (void)state;
    AUTO(buf) sealed = seal("name", view_text("secret"));
    for (size_t i = 0; i < sealed->len; i++) {
        sealed->data[i] ^= 0x40;
        expect_refused("name", buf_view(sealed), "token_open_refused");
        sealed->data[i] ^= 0x40;
    }
    AUTO(secret) opened = NULL;
    assert_int_equal(hsm_open_sealed(vault.key, view_text("name"), buf_view(sealed), &opened).code,
                     0);
}

static void every_shortened_form_is_refused(void **state)
{
    (void)state;
    AUTO(buf) sealed = seal("name", view_text("secret"));
    for (size_t len = 0; len < sealed->len; len++) {
        expect_refused("name", view_of(sealed->data, len), "token_open_refused");
    }
}

static void another_name_is_refused(void **state)
{
    (void)state;
    AUTO(buf) sealed = seal("machine-1", view_text("secret"));
    expect_refused("machine-2", buf_view(sealed), "token_open_refused");
    expect_refused("", buf_view(sealed), "token_open_refused");
}

static void overlong_input_is_refused(void **state)
{
    (void)state;
    static uint8_t big[HSM_SEAL_MAX_BYTES + HSM_SEAL_OVERHEAD_BYTES + 1];
    AUTO(buf) out = NULL;
    assert_true(IS_OK(buf_new(sizeof big * 2, &out)));
    assert_string_equal(
        err_reason(hsm_seal(vault.key, VIEW_EMPTY, view_of(big, HSM_SEAL_MAX_BYTES + 1), out)),
        "too_long");
    assert_string_equal(
        err_reason(hsm_seal(vault.key, view_of(big, HSM_AAD_MAX_BYTES + 1), VIEW_EMPTY, out)),
        "too_long");
    assert_int_equal(out->len, 0);
    expect_refused("", view_of(big, sizeof big), "too_long");
}

static void full_output_buffer_is_left_as_it_was(void **state)
{
    (void)state;
    AUTO(buf) out = NULL;
    assert_true(IS_OK(buf_new(HSM_SEAL_OVERHEAD_BYTES + 3, &out)));
    assert_true(IS_OK(buf_put_text(out, "ab")));
    assert_string_equal(err_reason(hsm_seal(vault.key, VIEW_EMPTY, view_text("xyz"), out)),
                        "too_long");
    assert_true(view_is(buf_view(out), "ab"));
}

static void signing_key_does_not_seal(void **state)
{
    (void)state;
    struct hsm_key *audit = NULL;
    assert_int_equal(hsm_key_find(vault.h, HSM_ROLE_AUDIT, &audit).code, 0);
    AUTO(buf) out = NULL;
    assert_true(IS_OK(buf_new(100, &out)));
    assert_string_equal(err_reason(hsm_seal(audit, VIEW_EMPTY, VIEW_EMPTY, out)), "internal_error");
}

/* Last: replaces the vault key. */
static void another_vault_key_does_not_open(void **state)
{
    (void)state;
    AUTO(buf) sealed = seal("name", view_text("secret"));
    hsm_close(vault.h);
    vault.h = NULL;
    fixture_token_clear();
    fixture_key_new(HSM_ROLE_VAULT);
    open_vault();
    expect_refused("name", buf_view(sealed), "token_open_refused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed_bytes_open_to_what_was_sealed),
        cmocka_unit_test(same_plaintext_seals_differently_each_time),
        cmocka_unit_test(every_altered_byte_is_refused),
        cmocka_unit_test(every_shortened_form_is_refused),
        cmocka_unit_test(another_name_is_refused),
        cmocka_unit_test(overlong_input_is_refused),
        cmocka_unit_test(full_output_buffer_is_left_as_it_was),
        cmocka_unit_test(signing_key_does_not_seal),
        cmocka_unit_test(another_vault_key_does_not_open),
    };
    _exit(cmocka_run_group_tests_name("hsm_seal", tests, set_up, tear_down));
}
