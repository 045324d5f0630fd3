#include "yaml/fields.h"

#include "yaml/value.h"

static const struct yaml_field *find_field(const struct yaml_field *fields, size_t count,
                                           struct view key)
{
    for (size_t i = 0; i < count; i++) {
        if (view_is(key, fields[i].key)) {
            return &fields[i];
        }
    }
    return NULL;
}

ERRFN yaml_fields_read(const struct yaml_tree *tree, uint32_t mapping,
                       const struct yaml_field *fields, size_t count, void *context,
                       struct yaml_problem *out_problem)
{
    TRY(yaml_value_is_mapping(tree, mapping, out_problem));
    const struct yaml_node *nodes = tree->nodes;
    for (uint32_t key = mapping + 1; key < nodes[mapping].next; key = nodes[key + 1].next) {
        const struct yaml_field *field = find_field(fields, count, nodes[key].text);
        if (!field) {
            return yaml_tree_problem(tree, key, out_problem, "there is no such setting");
        }
        TRY(field->take(context, tree, key + 1, out_problem));
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].required && yaml_tree_find(tree, mapping, fields[i].key) == YAML_NODE_NONE) {
            return yaml_tree_problem(tree, mapping, out_problem, "%s is required", fields[i].key);
        }
    }
    return OK;
}
