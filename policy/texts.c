#include "policy/reader.h"

#include <stdlib.h>
#include <string.h>

/* Reserved whole, so that it never moves under the views. */
ERRFN policy_texts_reserve(struct policy *policy, size_t len)
{
    uint8_t *reserved = NULL;
    ENSURE(!policy->texts, BUG);
    TRY(buf_new(len, &policy->texts));
    TRY(buf_extend(policy->texts, len, &reserved));
    buf_truncate(policy->texts, 0);
    return OK;
}

/* Digests are compared as text, so they get the case in which they are reported. */
static void lower_digest(uint8_t *text, size_t len)
{
    size_t at = len;
    while (at > 0 && text[at - 1] != ':') {
        at--;
    }
    size_t digits = len - at;
    if (at == 0 || (digits != 64 && digits != 96 && digits != 128)) {
        return;
    }
    for (size_t i = at; i < len; i++) {
        text[i] = text[i] >= 'A' && text[i] <= 'F' ? (uint8_t)(text[i] + 'a' - 'A') : text[i];
    }
}

ERRFN policy_texts_keep(struct policy *policy, struct view text, struct view *out_kept)
{
    size_t at = policy->texts->len;
    TRY(buf_put(policy->texts, text));
    lower_digest(policy->texts->data + at, text.len);
    *out_kept = view_of(policy->texts->data + at, text.len);
    return OK;
}

static int compare_texts(const void *left, const void *right)
{
    const struct view *a = left;
    const struct view *b = right;
    int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

bool policy_texts_find(const struct policy_texts *texts, struct view text, size_t *out_index)
{
    if (text.len == 0 || texts->count == 0) {
        return false;
    }
    const struct view *found =
        bsearch(&text, texts->items, texts->count, sizeof *texts->items, compare_texts);
    if (!found) {
        return false;
    }
    *out_index = (size_t)(found - texts->items);
    return true;
}

bool policy_texts_have(const struct policy_texts *texts, struct view text)
{
    size_t index;
    return policy_texts_find(texts, text, &index);
}

void policy_texts_settle(struct policy_texts *texts)
{
    size_t kept = 0;
    if (texts->count > 0) {
        qsort(texts->items, texts->count, sizeof *texts->items, compare_texts);
    }
    for (size_t i = 0; i < texts->count; i++) {
        if (kept == 0 || !view_equal(texts->items[i], texts->items[kept - 1])) {
            texts->items[kept++] = texts->items[i];
        }
    }
    texts->count = kept;
}

void policy_texts_free(struct policy_texts *texts)
{
    free(texts->items);
    *texts = (struct policy_texts){0};
}

/* The second place where a text of the list stands. */
static uint32_t second_place(const struct yaml_tree *tree, uint32_t node, struct view text)
{
    bool seen = false;
    EACH_ITEM(tree, node, item)
    {
        if (view_equal(tree->nodes[item].text, text)) {
            if (seen) {
                return item;
            }
            seen = true;
        }
    }
    return node;
}

static ERRFN sort_texts(struct policy_texts *texts, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *problem)
{
    qsort(texts->items, texts->count, sizeof *texts->items, compare_texts);
    for (size_t i = 1; i < texts->count; i++) {
        if (view_equal(texts->items[i], texts->items[i - 1])) {
            return yaml_tree_problem(tree, second_place(tree, node, texts->items[i]), problem,
                                     "this item stands twice in the list");
        }
    }
    return OK;
}

ERRFN policy_texts_read(struct policy *policy, size_t count_max, size_t size,
                        const struct yaml_tree *tree, uint32_t node, struct policy_texts *out_texts,
                        struct yaml_problem *out_problem)
{
    char text[POLICY_CLAIM_VALUE_SIZE];
    ENSURE(size <= sizeof text, BUG);
    TRY(yaml_value_is_sequence(tree, node, count_max, out_problem));
    size_t count = yaml_tree_size(tree, node);
    if (count == 0) {
        return yaml_tree_problem(tree, node, out_problem, "expected one item at least");
    }
    policy_texts_free(out_texts);
    out_texts->items = calloc(count, sizeof *out_texts->items);
    ENSURE(out_texts->items, NO_MEMORY);
    EACH_ITEM(tree, node, item)
    {
        TRY(yaml_value_text(tree, item, text, size, out_problem));
        TRY(policy_texts_keep(policy, view_text(text), &out_texts->items[out_texts->count]));
        out_texts->count++;
    }
    return sort_texts(out_texts, tree, node, out_problem);
}

static bool is_name(const char *text)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    return text[0] != '-' && text[0] != '_' && text[strspn(text, letters)] == '\0';
}

ERRFN policy_name_read(const struct yaml_tree *tree, uint32_t node, char *out_name, size_t size,
                       struct yaml_problem *out_problem)
{
    TRY(yaml_value_text(tree, node, out_name, size, out_problem));
    if (!is_name(out_name)) {
        return yaml_tree_problem(tree, node, out_problem,
                                 "expected a name of letters, digits, - and _");
    }
    return OK;
}

ERRFN policy_mode_read(const struct yaml_tree *tree, uint32_t node, enum policy_mode *out_mode,
                       struct yaml_problem *out_problem)
{
    static const char *const names[] = {"enforce", "telemetry", NULL};
    static const enum policy_mode modes[] = {POLICY_MODE_ENFORCE, POLICY_MODE_TELEMETRY};
    size_t index = 0;
    TRY(yaml_value_choice(tree, node, names, &index, out_problem));
    *out_mode = modes[index];
    return OK;
}
