#include "policy/claims.h"
#include "policy/reader.h"

#include <stdlib.h>
#include <string.h>

struct rule_reading {
    struct policy *policy;
    struct policy_rule *rule;
};

static struct policy_rule *rule_of(void *context)
{
    return ((struct rule_reading *)context)->rule;
}

static ERRFN take_name(void *context, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    return policy_name_read(tree, node, rule_of(context)->name, POLICY_NAME_SIZE, problem);
}

static bool is_claim_name(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.')) {
            return false;
        }
    }
    return text.len > 0 && text.len < POLICY_NAME_SIZE;
}

/* Each name is kept once; rules know it by its index. */
static ERRFN take_claim(void *context, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *problem)
{
    struct policy *p = ((struct rule_reading *)context)->policy;
    struct policy_texts *names = &p->claim_names;
    const struct yaml_node *n = &tree->nodes[node];
    if (n->kind != YAML_KIND_SCALAR || !is_claim_name(n->text)) {
        return yaml_tree_problem(tree, node, problem,
                                 "expected the name of a claim, as secure_boot.enabled");
    }
    size_t index = 0;
    while (index < names->count && !view_equal(names->items[index], n->text)) {
        index++;
    }
    if (index == POLICY_CLAIM_NAMES_MAX) {
        return yaml_tree_problem(tree, node, problem, "more than %d different claims",
                                 POLICY_CLAIM_NAMES_MAX);
    }
    if (!names->items) {
        names->items = calloc(POLICY_CLAIM_NAMES_MAX, sizeof *names->items);
        ENSURE(names->items, NO_MEMORY);
    }
    if (index == names->count) {
        TRY(policy_texts_keep(p, n->text, &names->items[index]));
        names->count++;
    }
    rule_of(context)->claim = (uint16_t)index;
    return OK;
}

static ERRFN set_op(void *context, enum policy_op op, const struct yaml_tree *tree, uint32_t node,
                    struct yaml_problem *problem)
{
    if (rule_of(context)->op != POLICY_OP_NONE) {
        return yaml_tree_problem(tree, node, problem,
                                 "a rule makes one comparison; write another rule for the second");
    }
    rule_of(context)->op = op;
    return OK;
}

static ERRFN read_one(void *context, enum policy_op op, const struct yaml_tree *tree, uint32_t node,
                      struct yaml_problem *problem)
{
    char text[POLICY_CLAIM_VALUE_SIZE];
    struct policy_texts *values = &rule_of(context)->values;
    TRY(set_op(context, op, tree, node, problem));
    TRY(yaml_value_text(tree, node, text, sizeof text, problem));
    values->items = calloc(1, sizeof *values->items);
    ENSURE(values->items, NO_MEMORY);
    struct policy *p = ((struct rule_reading *)context)->policy;
    TRY(policy_texts_keep(p, view_text(text), &values->items[0]));
    values->count = 1;
    return OK;
}

static ERRFN read_list(void *context, enum policy_op op, const struct yaml_tree *tree,
                       uint32_t node, struct yaml_problem *problem)
{
    struct policy *p = ((struct rule_reading *)context)->policy;
    TRY(set_op(context, op, tree, node, problem));
    return policy_texts_read(p, POLICY_RULE_VALUES_MAX, POLICY_CLAIM_VALUE_SIZE, tree, node,
                             &rule_of(context)->values, problem);
}

#define TAKE(name, reader, op)                                                           \
    static ERRFN take_##name(void *context, const struct yaml_tree *tree, uint32_t node, \
                             struct yaml_problem *problem)                               \
    {                                                                                    \
        return reader(context, op, tree, node, problem);                                 \
    }
TAKE(equals, read_one, POLICY_OP_EQUALS)
TAKE(contains, read_one, POLICY_OP_CONTAINS)
TAKE(matches, read_one, POLICY_OP_MATCHES)
TAKE(one_of, read_list, POLICY_OP_ONE_OF)
TAKE(contains_all, read_list, POLICY_OP_CONTAINS)
TAKE(subset_of, read_list, POLICY_OP_SUBSET_OF)
TAKE(excludes, read_list, POLICY_OP_EXCLUDES)
#undef TAKE

static ERRFN take_absent(void *context, const struct yaml_tree *tree, uint32_t node,
                         struct yaml_problem *problem)
{
    bool absent = false;
    TRY(set_op(context, POLICY_OP_ABSENT, tree, node, problem));
    TRY(yaml_value_bool(tree, node, &absent, problem));
    return absent ? OK
                  : yaml_tree_problem(tree, node, problem,
                                      "absent is true or left out; for the opposite: at_least: 1");
}

static ERRFN take_at_least(void *context, const struct yaml_tree *tree, uint32_t node,
                           struct yaml_problem *problem)
{
    TRY(set_op(context, POLICY_OP_AT_LEAST, tree, node, problem));
    return yaml_value_number(tree, node, 1, POLICY_CLAIMS_MAX, &rule_of(context)->count, problem);
}

static ERRFN take_gate(void *context, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    const struct policy *p = ((struct rule_reading *)context)->policy;
    for (size_t i = 0; i < p->gate_count; i++) {
        if (view_is(tree->nodes[node].text, p->gates[i].name)) {
            rule_of(context)->gate = (uint8_t)(i + 1);
            return OK;
        }
    }
    return yaml_tree_problem(
        tree, node, problem,
        "expected config, certificates, secrets, or secrets.CLASS with a class of gates.secrets");
}

static ERRFN take_severity(void *context, const struct yaml_tree *tree, uint32_t node,
                           struct yaml_problem *problem)
{
    enum policy_mode mode = POLICY_MODE_NONE;
    TRY(policy_mode_read(tree, node, &mode, problem));
    rule_of(context)->telemetry = mode == POLICY_MODE_TELEMETRY;
    return OK;
}

static ERRFN take_pcrs(void *context, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    return yaml_value_mask(tree, node, POLICY_PCR_COUNT - 1, &rule_of(context)->pcrs, problem);
}

/* A claim is worth what proves it. */
static ERRFN settle_pcrs(const struct policy *p, struct policy_rule *rule,
                         const struct yaml_tree *tree, uint32_t node, struct yaml_problem *problem)
{
    struct view claim = p->claim_names.items[rule->claim];
    if (policy_claim_is_of_ek(claim)) {
        return rule->pcrs == 0 ? OK
                               : yaml_tree_problem(tree, node, problem,
                                                   "tpm_ek claims stand in no PCR; leave pcrs out");
    }
    rule->pcrs = rule->pcrs ? rule->pcrs : policy_claim_pcrs(claim);
    if (rule->pcrs == 0) {
        return yaml_tree_problem(tree, node, problem,
                                 "not known which PCR proves this claim; check its name, and list "
                                 "the PCRs in pcrs");
    }
    for (unsigned i = 0; i < POLICY_PCR_COUNT; i++) {
        if (rule->pcrs & ~policy_selected_pcrs(p) & 1u << i) {
            return yaml_tree_problem(tree, node, problem,
                                     "PCR %u proves this claim and quote.pcr_selection lacks it",
                                     i);
        }
    }
    return OK;
}

static ERRFN read_rule(struct policy *p, const struct policy_rules *before,
                       struct policy_rule *rule, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    static const struct yaml_field fields[] = {
        {"name", true, take_name},
        {"claim", true, take_claim},
        {"equals", false, take_equals},
        {"one_of", false, take_one_of},
        {"contains", false, take_contains},
        {"contains_all", false, take_contains_all},
        {"subset_of", false, take_subset_of},
        {"excludes", false, take_excludes},
        {"absent", false, take_absent},
        {"matches", false, take_matches},
        {"at_least", false, take_at_least},
        {"gate", false, take_gate},
        {"severity", false, take_severity},
        {"pcrs", false, take_pcrs},
    };
    struct rule_reading reading = {.policy = p, .rule = rule};
    TRY(YAML_FIELDS_READ(tree, node, fields, &reading, problem));
    if (rule->op == POLICY_OP_NONE) {
        return yaml_tree_problem(tree, node, problem,
                                 "expected a comparison, as equals, one_of or absent");
    }
    for (size_t i = 0; i < before->count; i++) {
        if (strcmp(before->rule[i].name, rule->name) == 0) {
            return yaml_tree_problem(tree, yaml_tree_find(tree, node, "name"), problem,
                                     "another rule of this list has the same name");
        }
    }
    return settle_pcrs(p, rule, tree, node, problem);
}

ERRFN policy_rules_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                        struct policy_rules *out_rules, struct yaml_problem *out_problem)
{
    TRY(yaml_value_is_sequence(tree, node, POLICY_RULES_MAX, out_problem));
    out_rules->rule = calloc(yaml_tree_size(tree, node) + 1, sizeof *out_rules->rule);
    ENSURE(out_rules->rule, NO_MEMORY);
    EACH_ITEM(tree, node, item)
    {
        struct policy_rule *rule = &out_rules->rule[out_rules->count];
        err_t e = read_rule(policy, out_rules, rule, tree, item, out_problem);
        if (!IS_OK(e)) {
            policy_texts_free(&rule->values);
            return e;
        }
        out_rules->count++;
    }
    return OK;
}

void policy_rules_free(struct policy_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        policy_texts_free(&rules->rule[i].values);
    }
    free(rules->rule);
    *rules = (struct policy_rules){0};
}
