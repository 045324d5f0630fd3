/* Puts values into a struct config as the table of settings says. */
#ifndef ITL_CONFIG_STORE_H
#define ITL_CONFIG_STORE_H

#include "config/settings.h"
#include "yaml/value.h"

/* The value of one setting. Errors: YAML_INVALID with out_problem filled in, NO_MEMORY. */
ERRFN config_store_setting(struct config *config, const struct setting *setting,
                           const struct yaml_tree *tree, uint32_t node,
                           struct yaml_problem *out_problem);

/* Every setting of a document, in the order of the text; keys that the table doesn't have are
 * refused. */
ERRFN config_store_document(struct config *config, const struct yaml_tree *tree,
                            struct yaml_problem *out_problem);

#endif
