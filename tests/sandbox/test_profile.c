/* The tables as texts: reasons, duplicates, argument rules where a bare call would be too much, and
 * the hash. */
#include "sealed.h"

#include <string.h>

#include "sandbox/profile.h"

static size_t rows_of(const struct variant *variant, const struct row **out_rows, size_t max)
{
    struct row_set sets[PROFILE_SETS_MAX];
    size_t set_count = profile_sets(variant->profile, variant->softhsm, sets);
    size_t count = 0;
    for (size_t s = 0; s < set_count; s++) {
        for (size_t i = 0; i < sets[s].count; i++) {
            assert_true(count < max);
            out_rows[count++] = &sets[s].rows[i];
        }
    }
    return count;
}

enum { ROWS_MAX = 400 };

static void each_row_has_a_reason(void **state)
{
    (void)state;
    const struct row *rows[ROWS_MAX];
    for (size_t v = 0; v < VARIANT_COUNT; v++) {
        size_t count = rows_of(&VARIANTS[v], rows, ROWS_MAX);
        assert_true(count > 20);
        for (size_t i = 0; i < count; i++) {
            assert_true(strlen(rows[i]->why) >= 4);
            assert_true(rows[i]->action == ROW_ALLOW || rows[i]->error != 0);
        }
    }
}

static void no_call_is_listed_twice(void **state)
{
    (void)state;
    const struct row *rows[ROWS_MAX];
    for (size_t v = 0; v < VARIANT_COUNT; v++) {
        size_t count = rows_of(&VARIANTS[v], rows, ROWS_MAX);
        for (size_t i = 0; i < count; i++) {
            for (size_t j = 0; j < i; j++) {
                if (strcmp(rows[i]->name, rows[j]->name) == 0) {
                    fail_msg("%s lists %s twice", VARIANTS[v].name, rows[i]->name);
                }
            }
        }
    }
}

/* Calls that are too much without a look at their arguments, and the one process that needs them
 * so. */
static const struct {
    const char *name;
    enum sandbox_profile bare_in;
} TOO_MUCH[] = {
    {"clone", SANDBOX_NONE},         {"clone3", SANDBOX_NONE},
    {"socket", SANDBOX_NONE},        {"socketpair", SANDBOX_NONE},
    {"ioctl", SANDBOX_NONE},         {"prctl", SANDBOX_NONE},
    {"mmap", SANDBOX_NONE},          {"mprotect", SANDBOX_NONE},
    {"personality", SANDBOX_NONE},   {"ptrace", SANDBOX_NONE},
    {"bpf", SANDBOX_NONE},           {"execve", SANDBOX_SUPERVISOR},
    {"connect", SANDBOX_SUPERVISOR}, {"bind", SANDBOX_SUPERVISOR},
    {"openat", SANDBOX_SUPERVISOR},  {"open", SANDBOX_SUPERVISOR},
    {"fcntl", SANDBOX_SUPERVISOR},   {"setsockopt", SANDBOX_SUPERVISOR},
    {"sendmsg", SANDBOX_SUPERVISOR}, /* recvmsg: every.def says why; ipc_channel's tests that no descriptor comes */
    {"kill", SANDBOX_SUPERVISOR},    {"tgkill", SANDBOX_SUPERVISOR},
};

static void dangerous_calls_are_allowed_by_argument_only(void **state)
{
    (void)state;
    const struct row *rows[ROWS_MAX];
    for (size_t v = 0; v < VARIANT_COUNT; v++) {
        size_t count = rows_of(&VARIANTS[v], rows, ROWS_MAX);
        for (size_t i = 0; i < count * (sizeof(TOO_MUCH) / sizeof(TOO_MUCH[0])); i++) {
            const struct row *row = rows[i % count];
            size_t t = i / count;
            bool bare = row->action == ROW_ALLOW && row->rule == RULE_ANY;
            if (bare && strcmp(row->name, TOO_MUCH[t].name) == 0 &&
                VARIANTS[v].profile != TOO_MUCH[t].bare_in) {
                fail_msg("%s allows %s whatever its arguments", VARIANTS[v].name, row->name);
            }
        }
    }
}

static uint64_t hash_of(const struct variant *variant)
{
    const struct sandbox_settings settings = {.profile = variant->profile,
                                              .softhsm = variant->softhsm};
    return sandbox_profile_hash(&settings);
}

static void each_profile_has_a_hash_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        assert_int_equal(hash_of(&VARIANTS[i]), hash_of(&VARIANTS[i]));
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(hash_of(&VARIANTS[i]), hash_of(&VARIANTS[j]));
        }
    }
}

static void the_hash_does_not_depend_on_paths(void **state)
{
    (void)state;
    const struct sandbox_path path = {"/etc", false, false};
    const struct sandbox_settings with = {
        .profile = SANDBOX_SIGNER, .paths = &path, .path_count = 1};
    const struct sandbox_settings without = {.profile = SANDBOX_SIGNER};
    assert_int_equal(sandbox_profile_hash(&with), sandbox_profile_hash(&without));
}

static void no_profile_has_no_rows(void **state)
{
    (void)state;
    struct row_set sets[PROFILE_SETS_MAX];
    assert_int_equal(profile_sets(SANDBOX_NONE, false, sets), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_has_a_reason),
        cmocka_unit_test(no_call_is_listed_twice),
        cmocka_unit_test(dangerous_calls_are_allowed_by_argument_only),
        cmocka_unit_test(each_profile_has_a_hash_of_its_own),
        cmocka_unit_test(the_hash_does_not_depend_on_paths),
        cmocka_unit_test(no_profile_has_no_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
