/* A change is taken only when the changed text reads as the old one with exactly that change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "talos/draft.h"

#include <stdio.h>
#include <string.h>

static const char *const text = "a: b\nc: d\ne: f\n---\ng: h\n";

/* Nodes: 0 mapping, 1 a, 2 b, 3 c, 4 d, 5 e, 6 f, 7 mapping, 8 g, 9 h. */
enum { NODE_C = 3, START_C = 5, END_D = 9, AFTER_D = 10 };

static const struct fragment_nodes entry = {
    .node = {{YAML_KIND_SCALAR, 0, "x"}, {YAML_KIND_SCALAR, 0, "y"}}, .count = 2};
static const struct fragment_nodes nothing = {.count = 0};

static void assert_change(struct draft_change change, const char *by, bool is_taken)
{
    AUTO(draft) draft = NULL;
    assert_true(IS_OK(draft_open(view_text(text), &draft)));
    change.text = view_text(by);
    err_t e = draft_change(draft, &change);
    if (IS_OK(e) != is_taken) {
        fail_msg("%s: %s", is_taken ? "refused" : "taken", by);
    }
    if (!is_taken) {
        assert_true(IS_E(e, BASE_CONFIG_INVALID));
        assert_true(view_is(buf_view(draft->text), text));
        assert_int_equal(draft->tree->count, 10);
    }
}

static void an_entry_may_be_added_where_it_is_announced(void **state)
{
    (void)state;
    struct draft_change add = {
        .start = AFTER_D, .end = AFTER_D, .node = NODE_C + 2, .depth = 2, .added = &entry};
    assert_change(add, "x: y\n", true);
    assert_change(add, "'x': \"y\" # noted\n", true);
    assert_change(add, "y: x\n", false);
    assert_change(add, "x: y\nz: z\n", false);
    assert_change(add, "x: {y: }\n", false);
    assert_change(add, "", false);
    assert_change(add, "# x: y\n", false);
    assert_change(add, "x: y\n---\n", false);
    assert_change(add, "x: y #", false);    /* the next line becomes a comment's */
    assert_change(add, "x: y\n# ", false);  /* the next entry is gone */
    assert_change(add, "x: y\n  ", false);  /* the next entry is below */
    assert_change(add, "x: !!str y\n", false);
    assert_change(add, "x: &n y\n", false);
    assert_change(add, "c: d\n", false);
    assert_change(add, "x: [\n", false);
    add.node = NODE_C;
    assert_change(add, "x: y\n", false); /* stands elsewhere than announced */
    add.node = NODE_C + 2;
    add.depth = 1;
    assert_change(add, "x: y\n", false);
}

static void an_entry_may_be_replaced_and_nothing_else(void **state)
{
    (void)state;
    struct draft_change replace = {
        .start = START_C, .end = END_D, .node = NODE_C, .removed = 2, .depth = 2, .added = &entry};
    assert_change(replace, "x: y", true);
    assert_change(replace, "c: d", false);
    assert_change(replace, "x: y\nc: d", false);
    replace.end = AFTER_D + 4; /* takes the next entry along */
    assert_change(replace, "x: y", false);
    replace.end = END_D;
    replace.start = 0; /* takes the entry before along */
    assert_change(replace, "x: y", false);
}

static void an_entry_may_be_removed_and_nothing_else(void **state)
{
    (void)state;
    struct draft_change drop = {
        .start = START_C, .end = AFTER_D, .node = NODE_C, .removed = 2, .depth = 2, .added = &nothing};
    assert_change(drop, "", true);
    assert_change(drop, "x: y\n", false);
    drop.end = AFTER_D + 5;
    assert_change(drop, "", false);
}

static void the_quoting_of_other_scalars_may_not_change(void **state)
{
    (void)state;
    struct draft_change change = {
        .start = 3, .end = AFTER_D, .node = NODE_C, .removed = 2, .depth = 2, .added = &entry};
    assert_change(change, "b\nx: y\n", true);
    assert_change(change, "'b'\nx: y\n", false);
    assert_change(change, "|-\n  b\nx: y\n", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_may_be_added_where_it_is_announced),
        cmocka_unit_test(an_entry_may_be_replaced_and_nothing_else),
        cmocka_unit_test(an_entry_may_be_removed_and_nothing_else),
        cmocka_unit_test(the_quoting_of_other_scalars_may_not_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
