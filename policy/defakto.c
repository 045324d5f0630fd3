/* The AgentAttestation document of Defakto's TPM EK method: policies of which one must authorise,
 * each with certificates, hashes or both. All that are within reach become one: their roots and
 * their hashes together. One that requires an attestor other than tpm_ek can't be satisfied here
 * and lends none of its anchors. */
#include "policy/reader.h"

#include <stdio.h>
#include <string.h>

enum {
    POLICIES_MAX = 256, /* in one document; a cluster has a few */
    ATTESTORS_MAX = 8   /* kinds of attestors that one policy combines */
};

struct defakto_reading {
    struct policy *policy;
    uint32_t attestors; /* node of the policy at hand */
    bool chain;         /* some policy trusts by certificate */
    bool hash;          /* some policy trusts by hash */
};

static ERRFN take_section(void *context, const struct yaml_tree *tree, uint32_t node,
                          struct yaml_problem *problem)
{
    static const char *const names[] = {"AgentAttestation", NULL};
    size_t index = 0;
    (void)context;
    return yaml_value_choice(tree, node, names, &index, problem);
}

static ERRFN take_schema(void *context, const struct yaml_tree *tree, uint32_t node,
                         struct yaml_problem *problem)
{
    static const char *const names[] = {"v1", NULL};
    size_t index = 0;
    (void)context;
    return yaml_value_choice(tree, node, names, &index, problem);
}

static bool is_empty(const struct yaml_tree *tree, uint32_t node)
{
    const struct yaml_node *n = &tree->nodes[node];
    return yaml_tree_is_null(tree, node) ||
           (n->kind == YAML_KIND_SCALAR ? n->text.len == 0 : yaml_tree_size(tree, node) == 0);
}

static ERRFN take_ca_certs(void *context, const struct yaml_tree *tree, uint32_t node,
                           struct yaml_problem *problem)
{
    struct defakto_reading *r = context;
    if (is_empty(tree, node)) {
        return OK;
    }
    r->chain = true;
    return policy_pem_read(tree, node, E(CA_CERTS_NO_PEM), &r->policy->ek_roots, problem);
}

static ERRFN take_intermediate_certs(void *context, const struct yaml_tree *tree, uint32_t node,
                                     struct yaml_problem *problem)
{
    struct defakto_reading *r = context;
    return is_empty(tree, node) ? OK
                                : policy_pem_read(tree, node, E(INTERMEDIATE_CERTS_NO_PEM),
                                                  &r->policy->ek_intermediates, problem);
}

static ERRFN take_allowed_hashes(void *context, const struct yaml_tree *tree, uint32_t node,
                                 struct yaml_problem *problem)
{
    struct defakto_reading *r = context;
    if (is_empty(tree, node)) {
        return OK;
    }
    r->hash = true;
    return policy_hashes_read(r->policy, tree, node, problem);
}

static ERRFN read_config(struct defakto_reading *r, const struct yaml_tree *tree, uint32_t attestor,
                         struct yaml_problem *problem)
{
    static const struct yaml_field fields[] = {
        {"caCerts", false, take_ca_certs},
        {"intermediateCerts", false, take_intermediate_certs},
        {"allowedHashes", false, take_allowed_hashes},
    };
    uint32_t config = yaml_tree_find(tree, attestor, "config");
    if (config == YAML_NODE_NONE) {
        return yaml_tree_problem(tree, attestor, problem, "config is required");
    }
    TRY(YAML_FIELDS_READ(tree, config, fields, r, problem));
    uint32_t certs = yaml_tree_find(tree, config, "caCerts");
    uint32_t hashes = yaml_tree_find(tree, config, "allowedHashes");
    if ((certs == YAML_NODE_NONE || is_empty(tree, certs)) &&
        (hashes == YAML_NODE_NONE || is_empty(tree, hashes))) {
        return yaml_tree_problem(tree, config, problem, "expected caCerts, allowedHashes or both");
    }
    return OK;
}

static ERRFN take_type(void *context, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    char type[POLICY_NAME_SIZE];
    (void)context;
    return yaml_value_text(tree, node, type, sizeof type, problem);
}

static ERRFN take_nothing(void *context, const struct yaml_tree *tree, uint32_t node,
                          struct yaml_problem *problem)
{
    (void)context;
    (void)tree;
    (void)node;
    (void)problem;
    return OK;
}

/* Checks the shape of all and says whether each is a tpm_ek. */
static ERRFN survey(const struct yaml_tree *tree, uint32_t attestors, bool *out_reachable,
                    struct yaml_problem *problem)
{
    static const struct yaml_field fields[] = {{"type", true, take_type},
                                               {"config", false, take_nothing}};
    size_t ours = 0;
    EACH_ITEM(tree, attestors, item)
    {
        TRY(YAML_FIELDS_READ(tree, item, fields, NULL, problem));
        ours += view_is(tree->nodes[yaml_tree_find(tree, item, "type")].text, "tpm_ek");
        if (ours > 1) {
            return yaml_tree_problem(tree, item, problem,
                                     "tpm_ek stands twice among the attestors of one policy");
        }
    }
    *out_reachable = ours == yaml_tree_size(tree, attestors);
    return OK;
}

static ERRFN take_policy_name(void *context, const struct yaml_tree *tree, uint32_t node,
                              struct yaml_problem *problem)
{
    struct defakto_reading *r = context;
    return yaml_value_text(tree, node, r->policy->name, sizeof r->policy->name, problem);
}

static ERRFN take_attestors(void *context, const struct yaml_tree *tree, uint32_t node,
                            struct yaml_problem *problem)
{
    TRY(yaml_value_is_sequence(tree, node, ATTESTORS_MAX, problem));
    if (yaml_tree_size(tree, node) == 0) {
        return yaml_tree_problem(tree, node, problem, "expected one attestor at least");
    }
    ((struct defakto_reading *)context)->attestors = node;
    return OK;
}

static ERRFN check_name(const struct yaml_tree *tree, uint32_t policies, uint32_t policy,
                        struct yaml_problem *problem)
{
    uint32_t name = yaml_tree_find(tree, policy, "name");
    for (uint32_t other = policies + 1; other < policy; other = tree->nodes[other].next) {
        uint32_t other_name = yaml_tree_find(tree, other, "name");
        if (view_equal(tree->nodes[other_name].text, tree->nodes[name].text)) {
            return yaml_tree_problem(tree, name, problem, "another policy has the same name");
        }
    }
    return OK;
}

static ERRFN read_one(struct defakto_reading *r, const struct yaml_tree *tree, uint32_t node,
                      struct yaml_problem *problem)
{
    static const struct yaml_field fields[] = {
        {"name", true, take_policy_name},
        {"requiredAttestors", true, take_attestors},
    };
    bool reachable = false;
    TRY(YAML_FIELDS_READ(tree, node, fields, r, problem));
    TRY(check_name(tree, tree->nodes[node].parent, node, problem));
    TRY(survey(tree, r->attestors, &reachable, problem));
    return reachable ? read_config(r, tree, r->attestors + 1, problem) : OK;
}

static ERRFN take_policies(void *context, const struct yaml_tree *tree, uint32_t node,
                           struct yaml_problem *problem)
{
    struct defakto_reading *r = context;
    TRY(yaml_value_is_sequence(tree, node, POLICIES_MAX, problem));
    if (yaml_tree_size(tree, node) == 0) {
        return yaml_tree_problem(tree, node, problem, "expected one policy at least");
    }
    EACH_ITEM(tree, node, item)
    {
        TRY(read_one(r, tree, item, problem));
    }
    if (yaml_tree_size(tree, node) > 1) {
        snprintf(r->policy->name, sizeof r->policy->name, "AgentAttestation");
    }
    return OK;
}

static ERRFN take_spec(void *context, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    static const struct yaml_field fields[] = {{"policies", true, take_policies}};
    return YAML_FIELDS_READ(tree, node, fields, context, problem);
}

ERRFN policy_defakto_read(struct policy *policy, const struct yaml_tree *tree,
                          struct yaml_problem *out_problem)
{
    static const struct yaml_field fields[] = {
        {"section", true, take_section},
        {"schema", true, take_schema},
        {"spec", true, take_spec},
    };
    struct defakto_reading reading = {.policy = policy};
    TRY(YAML_FIELDS_READ(tree, 0, fields, &reading, out_problem));
    policy->ek_roots_only = true;
    policy->unauthorized = !reading.chain && !reading.hash;
    policy->trust = !reading.hash    ? POLICY_TRUST_CHAIN
                    : !reading.chain ? POLICY_TRUST_HASH
                                     : POLICY_TRUST_CHAIN_OR_HASH;
    return OK;
}
