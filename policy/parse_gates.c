/* What a verdict unlocks, and for how long. */
#include "policy/reader.h"

#include <stdio.h>

enum { GATE_CONFIG, GATE_CERTIFICATES, GATE_SECRETS };

#define SECOND_MS 1000ULL
#define MINUTE_MS (60 * SECOND_MS)
#define DAY_MS    (24 * 60 * MINUTE_MS)

static ERRFN take_config(void *context, const struct yaml_tree *tree, uint32_t node,
                         struct yaml_problem *problem)
{
    struct policy *p = context;
    return policy_mode_read(tree, node, &p->gates[GATE_CONFIG].mode, problem);
}

static ERRFN take_certificates(void *context, const struct yaml_tree *tree, uint32_t node,
                               struct yaml_problem *problem)
{
    struct policy *p = context;
    return policy_mode_read(tree, node, &p->gates[GATE_CERTIFICATES].mode, problem);
}

static ERRFN add_class(struct policy *p, const struct yaml_tree *tree, uint32_t key,
                       struct yaml_problem *problem)
{
    char name[POLICY_CLASS_SIZE];
    TRY(policy_name_read(tree, key, name, sizeof name, problem));
    if (p->gate_count == POLICY_GATES_MAX) {
        return yaml_tree_problem(tree, key, problem, "more than %d classes", POLICY_CLASSES_MAX);
    }
    struct policy_gate *gate = &p->gates[p->gate_count];
    snprintf(gate->name, sizeof gate->name, "secrets.%s", name);
    TRY(policy_mode_read(tree, key + 1, &gate->mode, problem));
    p->gate_count++;
    return OK;
}

static ERRFN take_secrets(void *context, const struct yaml_tree *tree, uint32_t node,
                          struct yaml_problem *problem)
{
    struct policy *p = context;
    const struct yaml_node *nodes = tree->nodes;
    if (nodes[node].kind == YAML_KIND_SCALAR) {
        return policy_mode_read(tree, node, &p->gates[GATE_SECRETS].mode, problem);
    }
    TRY(yaml_value_is_mapping(tree, node, problem));
    for (uint32_t key = node + 1; key < nodes[node].next; key = nodes[key + 1].next) {
        if (view_is(nodes[key].text, "default")) {
            TRY(policy_mode_read(tree, key + 1, &p->gates[GATE_SECRETS].mode, problem));
        } else {
            TRY(add_class(p, tree, key, problem));
        }
    }
    return OK;
}

ERRFN policy_gates_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *out_problem)
{
    static const struct yaml_field fields[] = {
        {"config", false, take_config},
        {"certificates", false, take_certificates},
        {"secrets", false, take_secrets},
    };
    return YAML_FIELDS_READ(tree, node, fields, policy, out_problem);
}

/* From a minute, which is what an attestation may take on a slow TPM, to a year. */
static ERRFN take_max_age(void *context, const struct yaml_tree *tree, uint32_t node,
                          struct yaml_problem *problem)
{
    struct policy *p = context;
    return yaml_value_duration(tree, node, MINUTE_MS, 366 * DAY_MS, &p->max_age_ms, problem);
}

static ERRFN take_reattest_every(void *context, const struct yaml_tree *tree, uint32_t node,
                                 struct yaml_problem *problem)
{
    struct policy *p = context;
    return yaml_value_duration(tree, node, 10 * SECOND_MS, 366 * DAY_MS, &p->reattest_every_ms,
                               problem);
}

ERRFN policy_evidence_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                           struct yaml_problem *out_problem)
{
    static const struct yaml_field fields[] = {
        {"max_age", false, take_max_age},
        {"reattest_every", false, take_reattest_every},
    };
    TRY(YAML_FIELDS_READ(tree, node, fields, policy, out_problem));
    uint32_t every = yaml_tree_find(tree, node, "reattest_every");
    if (every == YAML_NODE_NONE) {
        policy->reattest_every_ms = policy->max_age_ms / 4; /* three attempts may fail */
    } else if (policy->reattest_every_ms > policy->max_age_ms) {
        return yaml_tree_problem(tree, every, out_problem,
                                 "longer than max_age: the verdict would expire in between");
    }
    return OK;
}
