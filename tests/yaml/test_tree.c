/* The bounded YAML reader: positions, references, paths, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "yaml/value.h"

#include <stdio.h>
#include <string.h>

static const struct yaml_limits strict = {
    .bytes_max = 64 * 1024, .depth_max = 8, .documents_max = 1};
static const struct yaml_limits loose = {
    .bytes_max = 256 * 1024, .depth_max = 32, .documents_max = 4, .references = true};

static struct yaml_tree *read_with(const struct yaml_limits *limits, const char *text)
{
    struct yaml_tree *tree = NULL;
    struct yaml_problem problem;
    err_t e = yaml_tree_read(view_text(text), limits, &tree, &problem);
    if (!IS_OK(e)) {
        fail_msg("%u:%u %s", problem.line, problem.column, problem.text);
    }
    return tree;
}

static void assert_refused(const struct yaml_limits *limits, const char *text, unsigned line,
                           unsigned column)
{
    struct yaml_tree *tree = NULL;
    struct yaml_problem problem;
    assert_true(IS_E(yaml_tree_read(view_text(text), limits, &tree, &problem), YAML_INVALID));
    assert_null(tree);
    assert_int_equal(problem.line, line);
    assert_int_equal(problem.column, column);
}

/* The bytes a node covers in its input. */
static void assert_covers(const char *text, const struct yaml_node *node, const char *expected)
{
    assert_int_equal(node->end - node->start, strlen(expected));
    assert_memory_equal(text + node->start, expected, strlen(expected));
}

static void nodes_cover_their_bytes_also_after_other_alphabets(void **state)
{
    (void)state;
    const char *text = "# \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\nk\xc3\xa9y: \"v\xc3\xa4lue\" # "
                       "c\nflow: {a: [1, 2]}\nblock:\n  - x: y\n  - 'z'\n";
    AUTO(yaml_tree) tree = read_with(&strict, text);
    uint32_t value = yaml_tree_find(tree, 0, "k\xc3\xa9y");
    assert_covers(text, &tree->nodes[value - 1], "k\xc3\xa9y");
    assert_covers(text, &tree->nodes[value], "\"v\xc3\xa4lue\"");
    assert_true(view_is(tree->nodes[value].text, "v\xc3\xa4lue"));
    assert_covers(text, &tree->nodes[yaml_tree_find(tree, 0, "flow")], "{a: [1, 2]}");
    assert_covers(text, &tree->nodes[yaml_tree_find(tree, 0, "block")], "- x: y\n  - 'z'");
}

static void nodes_cover_their_bytes_with_windows_line_ends(void **state)
{
    (void)state;
    const char *text = "a: b\r\nc:\r\n  d: e\r\n";
    AUTO(yaml_tree) tree = read_with(&strict, text);
    uint32_t c = yaml_tree_find(tree, 0, "c");
    assert_covers(text, &tree->nodes[yaml_tree_find(tree, c, "d")], "e");
}

static void paths_name_keys_and_items(void **state)
{
    (void)state;
    AUTO(yaml_tree) tree = read_with(&strict, "a:\n  b: [x, {c: d}]\n  \"e\\n\": f\n");
    char path[64];
    uint32_t b = yaml_tree_find(tree, yaml_tree_find(tree, 0, "a"), "b");
    yaml_tree_path(tree, b + 1, path, sizeof path);
    assert_string_equal(path, "a.b[0]");
    yaml_tree_path(tree, yaml_tree_find(tree, b + 2, "c"), path, sizeof path);
    assert_string_equal(path, "a.b[1].c");
    yaml_tree_path(tree, tree->nodes[b].next, path, sizeof path);
    assert_string_equal(path, "a.?");
    char small[6];
    yaml_tree_path(tree, b + 1, small, sizeof small);
    assert_string_equal(small, "a.b[0");
}

static void size_counts_entries_and_items(void **state)
{
    (void)state;
    AUTO(yaml_tree)
    tree = read_with(&strict, "a: [1, [2, 3], {x: y}]\nb: {}\nc: {d: {e: f}, g: h}\n");
    assert_int_equal(yaml_tree_size(tree, 0), 3);
    assert_int_equal(yaml_tree_size(tree, yaml_tree_find(tree, 0, "a")), 3);
    assert_int_equal(yaml_tree_size(tree, yaml_tree_find(tree, 0, "b")), 0);
    assert_int_equal(yaml_tree_size(tree, yaml_tree_find(tree, 0, "c")), 2);
}

static void references_are_marks_where_they_are_accepted(void **state)
{
    (void)state;
    AUTO(yaml_tree) tree = read_with(&loose, "a: &x 1\nb: *x\nc: !!str 2\n");
    assert_true(tree->nodes[yaml_tree_find(tree, 0, "a")].decorated);
    assert_int_equal(tree->nodes[yaml_tree_find(tree, 0, "b")].kind, YAML_KIND_ALIAS);
    assert_true(tree->nodes[yaml_tree_find(tree, 0, "c")].decorated);
}

static void references_are_refused_where_they_are_not(void **state)
{
    (void)state;
    assert_refused(&strict, "a: &x 1\n", 1, 4);
    assert_refused(&strict, "a: b\nc: *x\n", 2, 4);
    assert_refused(&strict, "a: !t 1\n", 1, 4);
    assert_refused(&strict, "&x a: 1\n", 1, 1);
}

static void several_documents_follow_each_other(void **state)
{
    (void)state;
    AUTO(yaml_tree) tree = read_with(&loose, "a: b\n---\nc: d\n...\n---\n- e\n");
    assert_int_equal(tree->documents, 3);
    uint32_t second = tree->nodes[0].next;
    assert_int_not_equal(yaml_tree_find(tree, second, "c"), YAML_NODE_NONE);
    assert_int_equal(tree->nodes[tree->nodes[second].next].kind, YAML_KIND_SEQUENCE);
    assert_refused(&strict, "a: b\n---\nc: d\n", 2, 1);
    assert_refused(&loose, "a\n---\na\n---\na\n---\na\n---\na\n", 8, 1);
}

static void repeated_keys_are_refused_however_they_are_written(void **state)
{
    (void)state;
    assert_refused(&strict, "a: 1\n'a': 2\n", 2, 1);
    assert_refused(&strict, "{a: {b: 1, b: 2}}\n", 1, 12);
    assert_refused(&strict, "a: {x: 1}\nb: 2\n\"\\x61\": 3\n", 3, 1);
    AUTO(yaml_tree) tree = read_with(&strict, "a: {a: {a: a}}\nb: {a: a}\n");
    assert_int_equal(yaml_tree_size(tree, 0), 2);
}

static void depth_is_bounded_exactly(void **state)
{
    (void)state;
    AUTO(yaml_tree) tree = read_with(&strict, "[[[[[[[1]]]]]]]");
    assert_int_equal(tree->count, 8);
    assert_refused(&strict, "[[[[[[[[1]]]]]]]]", 1, 9);
    assert_refused(&strict, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 1, 9);
}

static void entries_of_a_mapping_are_bounded(void **state)
{
    (void)state;
    AUTO(buf) text = NULL;
    assert_true(IS_OK(buf_new(loose.bytes_max, &text)));
    for (unsigned i = 0; i < 1024; i++) {
        assert_true(IS_OK(buf_printf(text, "k%u: v\n", i)));
    }
    struct yaml_tree *tree = NULL;
    struct yaml_problem problem;
    assert_true(IS_OK(yaml_tree_read(buf_view(text), &loose, &tree, &problem)));
    assert_int_equal(yaml_tree_size(tree, 0), 1024);
    yaml_tree_free(tree);
    tree = NULL;
    assert_true(IS_OK(buf_put_text(text, "one more: v\n")));
    assert_true(IS_E(yaml_tree_read(buf_view(text), &loose, &tree, &problem), YAML_INVALID));
    assert_int_equal(problem.line, 1025);
}

static void values_are_bounded(void **state)
{
    (void)state;
    AUTO(buf) text = NULL;
    assert_true(IS_OK(buf_new(loose.bytes_max, &text)));
    while (text->len < 200 * 1024) {
        assert_true(IS_OK(buf_put_text(text, "-\n")));
    }
    struct yaml_tree *tree = NULL;
    struct yaml_problem problem;
    assert_true(IS_E(yaml_tree_read(buf_view(text), &loose, &tree, &problem), YAML_INVALID));
    assert_string_equal(problem.text, "too many values");
}

static void escapes_that_decode_longer_than_written_fit(void **state)
{
    (void)state;
    AUTO(yaml_tree)
    tree = read_with(&strict, "\"\\L\\L\\L\\L\\L\\L\\L\\L\\L\\L\\L\\L\\L\\L\\L\\L\"");
    assert_int_equal(tree->nodes[0].text.len, 48);
}

static void null_is_only_what_stands_without_quotes(void **state)
{
    (void)state;
    AUTO(yaml_tree) tree = read_with(&strict, "a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: nil\n");
    static const struct {
        const char *key;
        bool is_null;
    } cases[] = {{"a", true}, {"b", true}, {"c", true}, {"d", false}, {"e", false}, {"f", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(yaml_tree_is_null(tree, yaml_tree_find(tree, 0, cases[i].key)),
                         cases[i].is_null);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_cover_their_bytes_also_after_other_alphabets),
        cmocka_unit_test(nodes_cover_their_bytes_with_windows_line_ends),
        cmocka_unit_test(paths_name_keys_and_items),
        cmocka_unit_test(size_counts_entries_and_items),
        cmocka_unit_test(references_are_marks_where_they_are_accepted),
        cmocka_unit_test(references_are_refused_where_they_are_not),
        cmocka_unit_test(several_documents_follow_each_other),
        cmocka_unit_test(repeated_keys_are_refused_however_they_are_written),
        cmocka_unit_test(depth_is_bounded_exactly),
        cmocka_unit_test(entries_of_a_mapping_are_bounded),
        cmocka_unit_test(values_are_bounded),
        cmocka_unit_test(escapes_that_decode_longer_than_written_fit),
        cmocka_unit_test(null_is_only_what_stands_without_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
