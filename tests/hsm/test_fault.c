/* What SoftHSM does not do by itself: locked PINs, removal and return, tokens that fail or hang. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "faulty.h"
#include "fixture.h"

static struct faulty *faulty;

static int set_up(void **state)
{
    (void)state;
    fixture_store_new();
    fixture_token_new(FIXTURE_TOKEN);
    fixture_key_new(HSM_ROLE_AUDIT);
    setenv("ITL_FAULTY_REAL", fixture_module(), 1);
    void *module = dlopen(ITL_FAULTY_MODULE, RTLD_NOW);
    assert_non_null(module);
    faulty = dlsym(module, "faulty_state");
    assert_non_null(faulty);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_store_remove();
    return 0;
}

static int reset(void **state)
{
    (void)state;
    *faulty = (struct faulty){.fault = FAULT_NONE};
    return 0;
}

static void expect_open(enum fault fault, const char *reason, unsigned logins)
{
    faulty->fault = fault;
    struct hsm_settings settings = fixture_settings(ITL_FAULTY_MODULE);
    AUTO(hsm) h = NULL;
    assert_string_equal(err_reason(hsm_open(&settings, &h)), reason);
    assert_int_equal(faulty->logins, logins);
}

static struct hsm *open_faulty(struct hsm_key **out_key)
{
    struct hsm_settings settings = fixture_settings(ITL_FAULTY_MODULE);
    settings.deadline_ms = 300;
    struct hsm *h = NULL;
    assert_int_equal(hsm_open(&settings, &h).code, 0);
    assert_int_equal(hsm_key_find(h, HSM_ROLE_AUDIT, out_key).code, 0);
    return h;
}

static err_t sign(struct hsm_key *key)
{
    uint8_t digest[HSM_DIGEST_BYTES] = {1};
    AUTO(buf) out = NULL;
    assert_true(IS_OK(buf_new(HSM_SIGNATURE_MAX_BYTES, &out)));
    err_t err = hsm_sign_p384(key, digest, out);
    assert_int_equal(out->len > 0, IS_OK(err));
    return err;
}

static void faultless_module_opens(void **state)
{
    (void)state;
    expect_open(FAULT_NONE, "ok", 1);
}

static void locked_pin_is_told_without_an_attempt(void **state)
{
    (void)state;
    expect_open(FAULT_PIN_LOCKED, "token_pin_locked", 0);
}

static void last_attempt_is_left_to_the_operator(void **state)
{
    (void)state;
    expect_open(FAULT_PIN_FINAL, "token_pin_final_try", 0);
}

static void refused_pin_is_tried_once(void **state)
{
    (void)state;
    expect_open(FAULT_LOGIN_REFUSED, "token_pin", 1);
}

static void pin_locked_by_others_is_told(void **state)
{
    (void)state;
    expect_open(FAULT_LOGIN_LOCKED, "token_pin_locked", 1);
}

static void token_that_comes_back_signs_on(void **state)
{
    (void)state;
    struct hsm_key *key = NULL;
    AUTO(hsm) h = open_faulty(&key);
    unsigned logins = faulty->logins;
    faulty->fault = FAULT_SIGN_REMOVED;
    assert_string_equal(err_reason(sign(key)), "ok");
    assert_int_equal(faulty->logins, logins + 1);
}

static void pin_refused_on_return_is_never_tried_again(void **state)
{
    (void)state;
    struct hsm_key *key = NULL;
    AUTO(hsm) h = open_faulty(&key);
    unsigned logins = faulty->logins;
    fixture_close_all_sessions();
    faulty->fault = FAULT_LOGIN_REFUSED;
    assert_string_equal(err_reason(sign(key)), "token_pin");
    assert_string_equal(err_reason(sign(key)), "token_pin");
    assert_string_equal(err_reason(hsm_ready(h)), "token_pin");
    assert_int_equal(faulty->logins, logins + 1);
}

static void failing_token_is_told_and_not_asked_again(void **state)
{
    (void)state;
    struct hsm_key *key = NULL;
    AUTO(hsm) h = open_faulty(&key);
    unsigned signs = faulty->signs;
    faulty->fault = FAULT_SIGN_BROKEN;
    assert_string_equal(err_reason(sign(key)), "token_failed");
    assert_int_equal(faulty->signs, signs + 1);
    faulty->fault = FAULT_NONE;
    assert_string_equal(err_reason(sign(key)), "ok");
}

static void short_signature_is_refused(void **state)
{
    (void)state;
    struct hsm_key *key = NULL;
    AUTO(hsm) h = open_faulty(&key);
    faulty->fault = FAULT_SIGN_SHORT;
    assert_string_equal(err_reason(sign(key)), "token_failed");
}

static void missing_mechanism_is_told(void **state)
{
    (void)state;
    struct hsm_key *key = NULL;
    AUTO(hsm) h = open_faulty(&key);
    faulty->fault = FAULT_NO_MECHANISM;
    assert_string_equal(err_reason(hsm_probe_mechanisms(h, HSM_ROLE_AUDIT)), "token_mechanism");
}

static void module_that_hangs_ends_the_process_with_the_deadline(void **state)
{
    (void)state;
    uint64_t start_ms = clock_monotonic_ms();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct hsm_key *key = NULL;
        struct hsm *h = open_faulty(&key);
        faulty->fault = FAULT_SIGN_HANGS;
        IGNORE_ERR(sign(key));
        hsm_close(h);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), HSM_EXIT_STUCK);
    assert_true(clock_monotonic_ms() - start_ms < 20000);
}

#define FAULT_TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(faultless_module_opens),
        FAULT_TEST(locked_pin_is_told_without_an_attempt),
        FAULT_TEST(last_attempt_is_left_to_the_operator),
        FAULT_TEST(refused_pin_is_tried_once),
        FAULT_TEST(pin_locked_by_others_is_told),
        FAULT_TEST(token_that_comes_back_signs_on),
        FAULT_TEST(pin_refused_on_return_is_never_tried_again),
        FAULT_TEST(failing_token_is_told_and_not_asked_again),
        FAULT_TEST(short_signature_is_refused),
        FAULT_TEST(missing_mechanism_is_told),
        FAULT_TEST(module_that_hangs_ends_the_process_with_the_deadline),
    };
    _exit(cmocka_run_group_tests_name("hsm_fault", tests, set_up, tear_down));
}
