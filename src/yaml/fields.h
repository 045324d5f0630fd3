/* A mapping with known keys, read by a table: what stands in lists of mappings, and any section. */
#ifndef ITL_YAML_FIELDS_H
#define ITL_YAML_FIELDS_H

#include "yaml/tree.h"

struct yaml_field {
    const char *key;
    bool required;
    err_t (*take)(void *context, const struct yaml_tree *tree, uint32_t node,
                  struct yaml_problem *out_problem);
};

/* Gives each value to its key's take(), in the order of the text. A key that no row has is an
 * error, and so is a required one that is missing. Errors: YAML_INVALID with out_problem filled in,
 * and whatever take() returns. */
ERRFN yaml_fields_read(const struct yaml_tree *tree, uint32_t mapping,
                       const struct yaml_field *fields, size_t count, void *context,
                       struct yaml_problem *out_problem);

#define YAML_FIELDS_READ(tree, mapping, fields, context, out_problem)                            \
    yaml_fields_read((tree), (mapping), (fields), sizeof(fields) / sizeof(fields)[0], (context), \
                     (out_problem))

#endif
