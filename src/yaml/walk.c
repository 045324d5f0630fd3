#include "yaml/walk.h"

#include "yaml/value.h"

#include <string.h>

/* A key with a dot would look like a path without being one. */
static enum yaml_place place_of(const struct yaml_tree *tree, uint32_t key, const char *path,
                                const struct yaml_reading *reading)
{
    struct view text = tree->nodes[key].text;
    if (text.len == 0 || memchr(text.data, '.', text.len)) {
        return YAML_PLACE_UNKNOWN;
    }
    return reading->place(path);
}

ERRFN yaml_walk(const struct yaml_tree *tree, uint32_t root, const struct yaml_reading *reading,
                void *context, struct yaml_problem *out_problem)
{
    TRY(yaml_value_is_mapping(tree, root, out_problem));
    uint32_t key = root + 1;
    while (key < tree->nodes[root].next) {
        uint32_t value = key + 1;
        char path[sizeof out_problem->path];
        yaml_tree_path(tree, key, path, sizeof path);
        switch (place_of(tree, key, path, reading)) {
        case YAML_PLACE_UNKNOWN:
            return yaml_tree_problem(tree, key, out_problem, "there is no such setting");
        case YAML_PLACE_SECTION:
            TRY(yaml_value_is_mapping(tree, value, out_problem));
            key = value + 1; /* its first key, or the next one here when it is empty */
            break;
        case YAML_PLACE_VALUE:
            TRY(reading->take(context, path, tree, value, out_problem));
            key = tree->nodes[value].next;
            break;
        }
    }
    return OK;
}
