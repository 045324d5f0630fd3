#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ASSERT_OK(expr)   assert_string_equal(err_reason(expr), "ok")
#define ASSERT_E(expr, e) assert_string_equal(err_reason(expr), err_reason(E(e)))

static struct options options;
static const char *subject;

/* Words of a command line behind the program's name. */
static err_t parse(const char *line)
{
    static char copy[512];
    static char *words[40];
    strncpy(copy, line, sizeof copy - 1);
    int count = 0;
    words[count++] = (char *)(uintptr_t) "attestation";
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        words[count++] = word;
    }
    words[count] = NULL;
    return options_parse(count, words, &options, &subject);
}

static int clean_environment(void **state)
{
    (void)state;
    unsetenv("ATTESTATION_API_URL");
    unsetenv("ATTESTATION_CA");
    unsetenv("ATTESTATION_PIN");
    unsetenv("ATTESTATION_CREDENTIAL");
    return 0;
}

static void options_stand_anywhere(void **state)
{
    (void)state;
    ASSERT_OK(parse("--api-url https://a machine --role worker-app approve -o json abcd --yes"));
    assert_string_equal(options.api_url, "https://a");
    assert_string_equal(options.role, "worker-app");
    assert_int_equal(options.output, OUTPUT_JSON);
    assert_int_equal(options.arguments_count, 3);
    assert_string_equal(options.arguments[2], "abcd");
    assert_int_equal(options.given, OPTION_API_URL | OPTION_ROLE | OPTION_OUTPUT | OPTION_YES);
}

static void ca_folders_may_be_given_several_times(void **state)
{
    (void)state;
    ASSERT_OK(parse("evidence ek FILE --ca-dir roots --ca-dir more --json"));
    assert_int_equal(options.ca_dirs_count, 2);
    assert_string_equal(options.ca_dirs[1], "more");
    assert_int_equal(options.output, OUTPUT_JSON);
    ASSERT_E(parse("x --ca-dir 1 --ca-dir 2 --ca-dir 3 --ca-dir 4 --ca-dir 5 --ca-dir 6 "
                   "--ca-dir 7 --ca-dir 8 --ca-dir 9"),
             TOO_LONG);
}

static void environment_stands_in_for_options(void **state)
{
    (void)state;
    setenv("ATTESTATION_API_URL", "https://environment", 1);
    setenv("ATTESTATION_PIN", "", 1);
    ASSERT_OK(parse("machine list"));
    assert_string_equal(options.api_url, "https://environment");
    assert_null(options.pin);
    assert_int_equal(options.given, 0);
    ASSERT_OK(parse("machine list --api-url https://option"));
    assert_string_equal(options.api_url, "https://option");
    clean_environment(NULL);
}

static void unknown_options_are_named(void **state)
{
    (void)state;
    ASSERT_E(parse("machine list --insecure"), FIELD_UNKNOWN);
    assert_string_equal(subject, "--insecure");
    ASSERT_E(parse("machine list --no-verify"), FIELD_UNKNOWN);
    ASSERT_E(parse("machine list -k"), FIELD_UNKNOWN);
}

static void options_without_their_value_are_named(void **state)
{
    (void)state;
    ASSERT_E(parse("machine list --role"), FIELD_MISSING);
    assert_string_equal(subject, "--role");
}

static void output_is_table_or_json(void **state)
{
    (void)state;
    ASSERT_E(parse("machine list -o yaml"), FIELD_INVALID);
    ASSERT_OK(parse("machine list --output table"));
    assert_int_equal(options.output, OUTPUT_TABLE);
}

static void more_words_than_any_command_has_are_refused(void **state)
{
    (void)state;
    ASSERT_E(parse("a b c d e"), FIELD_UNKNOWN);
    assert_string_equal(subject, "e");
}

static void names_of_options_are_found_by_their_bit(void **state)
{
    (void)state;
    assert_string_equal(options_name(OPTION_EK_FINGERPRINT), "ek-fingerprint");
    assert_string_equal(options_name(0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(ca_folders_may_be_given_several_times),
        cmocka_unit_test(environment_stands_in_for_options),
        cmocka_unit_test(unknown_options_are_named),
        cmocka_unit_test(options_without_their_value_are_named),
        cmocka_unit_test(output_is_table_or_json),
        cmocka_unit_test(more_words_than_any_command_has_are_refused),
        cmocka_unit_test(names_of_options_are_found_by_their_bit),
    };
    return cmocka_run_group_tests(tests, clean_environment, NULL);
}
