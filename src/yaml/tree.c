#include "yaml/tree.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_STEPS_MAX = 64 };

void yaml_tree_free(struct yaml_tree *tree)
{
    if (tree) {
        free(tree->nodes);
        buf_free(tree->text);
        free(tree);
    }
}

uint32_t yaml_tree_find(const struct yaml_tree *tree, uint32_t mapping, const char *key)
{
    const struct yaml_node *node = &tree->nodes[mapping];
    if (node->kind != YAML_KIND_MAPPING) {
        return YAML_NODE_NONE;
    }
    for (uint32_t k = mapping + 1; k < node->next; k = tree->nodes[k + 1].next) {
        if (view_is(tree->nodes[k].text, key)) {
            return k + 1;
        }
    }
    return YAML_NODE_NONE;
}

bool yaml_tree_is_null(const struct yaml_tree *tree, uint32_t node)
{
    const struct yaml_node *n = &tree->nodes[node];
    return n->kind == YAML_KIND_SCALAR && n->style == YAML_STYLE_PLAIN &&
           (n->text.len == 0 || view_is(n->text, "~") || view_is(n->text, "null") ||
            view_is(n->text, "Null") || view_is(n->text, "NULL"));
}

size_t yaml_tree_size(const struct yaml_tree *tree, uint32_t node)
{
    const struct yaml_node *n = &tree->nodes[node];
    size_t size = 0;
    for (uint32_t i = node + 1; i < n->next; size++) {
        uint32_t value = n->kind == YAML_KIND_MAPPING ? i + 1 : i;
        i = tree->nodes[value].next;
    }
    return size;
}

/* Appends one step of the path, as far as there is room: ".key" or "[3]". */
static void add_step(const struct yaml_tree *tree, uint32_t parent, uint32_t node, char *path,
                     size_t size)
{
    size_t at = strlen(path);
    uint32_t i = parent + 1;
    if (tree->nodes[parent].kind == YAML_KIND_SEQUENCE) {
        size_t item = 0;
        for (; i < node; i = tree->nodes[i].next) {
            item++;
        }
        snprintf(path + at, size - at, "[%zu]", item);
        return;
    }
    while (i != node && i + 1 != node) {
        i = tree->nodes[i + 1].next;
    }
    struct view key = tree->nodes[i].text;
    bool clean = key.len > 0 && key.len < 64 && text_is_clean(key);
    snprintf(path + at, size - at, "%s%.*s", at > 0 ? "." : "", clean ? (int)key.len : 1,
             clean ? (const char *)key.data : "?");
}

void yaml_tree_path(const struct yaml_tree *tree, uint32_t node, char *out_path, size_t size)
{
    uint32_t steps[PATH_STEPS_MAX];
    size_t count = 0;
    uint32_t at = node;
    while (tree->nodes[at].parent != YAML_NODE_NONE && count < PATH_STEPS_MAX) {
        steps[count++] = at;
        at = tree->nodes[at].parent;
    }
    out_path[0] = '\0';
    while (count > 0) {
        count--;
        add_step(tree, tree->nodes[steps[count]].parent, steps[count], out_path, size);
    }
}

ERRFN yaml_tree_problem(const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *out_problem, const char *format, ...)
{
    memset(out_problem, 0, sizeof *out_problem);
    va_list args;
    va_start(args, format);
    vsnprintf(out_problem->text, sizeof out_problem->text, format, args);
    va_end(args);
    out_problem->line = tree->nodes[node].line;
    out_problem->column = tree->nodes[node].column;
    yaml_tree_path(tree, node, out_problem->path, sizeof out_problem->path);
    return E(YAML_INVALID);
}
