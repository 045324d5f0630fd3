#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"

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

static void expect_open(const struct hsm_settings *settings, const char *reason)
{
    AUTO(hsm) h = NULL;
    assert_string_equal(err_reason(hsm_open(settings, &h)), reason);
}

static void token_opens_with_label_and_pin(void **state)
{
    (void)state;
    struct hsm_settings settings = fixture_settings(fixture_module());
    AUTO(hsm) h = NULL;
    assert_int_equal(hsm_open(&settings, &h).code, 0);
    assert_int_equal(hsm_ready(h).code, 0);
    char text[HSM_TOKEN_TEXT_SIZE];
    assert_int_equal(hsm_describe(h, text).code, 0);
    assert_non_null(strstr(text, "SoftHSM"));
}

static void token_opens_again_after_close(void **state)
{
    (void)state;
    struct hsm_settings settings = fixture_settings(fixture_module());
    for (int i = 0; i < 3; i++) {
        expect_open(&settings, "ok");
    }
}

static void missing_module_is_reported(void **state)
{
    (void)state;
    struct hsm_settings settings = fixture_settings("/nowhere/module.so");
    expect_open(&settings, "token_module");
    settings.module = "libsofthsm2.so";
    expect_open(&settings, "token_module");
    settings.module = NULL;
    expect_open(&settings, "token_module");
}

static void library_that_is_no_module_is_reported(void **state)
{
    (void)state;
    struct hsm_settings settings = fixture_settings("/lib/x86_64-linux-gnu/libm.so.6");
    expect_open(&settings, "token_module");
}

static void missing_token_is_reported(void **state)
{
    (void)state;
    struct hsm_settings settings = fixture_settings(fixture_module());
    settings.token_label = "another token";
    expect_open(&settings, "token_absent");
}

/* The label is compared whole: neither a beginning nor a continuation of it will do. */
static void part_of_a_label_is_another_label(void **state)
{
    (void)state;
    struct hsm_settings settings = fixture_settings(fixture_module());
    settings.token_label = "itl test";
    expect_open(&settings, "token_absent");
    settings.token_label = FIXTURE_TOKEN "s";
    expect_open(&settings, "token_absent");
}

static void overlong_label_and_pin_are_refused(void **state)
{
    (void)state;
    static const uint8_t long_pin[HSM_PIN_MAX_BYTES + 1] = {'1'};
    struct hsm_settings settings = fixture_settings(fixture_module());
    settings.token_label = "123456789012345678901234567890123";
    expect_open(&settings, "config_invalid");
    settings = fixture_settings(fixture_module());
    settings.pin = view_of(long_pin, sizeof long_pin);
    expect_open(&settings, "config_invalid");
    settings = fixture_settings(fixture_module());
    settings.token_label = "";
    expect_open(&settings, "config_invalid");
}

static void two_tokens_of_one_label_are_refused(void **state)
{
    (void)state;
    fixture_token_new("twin");
    struct hsm_settings settings = fixture_settings(fixture_module());
    settings.token_label = "twin";
    assert_string_equal(err_reason(hsm_token_create(&settings, view_text(FIXTURE_SO_PIN))),
                        "token_exists");
    /* Made behind the ceremony's back. */
    assert_int_equal(
        system(
            "softhsm2-util --init-token --free --label twin --pin 1234 --so-pin 123456 >/dev/null"),
        0);
    expect_open(&settings, "token_ambiguous");
}

static void wrong_pin_is_refused_and_right_one_still_works(void **state)
{
    (void)state;
    struct hsm_settings settings = fixture_settings(fixture_module());
    settings.pin = view_text("wrong");
    expect_open(&settings, "token_pin");
    settings.pin = VIEW_EMPTY;
    expect_open(&settings, "token_pin");
    settings.pin = view_text(FIXTURE_PIN);
    expect_open(&settings, "ok");
}

static void token_has_the_mechanisms_of_every_role(void **state)
{
    (void)state;
    struct hsm_settings settings = fixture_settings(fixture_module());
    AUTO(hsm) h = NULL;
    assert_int_equal(hsm_open(&settings, &h).code, 0);
    assert_int_equal(hsm_probe_mechanisms(h, HSM_ROLE_ENROLLMENT_CA).code, 0);
    assert_int_equal(hsm_probe_mechanisms(h, HSM_ROLE_AUDIT).code, 0);
    assert_int_equal(hsm_probe_mechanisms(h, HSM_ROLE_VAULT).code, 0);
    assert_int_equal(hsm_probe_mechanisms(h, HSM_ROLE_TLS).code, 0);
    assert_string_equal(err_reason(hsm_probe_mechanisms(h, HSM_ROLE_NONE)), "internal_error");
}

static void existence_is_told_without_a_pin(void **state)
{
    (void)state;
    struct hsm_settings settings = fixture_settings(fixture_module());
    settings.pin = VIEW_EMPTY;
    bool exists = false;
    assert_int_equal(hsm_token_exists(&settings, &exists).code, 0);
    assert_true(exists);
    settings.token_label = "another token";
    assert_int_equal(hsm_token_exists(&settings, &exists).code, 0);
    assert_false(exists);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_opens_with_label_and_pin),
        cmocka_unit_test(token_opens_again_after_close),
        cmocka_unit_test(missing_module_is_reported),
        cmocka_unit_test(library_that_is_no_module_is_reported),
        cmocka_unit_test(missing_token_is_reported),
        cmocka_unit_test(part_of_a_label_is_another_label),
        cmocka_unit_test(overlong_label_and_pin_are_refused),
        cmocka_unit_test(two_tokens_of_one_label_are_refused),
        cmocka_unit_test(wrong_pin_is_refused_and_right_one_still_works),
        cmocka_unit_test(token_has_the_mechanisms_of_every_role),
        cmocka_unit_test(existence_is_told_without_a_pin),
    };
    _exit(cmocka_run_group_tests_name("hsm_token", tests, set_up, tear_down));
}
