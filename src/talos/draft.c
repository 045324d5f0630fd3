#include "talos/draft.h"

#include "talos/machine_config.h"

#include <stdlib.h>

enum {
    DOCUMENTS_MAX = 256
}; /* Talos knows about 90 kinds, a few of which may stand several times */

static ERRFN read_tree(struct view text, struct yaml_tree **out_tree)
{
    static const struct yaml_limits limits = {.bytes_max = MACHINE_CONFIG_MAX_BYTES,
                                              .depth_max = MACHINE_CONFIG_DEPTH_MAX,
                                              .documents_max = DOCUMENTS_MAX,
                                              .references = true};
    struct yaml_problem problem; /* the administrator sees err_text only: the base holds secrets */
    err_t e = yaml_tree_read(text, &limits, out_tree, &problem);
    return IS_E(e, YAML_INVALID) ? E(BASE_CONFIG_INVALID) : e;
}

ERRFN draft_open(struct view text, struct draft **out_draft)
{
    ENSURE(text.len <= MACHINE_CONFIG_MAX_BYTES, BASE_CONFIG_INVALID);
    AUTO(draft) draft = calloc(1, sizeof *draft);
    ENSURE(draft, NO_MEMORY);
    TRY(buf_copy(text, &draft->text));
    TRY(read_tree(text, &draft->tree));
    *out_draft = STEAL(draft);
    return OK;
}

void draft_free(struct draft *draft)
{
    if (draft) {
        buf_free(draft->text);
        yaml_tree_free(draft->tree);
        free(draft);
    }
}

/* The same to whoever reads the document, wherever it stands. */
static bool is_same_node(const struct yaml_node *a, const struct yaml_node *b)
{
    return a->kind == b->kind && a->depth == b->depth && a->decorated == b->decorated &&
           (a->kind != YAML_KIND_SCALAR || a->style == b->style) && view_equal(a->text, b->text);
}

static bool is_added_node(const struct yaml_node *node, const struct fragment_node *expected,
                          uint32_t depth)
{
    return node->kind == expected->kind && node->depth == depth + expected->depth &&
           !node->decorated &&
           (node->kind != YAML_KIND_SCALAR || view_is(node->text, expected->text));
}

static bool is_as_intended(const struct yaml_tree *before, const struct yaml_tree *after,
                           const struct draft_change *c)
{
    uint32_t added = (uint32_t)c->added->count;
    if (after->documents != before->documents ||
        after->count != before->count - c->removed + added) {
        return false;
    }
    for (uint32_t i = 0; i < c->node; i++) {
        if (!is_same_node(&before->nodes[i], &after->nodes[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < added; i++) {
        if (!is_added_node(&after->nodes[c->node + i], &c->added->node[i], c->depth)) {
            return false;
        }
    }
    for (uint32_t i = c->node + c->removed; i < before->count; i++) {
        if (!is_same_node(&before->nodes[i], &after->nodes[i - c->removed + added])) {
            return false;
        }
    }
    return true;
}

ERRFN draft_change(struct draft *draft, const struct draft_change *change)
{
    struct view old = buf_view(draft->text);
    AUTO(buf) text = NULL;
    TRY(buf_new(old.len + change->text.len, &text));
    TRY(buf_put(text, view_of(old.data, change->start)));
    TRY(buf_put(text, change->text));
    TRY(buf_put(text, view_of(old.data + change->end, old.len - change->end)));
    AUTO(yaml_tree) tree = NULL;
    TRY(read_tree(buf_view(text), &tree));
    ENSURE(is_as_intended(draft->tree, tree, change), BASE_CONFIG_INVALID);
    buf_free(draft->text);
    yaml_tree_free(draft->tree);
    draft->text = STEAL(text);
    draft->tree = STEAL(tree);
    return OK;
}
