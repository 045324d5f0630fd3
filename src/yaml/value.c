#include "yaml/value.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const struct yaml_node *plain_scalar(const struct yaml_tree *tree, uint32_t node)
{
    const struct yaml_node *n = &tree->nodes[node];
    return n->kind == YAML_KIND_SCALAR && n->style == YAML_STYLE_PLAIN ? n : NULL;
}

ERRFN yaml_value_bool(const struct yaml_tree *tree, uint32_t node, bool *out_value,
                      struct yaml_problem *out_problem)
{
    const struct yaml_node *n = plain_scalar(tree, node);
    if (!n || (!view_is(n->text, "true") && !view_is(n->text, "false"))) {
        return yaml_tree_problem(tree, node, out_problem, "expected true or false");
    }
    *out_value = view_is(n->text, "true");
    return OK;
}

/* Decimal digits only; a leading zero would mean octal to other readers of YAML. */
static bool read_decimal(struct view text, uint32_t *out_value)
{
    if (text.len == 0 || text.len > 10 || (text.len > 1 && text.data[0] == '0')) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out_value = (uint32_t)value;
    return value <= UINT32_MAX;
}

ERRFN yaml_value_number(const struct yaml_tree *tree, uint32_t node, uint32_t min, uint32_t max,
                        uint32_t *out_value, struct yaml_problem *out_problem)
{
    const struct yaml_node *n = plain_scalar(tree, node);
    uint32_t value = 0;
    if (!n || !read_decimal(n->text, &value) || value < min || value > max) {
        return yaml_tree_problem(tree, node, out_problem, "expected a number from %u to %u", min,
                                 max);
    }
    *out_value = value;
    return OK;
}

ERRFN yaml_value_text(const struct yaml_tree *tree, uint32_t node, char *out_text, size_t size,
                      struct yaml_problem *out_problem)
{
    const struct yaml_node *n = &tree->nodes[node];
    if (n->kind != YAML_KIND_SCALAR || yaml_tree_is_null(tree, node) || n->text.len == 0) {
        return yaml_tree_problem(tree, node, out_problem, "expected a text");
    }
    if (n->text.len >= size) {
        return yaml_tree_problem(tree, node, out_problem,
                                 "expected a text of at most %zu characters", size - 1);
    }
    if (!text_is_clean(n->text)) {
        return yaml_tree_problem(tree, node, out_problem,
                                 "expected one line without control characters");
    }
    return view_to_text(n->text, out_text, size);
}

static void join_names(const char *const *names, char *out_text, size_t size)
{
    out_text[0] = '\0';
    for (size_t i = 0; names[i]; i++) {
        size_t at = strlen(out_text);
        snprintf(out_text + at, size - at, "%s%s", i > 0 ? ", " : "", names[i]);
    }
}

ERRFN yaml_value_choice(const struct yaml_tree *tree, uint32_t node, const char *const *names,
                        size_t *out_index, struct yaml_problem *out_problem)
{
    const struct yaml_node *n = &tree->nodes[node];
    for (size_t i = 0; n->kind == YAML_KIND_SCALAR && names[i]; i++) {
        if (view_is(n->text, names[i])) {
            *out_index = i;
            return OK;
        }
    }
    char list[160];
    join_names(names, list, sizeof list);
    return yaml_tree_problem(tree, node, out_problem, "expected one of: %s", list);
}

ERRFN yaml_value_mask(const struct yaml_tree *tree, uint32_t node, uint32_t max, uint32_t *out_mask,
                      struct yaml_problem *out_problem)
{
    ENSURE(max < 32, BUG);
    TRY(yaml_value_is_sequence(tree, node, max + 1, out_problem));
    uint32_t mask = 0;
    for (uint32_t i = node + 1; i < tree->nodes[node].next; i = tree->nodes[i].next) {
        uint32_t bit = 0;
        TRY(yaml_value_number(tree, i, 0, max, &bit, out_problem));
        if (mask & (1u << bit)) {
            return yaml_tree_problem(tree, i, out_problem, "this number stands twice in the list");
        }
        mask |= 1u << bit;
    }
    if (mask == 0) {
        return yaml_tree_problem(tree, node, out_problem, "expected one number at least");
    }
    *out_mask = mask;
    return OK;
}

ERRFN yaml_value_time(const struct yaml_tree *tree, uint32_t node, uint64_t *out_utc_ms,
                      struct yaml_problem *out_problem)
{
    const struct yaml_node *n = &tree->nodes[node];
    if (n->kind != YAML_KIND_SCALAR || !IS_OK(clock_parse(n->text, out_utc_ms))) {
        return yaml_tree_problem(tree, node, out_problem,
                                 "expected a time in RFC 3339, as 2026-11-22T10:11:12Z");
    }
    return OK;
}

static uint64_t unit_ms(uint8_t unit)
{
    switch (unit) {
    case 's':
        return 1000;
    case 'm':
        return 60 * 1000;
    case 'h':
        return 3600 * 1000;
    case 'd':
        return 24 * 3600 * 1000;
    default:
        return 0;
    }
}

ERRFN yaml_value_duration(const struct yaml_tree *tree, uint32_t node, uint64_t min_ms,
                          uint64_t max_ms, uint64_t *out_ms, struct yaml_problem *out_problem)
{
    const struct yaml_node *n = plain_scalar(tree, node);
    uint32_t count = 0;
    uint64_t unit = n && n->text.len > 1 ? unit_ms(n->text.data[n->text.len - 1]) : 0;
    if (unit == 0 || !read_decimal(view_of(n->text.data, n->text.len - 1), &count)) {
        return yaml_tree_problem(tree, node, out_problem,
                                 "expected a time span, as 90s, 30m, 24h or 7d");
    }
    if (count * unit < min_ms || count * unit > max_ms) {
        return yaml_tree_problem(tree, node, out_problem,
                                 "expected a time span from %llu to %llu seconds",
                                 (unsigned long long)(min_ms / 1000),
                                 (unsigned long long)(max_ms / 1000));
    }
    *out_ms = count * unit;
    return OK;
}

ERRFN yaml_value_is_mapping(const struct yaml_tree *tree, uint32_t node,
                            struct yaml_problem *out_problem)
{
    if (tree->nodes[node].kind != YAML_KIND_MAPPING) {
        return yaml_tree_problem(tree, node, out_problem,
                                 "expected settings, one `key: value` a line");
    }
    return OK;
}

ERRFN yaml_value_is_sequence(const struct yaml_tree *tree, uint32_t node, size_t max,
                             struct yaml_problem *out_problem)
{
    if (tree->nodes[node].kind != YAML_KIND_SEQUENCE) {
        return yaml_tree_problem(tree, node, out_problem, "expected a list");
    }
    if (yaml_tree_size(tree, node) > max) {
        return yaml_tree_problem(tree, node, out_problem, "expected a list of at most %zu items",
                                 max);
    }
    return OK;
}
