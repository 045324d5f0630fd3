#include "policy/firmware.h"
#include "policy/reader.h"

#include <stdlib.h>
#include <string.h>

static ERRFN take_trust(void *context, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *problem)
{
    static const char *const names[] = {"chain_or_hash", "chain", "hash", "chain_and_hash", NULL};
    static const enum policy_trust trusts[] = {POLICY_TRUST_CHAIN_OR_HASH, POLICY_TRUST_CHAIN,
                                               POLICY_TRUST_HASH, POLICY_TRUST_CHAIN_AND_HASH};
    size_t index = 0;
    TRY(yaml_value_choice(tree, node, names, &index, problem));
    ((struct policy *)context)->trust = trusts[index];
    return OK;
}

static ERRFN take_certificateless(void *context, const struct yaml_tree *tree, uint32_t node,
                                  struct yaml_problem *problem)
{
    static const char *const names[] = {"refuse", "pending", NULL};
    static const enum policy_certificateless rules[] = {POLICY_CERTIFICATELESS_REFUSE,
                                                        POLICY_CERTIFICATELESS_PENDING};
    size_t index = 0;
    TRY(yaml_value_choice(tree, node, names, &index, problem));
    ((struct policy *)context)->certificateless = rules[index];
    return OK;
}

static ERRFN take_expired(void *context, const struct yaml_tree *tree, uint32_t node,
                          struct yaml_problem *problem)
{
    static const char *const names[] = {"accept", "refuse", NULL};
    size_t index = 0;
    TRY(yaml_value_choice(tree, node, names, &index, problem));
    ((struct policy *)context)->refuse_expired = index == 1;
    return OK;
}

static ERRFN take_roots(void *context, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *problem)
{
    struct policy *p = context;
    return policy_pem_read(tree, node, E(CA_CERTS_NO_PEM), &p->ek_roots, problem);
}

static ERRFN take_intermediates(void *context, const struct yaml_tree *tree, uint32_t node,
                                struct yaml_problem *problem)
{
    struct policy *p = context;
    return policy_pem_read(tree, node, E(INTERMEDIATE_CERTS_NO_PEM), &p->ek_intermediates, problem);
}

static ERRFN take_hashes(void *context, const struct yaml_tree *tree, uint32_t node,
                         struct yaml_problem *problem)
{
    return policy_hashes_read(context, tree, node, problem);
}

static ERRFN take_manufacturers(void *context, const struct yaml_tree *tree, uint32_t node,
                                struct yaml_problem *problem)
{
    struct policy *p = context;
    return policy_texts_read(p, POLICY_MANUFACTURERS_MAX, POLICY_MANUFACTURER_SIZE, tree, node,
                             &p->manufacturers, problem);
}

static ERRFN take_range_manufacturer(void *context, const struct yaml_tree *tree, uint32_t node,
                                     struct yaml_problem *problem)
{
    struct policy_firmware *range = context;
    return yaml_value_text(tree, node, range->manufacturer, sizeof range->manufacturer, problem);
}

static ERRFN read_version(const struct yaml_tree *tree, uint32_t node, uint16_t rest,
                          uint64_t *out_version, struct yaml_problem *problem)
{
    const struct yaml_node *n = &tree->nodes[node];
    if (n->kind != YAML_KIND_SCALAR || !IS_OK(policy_firmware_parse(n->text, rest, out_version))) {
        return yaml_tree_problem(tree, node, problem,
                                 "expected a firmware version of one to four numbers, as 7.85");
    }
    return OK;
}

static ERRFN take_min(void *context, const struct yaml_tree *tree, uint32_t node,
                      struct yaml_problem *problem)
{
    return read_version(tree, node, 0, &((struct policy_firmware *)context)->min, problem);
}

static ERRFN take_max(void *context, const struct yaml_tree *tree, uint32_t node,
                      struct yaml_problem *problem)
{
    return read_version(tree, node, 0xffff, &((struct policy_firmware *)context)->max, problem);
}

static ERRFN read_range(struct policy_firmware *range, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *problem)
{
    static const struct yaml_field fields[] = {
        {"manufacturer", false, take_range_manufacturer},
        {"min", false, take_min},
        {"max", false, take_max},
    };
    range->max = UINT64_MAX;
    TRY(YAML_FIELDS_READ(tree, node, fields, range, problem));
    if (range->min == 0 && range->max == UINT64_MAX) {
        return yaml_tree_problem(tree, node, problem, "expected min or max");
    }
    return range->min <= range->max ? OK
                                    : yaml_tree_problem(tree, node, problem, "min is above max");
}

static ERRFN take_firmware(void *context, const struct yaml_tree *tree, uint32_t node,
                           struct yaml_problem *problem)
{
    struct policy *p = context;
    TRY(yaml_value_is_sequence(tree, node, POLICY_FIRMWARE_MAX, problem));
    p->firmware = calloc(yaml_tree_size(tree, node) + 1, sizeof *p->firmware);
    ENSURE(p->firmware, NO_MEMORY);
    EACH_ITEM(tree, node, item)
    {
        TRY(read_range(&p->firmware[p->firmware_count], tree, item, problem));
        p->firmware_count++;
    }
    return OK;
}

ERRFN policy_ek_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                     struct yaml_problem *out_problem)
{
    static const struct yaml_field fields[] = {
        {"trust", false, take_trust},
        {"certificateless", false, take_certificateless},
        {"expired", false, take_expired},
        {"roots", false, take_roots},
        {"intermediates", false, take_intermediates},
        {"allowed_hashes", false, take_hashes},
        {"manufacturers", false, take_manufacturers},
        {"firmware", false, take_firmware},
    };
    return YAML_FIELDS_READ(tree, node, fields, policy, out_problem);
}
