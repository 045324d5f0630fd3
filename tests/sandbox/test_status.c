/* /proc/<pid>/status is judged field by field under exact names. */
#include "sealed.h"

#include <stdio.h>
#include <string.h>

#include "sandbox/status.h"

static const char GOOD[] = "Name:\tsleep\n"
                           "Umask:\t0077\n"
                           "Uid:\t10\t11\t12\t13\n"
                           "Gid:\t20\t21\t22\t23\n"
                           "Groups:\t \n"
                           "Threads:\t1\n"
                           "CapInh:\t0000000000000001\n"
                           "CapPrm:\t0000000000000002\n"
                           "CapEff:\t000001ffffffffff\n"
                           "CapBnd:\tffffffffffffffff\n"
                           "CapAmb:\t0000000000000000\n"
                           "NoNewPrivs:\t1\n"
                           "Seccomp:\t2\n"
                           "Seccomp_filters:\t7\n"
                           "nonvoluntary_ctxt_switches:\t0\n";

static void all_fields_are_read(void **state)
{
    (void)state;
    struct status s;
    assert_true(IS_OK(status_parse(view_text(GOOD), &s)));
    for (uint64_t i = 0; i < ID_COUNT; i++) {
        assert_int_equal(s.uids[i], 10 + i);
        assert_int_equal(s.gids[i], 20 + i);
    }
    assert_true(s.groups_empty);
    assert_int_equal(s.threads, 1);
    assert_int_equal(s.capabilities_inheritable, 1);
    assert_int_equal(s.capabilities_permitted, 2);
    assert_int_equal(s.capabilities_effective, 0x1ffffffffff);
    assert_int_equal(s.capabilities_bounding, UINT64_MAX);
    assert_int_equal(s.capabilities_ambient, 0);
    assert_int_equal(s.no_new_privs, 1);
    assert_int_equal(s.seccomp, 2);
}

/* GOOD with the first `from` replaced by `to`. */
static ERRFN parse_changed(const char *from, const char *to, struct status *out_status)
{
    const char *at = strstr(GOOD, from);
    assert_non_null(at);
    char text[sizeof(GOOD) + 256];
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - GOOD), GOOD, to, at + strlen(from));
    return status_parse(view_text(text), out_status);
}

static void a_missing_field_is_refused(void **state)
{
    (void)state;
    const char *const names[] = {
        "Uid:",    "Gid:",    "Groups:", "Threads:",    "CapInh:", "CapPrm:",
        "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct status s;
        assert_true(IS_E(parse_changed(names[i], "Other:", &s), SANDBOX_CHECK));
    }
}

static void a_field_that_only_starts_alike_is_not_taken(void **state)
{
    (void)state;
    struct status s;
    assert_true(IS_E(parse_changed("Seccomp:\t2\n", "", &s), SANDBOX_CHECK));
    assert_true(IS_E(parse_changed("Seccomp:\t2", "xSeccomp:\t2", &s), SANDBOX_CHECK));
}

static void a_field_given_twice_is_refused(void **state)
{
    (void)state;
    struct status s;
    assert_true(
        IS_E(parse_changed("Seccomp:\t2\n", "Seccomp:\t0\nSeccomp:\t2\n", &s), SANDBOX_CHECK));
}

static void malformed_numbers_are_refused(void **state)
{
    (void)state;
    const char *const values[] = {"Seccomp:\t\n", "Seccomp:\t2x\n", "Seccomp:\ta\n",
                                  "Seccomp:\t2 2\n", "Seccomp:\t-2\n"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct status s;
        assert_true(IS_E(parse_changed("Seccomp:\t2\n", values[i], &s), SANDBOX_CHECK));
    }
    struct status s;
    assert_true(IS_E(parse_changed("10\t11\t12\t13", "10\t11\t12", &s), SANDBOX_CHECK));
    assert_true(IS_E(parse_changed("10\t11\t12\t13", "10\t11\t12\t13\t14", &s), SANDBOX_CHECK));
    assert_true(IS_E(parse_changed("000001ffffffffff", "000001fffffffffff", &s), SANDBOX_CHECK));
}

static void groups_are_noticed(void **state)
{
    (void)state;
    struct status s;
    assert_true(IS_OK(parse_changed("Groups:\t \n", "Groups:\t0 \n", &s)));
    assert_false(s.groups_empty);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    size_t needed = (size_t)(strstr(GOOD, "Seccomp_filters") - GOOD);
    for (size_t len = 0; len < needed; len++) {
        struct status s;
        assert_true(IS_E(status_parse(view_of(GOOD, len), &s), SANDBOX_CHECK));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_fields_are_read),
        cmocka_unit_test(a_missing_field_is_refused),
        cmocka_unit_test(a_field_that_only_starts_alike_is_not_taken),
        cmocka_unit_test(a_field_given_twice_is_refused),
        cmocka_unit_test(malformed_numbers_are_refused),
        cmocka_unit_test(groups_are_noticed),
        cmocka_unit_test(every_cut_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
