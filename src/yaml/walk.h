/* Goes through a document's settings in the order of the text and refuses what its reader does not
 * know. */
#ifndef ITL_YAML_WALK_H
#define ITL_YAML_WALK_H

#include "yaml/tree.h"

enum yaml_place {
    YAML_PLACE_UNKNOWN = 0,
    YAML_PLACE_SECTION, /* a mapping with places of its own */
    YAML_PLACE_VALUE    /* given to take(), whatever it is */
};

struct yaml_reading {
    /* What stands at a path such as "hsm.ca.module"? */
    enum yaml_place (*place)(const char *path);
    ERRFN (*take)
    (void *context, const char *path, const struct yaml_tree *tree, uint32_t node,
     struct yaml_problem *out_problem);
};

/* The root must be a mapping. Errors: YAML_INVALID with out_problem filled in, and whatever take()
 * returns. */
ERRFN yaml_walk(const struct yaml_tree *tree, uint32_t root, const struct yaml_reading *reading,
                void *context, struct yaml_problem *out_problem);

#endif
