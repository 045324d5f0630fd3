#include "policy/pcr_values.h"

#include "base/text.h"
#include "policy/bank.h"

#include <stdlib.h>
#include <string.h>

/* While a list is read: room for all its values was made. */
struct value_list {
    struct policy_pcr_value *values;
    size_t count;
};

/* Those of one PCR stand together at the end. */
static ERRFN add_value(struct value_list *list, const struct policy_pcr_value *value,
                       const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *out_problem)
{
    for (size_t i = list->count; i > 0 && list->values[i - 1].index == value->index; i--) {
        if (memcmp(&list->values[i - 1], value, sizeof *value) == 0) {
            return yaml_tree_problem(tree, node, out_problem,
                                     "this value stands twice in the list");
        }
    }
    list->values[list->count++] = *value;
    return OK;
}

/* The list of one PCR; bank and index of `value` are set. */
static ERRFN read_digests(struct value_list *list, struct policy_pcr_value *value,
                          size_t digest_bytes, const struct yaml_tree *tree, uint32_t node,
                          struct yaml_problem *out_problem)
{
    TRY(yaml_value_is_sequence(tree, node, POLICY_PCR_VALUES_MAX, out_problem));
    if (yaml_tree_size(tree, node) == 0) {
        return yaml_tree_problem(tree, node, out_problem, "expected one value at least");
    }
    value->digest_len = (uint8_t)digest_bytes;
    for (uint32_t i = node + 1; i < tree->nodes[node].next; i = tree->nodes[i].next) {
        const struct yaml_node *item = &tree->nodes[i];
        if (item->kind != YAML_KIND_SCALAR ||
            !IS_OK(hex_decode(item->text, value->digest, digest_bytes))) {
            return yaml_tree_problem(tree, i, out_problem, "expected %zu hexadecimal digits",
                                     digest_bytes * 2);
        }
        TRY(add_value(list, value, tree, i, out_problem));
    }
    return OK;
}

/* Keys may be written 7 or "7". */
static ERRFN read_index(const struct yaml_tree *tree, uint32_t key, uint8_t *out_index,
                        struct yaml_problem *out_problem)
{
    struct view text = tree->nodes[key].text;
    uint32_t index = 0;
    bool is_short = text.len == 1 || (text.len == 2 && text.data[0] != '0');
    for (size_t i = 0; is_short && i < text.len; i++) {
        is_short = text.data[i] >= '0' && text.data[i] <= '9';
        index = index * 10 + (uint32_t)(text.data[i] - '0');
    }
    if (!is_short || index >= POLICY_PCR_COUNT) {
        return yaml_tree_problem(tree, key, out_problem, "expected a PCR from 0 to %d",
                                 POLICY_PCR_COUNT - 1);
    }
    *out_index = (uint8_t)index;
    return OK;
}

static ERRFN read_bank(struct value_list *list, size_t bank, const struct yaml_tree *tree,
                       uint32_t node, struct yaml_problem *out_problem)
{
    TRY(yaml_value_is_mapping(tree, node, out_problem));
    for (uint32_t key = node + 1; key < tree->nodes[node].next; key = tree->nodes[key + 1].next) {
        struct policy_pcr_value value;
        memset(&value, 0, sizeof value); /* compared as bytes */
        memcpy(value.bank, policy_bank_names[bank], strlen(policy_bank_names[bank]));
        TRY(read_index(tree, key, &value.index, out_problem));
        TRY(read_digests(list, &value, policy_bank_digest_bytes(bank), tree, key + 1, out_problem));
    }
    return OK;
}

/* Counts before anything is allocated: a document may have a thousand short lists. */
static ERRFN count_values(const struct yaml_tree *tree, uint32_t node, size_t *out_count,
                          struct yaml_problem *out_problem)
{
    size_t count = 0;
    for (uint32_t i = node + 1; i < tree->nodes[node].next; i++) {
        count += tree->nodes[tree->nodes[i].parent].kind == YAML_KIND_SEQUENCE;
    }
    if (count > POLICY_PCR_VALUES_MAX) {
        return yaml_tree_problem(tree, node, out_problem, "more than %d values",
                                 POLICY_PCR_VALUES_MAX);
    }
    *out_count = count;
    return OK;
}

ERRFN policy_pcr_values_read(const struct yaml_tree *tree, uint32_t node,
                             struct policy_pcr_value **values, size_t *count,
                             struct yaml_problem *out_problem)
{
    size_t room = 0;
    TRY(yaml_value_is_mapping(tree, node, out_problem));
    TRY(count_values(tree, node, &room, out_problem));
    free(*values);
    *count = 0;
    *values = calloc(room + 1, sizeof **values); /* never of no bytes */
    ENSURE(*values, NO_MEMORY);
    struct value_list list = {.values = *values};
    for (uint32_t key = node + 1; key < tree->nodes[node].next; key = tree->nodes[key + 1].next) {
        size_t bank = 0;
        TRY(yaml_value_choice(tree, key, policy_bank_names, &bank, out_problem));
        TRY(read_bank(&list, bank, tree, key + 1, out_problem));
    }
    *count = list.count;
    return OK;
}

bool policy_pcr_selected(const struct policy *policy, const char *bank, unsigned index)
{
    for (size_t i = 0; i < policy->pcr_selection_count; i++) {
        if (strcmp(policy->pcr_selection[i].bank, bank) == 0) {
            return policy->pcr_selection[i].mask & (1u << index);
        }
    }
    return false;
}

ERRFN policy_pcr_values_check(const struct policy *policy, const struct policy_pcr_value *values,
                              size_t count, const struct yaml_tree *tree, uint32_t node,
                              struct yaml_problem *out_problem)
{
    if (count > 0 && !policy->require_quote) {
        return yaml_tree_problem(
            tree, node, out_problem,
            "pcr_values need quote.required: true, or a machine could leave the quote out");
    }
    for (size_t i = 0; i < count; i++) {
        if (!policy_pcr_selected(policy, values[i].bank, values[i].index)) {
            return yaml_tree_problem(tree, node, out_problem,
                                     "pcr_values lists PCR %u of %s, which pcr_selection does not",
                                     (unsigned)values[i].index, values[i].bank);
        }
    }
    return OK;
}
