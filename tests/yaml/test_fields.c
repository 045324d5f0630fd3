/* Mappings read by a table, and values of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "yaml/fields.h"
#include "yaml/value.h"

#include <stdio.h>
#include <string.h>

static const struct yaml_limits limits = {.bytes_max = 4096, .depth_max = 8, .documents_max = 1};

static struct yaml_tree *tree_of(const char *text)
{
    struct yaml_tree *tree = NULL;
    struct yaml_problem problem;
    assert_true(IS_OK(yaml_tree_read(view_text(text), &limits, &tree, &problem)));
    return tree;
}

static ERRFN take_one(void *context, const struct yaml_tree *tree, uint32_t node,
                      struct yaml_problem *problem)
{
    (void)problem;
    char *seen = context;
    snprintf(seen + strlen(seen), 32 - strlen(seen), "%.*s.", (int)tree->nodes[node].text.len,
             (const char *)tree->nodes[node].text.data);
    return OK;
}

static ERRFN refuse(void *context, const struct yaml_tree *tree, uint32_t node,
                    struct yaml_problem *problem)
{
    (void)context;
    return yaml_tree_problem(tree, node, problem, "not this one");
}

static const struct yaml_field fields[] = {
    {"a", true, take_one}, {"b", false, take_one}, {"bad", false, refuse}};

static err_t read_fields(const char *text, char seen[static 32], struct yaml_problem *problem)
{
    AUTO(yaml_tree) tree = tree_of(text);
    seen[0] = '\0';
    return YAML_FIELDS_READ(tree, 0, fields, seen, problem);
}

static void values_reach_their_fields_in_the_order_of_the_text(void **state)
{
    (void)state;
    char seen[32];
    struct yaml_problem problem;
    assert_true(IS_OK(read_fields("b: 2\na: 1\n", seen, &problem)));
    assert_string_equal(seen, "2.1.");
    assert_true(IS_OK(read_fields("a: 1\n", seen, &problem)));
}

static void unknown_missing_and_refused_fields_are_shown_where_they_stand(void **state)
{
    (void)state;
    static const struct {
        const char *document, *text, *path;
        unsigned line, column;
    } rows[] = {
        {"a: 1\nc: 2\n", "there is no such setting", "c", 2, 1},
        {"b: 1\n", "a is required", "", 1, 1},
        {"a: 1\nbad: x\n", "not this one", "bad", 2, 6},
        {"[a]\n", "expected settings, one `key: value` a line", "", 1, 1},
        {"a\n", "expected settings, one `key: value` a line", "", 1, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char seen[32];
        struct yaml_problem problem;
        assert_true(IS_E(read_fields(rows[i].document, seen, &problem), YAML_INVALID));
        assert_string_equal(problem.text, rows[i].text);
        assert_string_equal(problem.path, rows[i].path);
        assert_int_equal(problem.line, rows[i].line);
        assert_int_equal(problem.column, rows[i].column);
    }
}

static void spans_of_time_have_a_unit_and_stay_in_their_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } rows[] = {
        {"90s", 90000},     {"30m", 1800000},   {"24h", 86400000}, {"7d", 604800000},
        {"2s", 2000},       {"1s", 0},          {"8d", 0},         {"90", 0},
        {"s", 0},           {"1.5h", 0},        {"-1h", 0},        {"1w", 0},
        {"1 h", 0},         {"01h", 0},         {"'24h'", 0},      {"[24h]", 0},
        {"4294967295d", 0}, {"4294967296d", 0}, {"~", 0},          {"99999999999h", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(yaml_tree) tree = tree_of(rows[i].text);
        struct yaml_problem problem = {0};
        uint64_t ms = 0;
        err_t e = yaml_value_duration(tree, 0, 2000, 7ULL * 86400000, &ms, &problem);
        assert_int_equal(IS_OK(e), rows[i].ms > 0);
        assert_true(ms == rows[i].ms);
        assert_int_equal(strlen(problem.text) > 0, rows[i].ms == 0);
    }
}

static void times_are_rfc_3339(void **state)
{
    (void)state;
    AUTO(yaml_tree) tree = tree_of("[2026-11-26T12:00:00Z, 2026-11-26, [x]]");
    struct yaml_problem problem;
    uint64_t ms = 0;
    assert_true(IS_OK(yaml_value_time(tree, 1, &ms, &problem)));
    assert_true(ms == 1795694400000);
    assert_true(IS_E(yaml_value_time(tree, 2, &ms, &problem), YAML_INVALID));
    assert_int_equal(problem.column, 24);
    assert_true(IS_E(yaml_value_time(tree, 3, &ms, &problem), YAML_INVALID));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_reach_their_fields_in_the_order_of_the_text),
        cmocka_unit_test(unknown_missing_and_refused_fields_are_shown_where_they_stand),
        cmocka_unit_test(spans_of_time_have_a_unit_and_stay_in_their_bounds),
        cmocka_unit_test(times_are_rfc_3339),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
