#include "talos/edit.h"

#include <string.h>

enum { FRAGMENT_MAX_BYTES = 4096 };

static const struct yaml_node *node_of(const struct draft *d, uint32_t index)
{
    return &d->tree->nodes[index];
}

static bool is_short_scalar(const struct yaml_node *node)
{
    return node->kind == YAML_KIND_SCALAR &&
           (node->style == YAML_STYLE_PLAIN || node->style == YAML_STYLE_QUOTED);
}

static bool is_nothing(const struct draft *d, uint32_t index)
{
    const struct yaml_node *node = node_of(d, index);
    bool is_collection = node->kind == YAML_KIND_MAPPING || node->kind == YAML_KIND_SEQUENCE;
    return yaml_tree_is_null(d->tree, index) || (is_collection && node->next == index + 1);
}

/* Just after the line on which this byte stands, or the end of the text. */
static size_t after_line(const struct draft *d, size_t at)
{
    const uint8_t *data = d->text->data;
    const uint8_t *end = memchr(data + at, '\n', d->text->len - at);
    return end ? (size_t)(end - data) + 1 : d->text->len;
}

/* Back over blanks, so that none are left behind at the end of a line. */
static size_t before_blanks(const struct draft *d, size_t at)
{
    while (at > 0 && (d->text->data[at - 1] == ' ' || d->text->data[at - 1] == '\t')) {
        at--;
    }
    return at;
}

static bool starts_line(const struct draft *d, size_t at)
{
    size_t start = before_blanks(d, at);
    return start == 0 || d->text->data[start - 1] == '\n';
}

/* A line of its own at `at`, which is what after_line gave. */
static ERRFN put_new_line(const struct draft *d, size_t at, size_t indent, const struct fragment *f,
                          struct buf *out)
{
    bool is_open_end = at == d->text->len && at > 0 && d->text->data[at - 1] != '\n';
    TRY(buf_printf(out, "%s%*s", is_open_end ? "\n" : "", (int)indent, ""));
    TRY(fragment_put_block(f, indent, out));
    return is_open_end ? OK : buf_put_text(out, "\n");
}

static ERRFN apply(struct draft *d, struct draft_change *change, struct buf *text,
                   const struct fragment *f)
{
    struct fragment_nodes added;
    fragment_list_nodes(f, &added);
    change->added = &added;
    change->text = buf_view(text);
    return draft_change(d, change);
}

/* After the first entry that is a short line, because comments above an entry belong to it; else in
 * front of all. */
static ERRFN insert_into_block(struct draft *d, uint32_t mapping, const struct fragment *f,
                               struct buf *text)
{
    uint32_t first = mapping + 1;
    size_t indent = node_of(d, first)->column - 1;
    struct draft_change change = {.depth = node_of(d, first)->depth};
    uint32_t key = first;
    while (key < node_of(d, mapping)->next && !is_short_scalar(node_of(d, key + 1))) {
        key = node_of(d, key + 1)->next;
    }
    if (key < node_of(d, mapping)->next) {
        change.start = after_line(d, node_of(d, key + 1)->end);
        change.node = node_of(d, key + 1)->next;
        TRY(put_new_line(d, change.start, indent, f, text));
    } else {
        change.start = node_of(d, first)->start;
        change.node = first;
        TRY(fragment_put_block(f, indent, text));
        TRY(buf_printf(text, "\n%*s", (int)indent, ""));
    }
    change.end = change.start;
    return apply(d, &change, text, f);
}

static ERRFN insert_into_flow(struct draft *d, uint32_t mapping, const struct fragment *f,
                              struct buf *text)
{
    size_t at = node_of(d, mapping)->start + 1; /* after the bracket */
    struct draft_change change = {
        .start = at, .end = at, .node = mapping + 1, .depth = node_of(d, mapping)->depth + 1};
    TRY(fragment_put_flow(f, text));
    TRY(buf_put_text(text, ", "));
    return apply(d, &change, text, f);
}

/* A fragment without its first `count` keys. */
static struct fragment without_keys(const struct fragment *f, size_t count)
{
    struct fragment rest = {.keys_count = f->keys_count - count, .leaf = f->leaf, .text = f->text};
    memcpy(rest.keys, f->keys + count, rest.keys_count * sizeof rest.keys[0]);
    return rest;
}

/* The value of a key that has none becomes the fragment's value: written together with the key, as
 * one entry. */
static ERRFN replace_entry(struct draft *d, uint32_t key, const struct fragment *entry,
                           struct buf *text)
{
    const struct yaml_node *mapping = node_of(d, node_of(d, key)->parent);
    struct draft_change change = {.start = node_of(d, key)->start,
                                  .end = node_of(d, key + 1)->end,
                                  .node = key,
                                  .removed = node_of(d, key + 1)->next - key,
                                  .depth = node_of(d, key)->depth};
    if (mapping->style == YAML_STYLE_BLOCK) {
        TRY(fragment_put_block(entry, node_of(d, key)->column - 1, text));
    } else {
        TRY(fragment_put_flow(entry, text));
    }
    return apply(d, &change, text, entry);
}

static ERRFN insert(struct draft *d, uint32_t mapping, const struct fragment *f, struct buf *text)
{
    return node_of(d, mapping)->style == YAML_STYLE_BLOCK ? insert_into_block(d, mapping, f, text)
                                                          : insert_into_flow(d, mapping, f, text);
}

ERRFN edit_set(struct draft *d, uint32_t root, const struct fragment *f)
{
    AUTO(buf) text = NULL;
    TRY(buf_new(FRAGMENT_MAX_BYTES, &text));
    uint32_t mapping = root;
    for (size_t i = 0; i < f->keys_count; i++) {
        ENSURE(node_of(d, mapping)->kind == YAML_KIND_MAPPING &&
                   node_of(d, mapping)->next > mapping + 1,
               BASE_CONFIG_INVALID);
        struct fragment rest = without_keys(f, i);
        uint32_t value = yaml_tree_find(d->tree, mapping, f->keys[i]);
        if (value == YAML_NODE_NONE) {
            return insert(d, mapping, &rest, text);
        }
        bool is_last = i + 1 == f->keys_count;
        if (is_nothing(d, value) || (is_last && is_short_scalar(node_of(d, value)))) {
            return replace_entry(d, value - 1, &rest, text);
        }
        ENSURE(!is_last, BASE_CONFIG_INVALID);
        mapping = value;
    }
    return E(BUG);
}

ERRFN edit_replace(struct draft *d, uint32_t mapping, const char *key, const struct fragment *by)
{
    uint32_t value = yaml_tree_find(d->tree, mapping, key);
    ENSURE(value != YAML_NODE_NONE && is_short_scalar(node_of(d, value)), BASE_CONFIG_INVALID);
    AUTO(buf) text = NULL;
    TRY(buf_new(FRAGMENT_MAX_BYTES, &text));
    return replace_entry(d, value - 1, by, text);
}

/* The last item of a list that has some. */
static uint32_t last_item(const struct draft *d, uint32_t list)
{
    uint32_t last = list + 1;
    while (node_of(d, last)->next < node_of(d, list)->next) {
        last = node_of(d, last)->next;
    }
    return last;
}

static bool has_item(const struct draft *d, uint32_t list, const char *text)
{
    for (uint32_t i = list + 1; i < node_of(d, list)->next; i = node_of(d, i)->next) {
        if (node_of(d, i)->kind == YAML_KIND_SCALAR && view_is(node_of(d, i)->text, text)) {
            return true;
        }
    }
    return false;
}

ERRFN edit_append(struct draft *d, uint32_t list, const char *item)
{
    ENSURE(node_of(d, list)->kind == YAML_KIND_SEQUENCE && !is_nothing(d, list),
           BASE_CONFIG_INVALID);
    if (has_item(d, list, item)) {
        return OK;
    }
    uint32_t last = last_item(d, list);
    ENSURE(is_short_scalar(node_of(d, last)), BASE_CONFIG_INVALID);
    AUTO(buf) text = NULL;
    TRY(buf_new(FRAGMENT_MAX_BYTES, &text));
    struct fragment f = {.leaf = FRAGMENT_LEAF_TEXT, .text = item};
    struct draft_change change = {.node = node_of(d, list)->next, .depth = node_of(d, last)->depth};
    if (node_of(d, list)->style == YAML_STYLE_BLOCK) {
        size_t indent = node_of(d, list)->column - 1;
        change.start = after_line(d, node_of(d, last)->end);
        bool is_open_end = d->text->data[change.start - 1] != '\n';
        TRY(buf_printf(text, "%s%*s- \"%s\"%s", is_open_end ? "\n" : "", (int)indent, "", item,
                       is_open_end ? "" : "\n"));
    } else {
        change.start = node_of(d, last)->end;
        TRY(buf_printf(text, ", \"%s\"", item));
    }
    change.end = change.start;
    return apply(d, &change, text, &f);
}

ERRFN edit_remove(struct draft *d, uint32_t mapping, const char *key_text)
{
    uint32_t value = yaml_tree_find(d->tree, mapping, key_text);
    if (value == YAML_NODE_NONE) {
        return OK;
    }
    ENSURE(is_short_scalar(node_of(d, value)), BASE_CONFIG_INVALID);
    uint32_t key = value - 1;
    bool is_only = key == mapping + 1 && node_of(d, value)->next == node_of(d, mapping)->next;
    struct fragment_nodes none = {.count = 0};
    struct draft_change change = {.start = node_of(d, key)->start,
                                  .end = node_of(d, value)->end,
                                  .node = key,
                                  .removed = 2,
                                  .added = &none};
    if (node_of(d, mapping)->style == YAML_STYLE_BLOCK) {
        if (is_only) {
            change.text = view_text("{}");
        } else {
            ENSURE(starts_line(d, change.start), BASE_CONFIG_INVALID);
            change.start = before_blanks(d, change.start);
            change.end = after_line(d, change.end);
        }
    } else if (node_of(d, value)->next < node_of(d, mapping)->next) {
        change.end = node_of(d, node_of(d, value)->next)->start;
    } else if (!is_only) {
        change.start = node_of(d, key - 1)->end;
    }
    return draft_change(d, &change);
}
