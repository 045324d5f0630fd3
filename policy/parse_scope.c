#include "policy/reader.h"

struct scope_reading {
    struct policy *policy;
    struct policy_scope *scope;
};

static ERRFN read_names(void *context, const struct yaml_tree *tree, uint32_t node,
                        struct policy_texts *out_names, struct yaml_problem *problem)
{
    struct policy *p = ((struct scope_reading *)context)->policy;
    return policy_texts_read(p, POLICY_SCOPE_MAX, POLICY_NAME_SIZE, tree, node, out_names, problem);
}

static ERRFN take_roles(void *context, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *problem)
{
    struct policy_scope *scope = ((struct scope_reading *)context)->scope;
    return read_names(context, tree, node, &scope->roles, problem);
}

static ERRFN take_clusters(void *context, const struct yaml_tree *tree, uint32_t node,
                           struct yaml_problem *problem)
{
    struct policy_scope *scope = ((struct scope_reading *)context)->scope;
    return read_names(context, tree, node, &scope->clusters, problem);
}

static ERRFN take_manufacturers(void *context, const struct yaml_tree *tree, uint32_t node,
                                struct yaml_problem *problem)
{
    struct policy_scope *scope = ((struct scope_reading *)context)->scope;
    return read_names(context, tree, node, &scope->manufacturers, problem);
}

static ERRFN take_models(void *context, const struct yaml_tree *tree, uint32_t node,
                         struct yaml_problem *problem)
{
    struct policy_scope *scope = ((struct scope_reading *)context)->scope;
    return read_names(context, tree, node, &scope->models, problem);
}

ERRFN policy_scope_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                        struct policy_scope *out_scope, struct yaml_problem *out_problem)
{
    static const struct yaml_field fields[] = {
        {"roles", false, take_roles},
        {"clusters", false, take_clusters},
        {"manufacturers", false, take_manufacturers},
        {"models", false, take_models},
    };
    struct scope_reading reading = {.policy = policy, .scope = out_scope};
    return YAML_FIELDS_READ(tree, node, fields, &reading, out_problem);
}

void policy_scope_free(struct policy_scope *scope)
{
    policy_texts_free(&scope->roles);
    policy_texts_free(&scope->clusters);
    policy_texts_free(&scope->manufacturers);
    policy_texts_free(&scope->models);
}
