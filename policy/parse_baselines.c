#include "policy/baseline_index.h"
#include "policy/pcr_values.h"
#include "policy/reader.h"

#include <stdlib.h>
#include <string.h>

struct baseline_reading {
    struct policy *policy;
    struct policy_baseline *baseline;
};

static struct policy_baseline *baseline_of(void *context)
{
    return ((struct baseline_reading *)context)->baseline;
}

static ERRFN take_state(void *context, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *problem)
{
    static const char *const names[] = {"pending", "active",  "obsolete",
                                        "retired", "revoked", NULL};
    static const enum policy_state states[] = {POLICY_STATE_PENDING, POLICY_STATE_ACTIVE,
                                               POLICY_STATE_OBSOLETE, POLICY_STATE_RETIRED,
                                               POLICY_STATE_REVOKED};
    size_t index = 0;
    TRY(yaml_value_choice(tree, node, names, &index, problem));
    baseline_of(context)->state = states[index];
    return OK;
}

bool policy_baseline_name_is_good(const char *text)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+";
    return text[strspn(text, letters)] == '\0';
}

static ERRFN take_name(void *context, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    char *name = baseline_of(context)->name;
    TRY(yaml_value_text(tree, node, name, POLICY_NAME_SIZE, problem));
    return policy_baseline_name_is_good(name)
               ? OK
               : yaml_tree_problem(tree, node, problem,
                                   "expected a name of letters, digits, -, _, + and dots");
}

static ERRFN take_scope(void *context, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *problem)
{
    struct policy *p = ((struct baseline_reading *)context)->policy;
    return policy_scope_read(p, tree, node, &baseline_of(context)->scope, problem);
}

static ERRFN take_from(void *context, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    return yaml_value_time(tree, node, &baseline_of(context)->from_ms, problem);
}

static ERRFN take_until(void *context, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *problem)
{
    return yaml_value_time(tree, node, &baseline_of(context)->until_ms, problem);
}

static ERRFN take_pcr_values(void *context, const struct yaml_tree *tree, uint32_t node,
                             struct yaml_problem *problem)
{
    struct policy_baseline *b = baseline_of(context);
    TRY(policy_pcr_values_read(tree, node, &b->pcr_values, &b->pcr_values_count, problem));
    struct policy *p = ((struct baseline_reading *)context)->policy;
    return policy_pcr_values_check(p, b->pcr_values, b->pcr_values_count, tree, node, problem);
}

static ERRFN take_claims(void *context, const struct yaml_tree *tree, uint32_t node,
                         struct yaml_problem *problem)
{
    struct policy *p = ((struct baseline_reading *)context)->policy;
    return policy_rules_read(p, tree, node, &baseline_of(context)->rules, problem);
}

static ERRFN take_note(void *context, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    char *note = baseline_of(context)->note;
    return yaml_value_text(tree, node, note, POLICY_VALUE_SIZE, problem);
}

/* A baseline that decides nothing would match everything. */
static bool decides(const struct policy_baseline *b)
{
    size_t deciding = b->pcr_values_count;
    for (size_t i = 0; i < b->rules.count; i++) {
        deciding += b->rules.rule[i].gate == 0 && !b->rules.rule[i].telemetry;
    }
    return deciding > 0;
}

static ERRFN read_baseline(struct policy *p, struct policy_baseline *b,
                           const struct yaml_tree *tree, uint32_t node,
                           struct yaml_problem *problem)
{
    static const struct yaml_field fields[] = {
        {"name", true, take_name},      {"state", true, take_state},
        {"scope", false, take_scope},   {"from", false, take_from},
        {"until", false, take_until},   {"pcr_values", false, take_pcr_values},
        {"claims", false, take_claims}, {"note", false, take_note},
    };
    struct baseline_reading reading = {.policy = p, .baseline = b};
    TRY(YAML_FIELDS_READ(tree, node, fields, &reading, problem));
    if (!decides(b)) {
        return yaml_tree_problem(tree, node, problem,
                                 "expected a PCR value, or a claim without gate and telemetry");
    }
    if (b->until_ms > 0 && b->from_ms >= b->until_ms) {
        return yaml_tree_problem(tree, yaml_tree_find(tree, node, "until"), problem,
                                 "until is not after from");
    }
    return OK;
}

static int compare_names(const void *left, const void *right)
{
    const struct policy_baseline *const *a = left;
    const struct policy_baseline *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

static ERRFN check_names(const struct policy *p, const struct yaml_tree *tree, uint32_t node,
                         struct yaml_problem *problem)
{
    const struct policy_baseline **sorted = calloc(p->baseline_count + 1, sizeof *sorted);
    ENSURE(sorted, NO_MEMORY);
    for (size_t i = 0; i < p->baseline_count; i++) {
        sorted[i] = &p->baselines[i];
    }
    qsort(sorted, p->baseline_count, sizeof *sorted, compare_names);
    const struct policy_baseline *twice = NULL;
    for (size_t i = 1; i < p->baseline_count && !twice; i++) {
        twice = strcmp(sorted[i]->name, sorted[i - 1]->name) == 0
                    ? (sorted[i] > sorted[i - 1] ? sorted[i] : sorted[i - 1])
                    : NULL;
    }
    free(sorted);
    if (!twice) {
        return OK;
    }
    size_t index = (size_t)(twice - p->baselines);
    uint32_t at = node + 1;
    while (index-- > 0) {
        at = tree->nodes[at].next;
    }
    return yaml_tree_problem(tree, yaml_tree_find(tree, at, "name"), problem,
                             "another baseline has the same name");
}

ERRFN policy_baselines_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                            struct yaml_problem *out_problem)
{
    policy->baselines = calloc(yaml_tree_size(tree, node) + 1, sizeof *policy->baselines);
    ENSURE(policy->baselines, NO_MEMORY);
    EACH_ITEM(tree, node, item)
    {
        policy->baseline_count++; /* a half-read one is freed with the rest */
        TRY(read_baseline(policy, &policy->baselines[policy->baseline_count - 1], tree, item,
                          out_problem));
    }
    TRY(check_names(policy, tree, node, out_problem));
    return baseline_index_build(policy);
}
