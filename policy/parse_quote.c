#include "policy/bank.h"
#include "policy/pcr_values.h"
#include "policy/reader.h"

#include <stdio.h>
#include <string.h>

static ERRFN take_required(void *context, const struct yaml_tree *tree, uint32_t node,
                           struct yaml_problem *problem)
{
    return yaml_value_bool(tree, node, &((struct policy *)context)->require_quote, problem);
}

static ERRFN take_selection(void *context, const struct yaml_tree *tree, uint32_t node,
                            struct yaml_problem *problem)
{
    struct policy *p = context;
    TRY(yaml_value_is_mapping(tree, node, problem));
    memset(p->pcr_selection, 0, sizeof p->pcr_selection);
    p->pcr_selection_count = 0;
    for (uint32_t key = node + 1; key < tree->nodes[node].next; key = tree->nodes[key + 1].next) {
        size_t bank = 0;
        TRY(yaml_value_choice(tree, key, policy_bank_names, &bank, problem));
        struct policy_bank *row = &p->pcr_selection[p->pcr_selection_count++];
        snprintf(row->bank, sizeof row->bank, "%s", policy_bank_names[bank]);
        TRY(yaml_value_mask(tree, key + 1, POLICY_PCR_COUNT - 1, &row->mask, problem));
    }
    return p->pcr_selection_count > 0
               ? OK
               : yaml_tree_problem(tree, node, problem,
                                   "expected one bank at least, as sha256: [0, 2, 4, 7]");
}

static ERRFN take_values(void *context, const struct yaml_tree *tree, uint32_t node,
                         struct yaml_problem *problem)
{
    struct policy *p = context;
    return policy_pcr_values_read(tree, node, &p->pcr_values, &p->pcr_values_count, problem);
}

ERRFN policy_quote_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *out_problem)
{
    static const struct yaml_field fields[] = {
        {"required", false, take_required},
        {"pcr_selection", false, take_selection},
        {"pcr_values", false, take_values},
    };
    TRY(YAML_FIELDS_READ(tree, node, fields, policy, out_problem));
    return policy_pcr_values_check(policy, policy->pcr_values, policy->pcr_values_count, tree, node,
                                   out_problem);
}

uint32_t policy_selected_pcrs(const struct policy *policy)
{
    uint32_t mask = 0;
    for (size_t i = 0; i < policy->pcr_selection_count; i++) {
        mask |= policy->pcr_selection[i].mask;
    }
    return mask;
}
