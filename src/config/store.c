#include "config/store.h"

#include "config/shape.h"
#include "yaml/walk.h"

#include <stdlib.h>
#include <string.h>

static void *member_at(struct config *config, size_t offset)
{
    return (char *)config + offset;
}

static ERRFN store_text(const struct setting *s, char *out_text, const struct yaml_tree *tree,
                        uint32_t node, struct yaml_problem *out_problem)
{
    TRY(yaml_value_text(tree, node, out_text, s->size, out_problem));
    if (s->is_shaped && !s->is_shaped(out_text)) {
        return yaml_tree_problem(tree, node, out_problem, "expected %s", s->expected);
    }
    return OK;
}

static ERRFN store_texts(struct config *config, const struct setting *s,
                         const struct yaml_tree *tree, uint32_t node,
                         struct yaml_problem *out_problem)
{
    TRY(yaml_value_is_sequence(tree, node, s->max, out_problem));
    char *items = member_at(config, s->offset);
    size_t count = 0;
    for (uint32_t i = node + 1; i < tree->nodes[node].next; i = tree->nodes[i].next) {
        char *item = items + count * s->size;
        TRY(store_text(s, item, tree, i, out_problem));
        for (size_t k = 0; k < count; k++) {
            if (strcmp(items + k * s->size, item) == 0) {
                return yaml_tree_problem(tree, i, out_problem,
                                         "this item stands twice in the list");
            }
        }
        count++;
    }
    if (count < s->min) {
        return yaml_tree_problem(tree, node, out_problem, "expected one item at least");
    }
    memcpy(member_at(config, s->count_offset), &count, sizeof count);
    return OK;
}

static ERRFN store_variables(struct config *config, const struct setting *s,
                             const struct yaml_tree *tree, uint32_t node,
                             struct yaml_problem *out_problem)
{
    TRY(yaml_value_is_mapping(tree, node, out_problem));
    if (yaml_tree_size(tree, node) > s->max) {
        return yaml_tree_problem(tree, node, out_problem, "expected at most %u variables", s->max);
    }
    struct config_variable *variable = member_at(config, s->offset);
    size_t count = 0;
    for (uint32_t key = node + 1; key < tree->nodes[node].next; key = tree->nodes[key + 1].next) {
        TRY(yaml_value_text(tree, key, variable[count].name, sizeof variable->name, out_problem));
        if (!config_shape_is_variable(variable[count].name)) {
            return yaml_tree_problem(tree, key, out_problem,
                                     "this is not a variable that a module may be given");
        }
        TRY(yaml_value_text(tree, key + 1, variable[count].value, sizeof variable->value,
                            out_problem));
        count++;
    }
    memcpy(member_at(config, s->count_offset), &count, sizeof count);
    return OK;
}

static ERRFN store_selection(struct config *config, const struct setting *s,
                             const struct yaml_tree *tree, uint32_t node,
                             struct yaml_problem *out_problem)
{
    static const char *const banks[] = {"sha256", "sha384", "sha512", NULL};
    TRY(yaml_value_is_mapping(tree, node, out_problem));
    struct config_pcr_bank *bank = member_at(config, s->offset);
    size_t count = 0;
    for (uint32_t key = node + 1; key < tree->nodes[node].next; key = tree->nodes[key + 1].next) {
        size_t name = 0;
        TRY(yaml_value_choice(tree, key, banks, &name, out_problem));
        memset(&bank[count], 0, sizeof *bank);
        memcpy(bank[count].bank, banks[name], strlen(banks[name]));
        TRY(yaml_value_mask(tree, key + 1, 23, &bank[count].mask, out_problem));
        count++;
    }
    if (count == 0) {
        return yaml_tree_problem(tree, node, out_problem,
                                 "expected one bank at least, as sha256: [0, 2, 4, 7]");
    }
    memcpy(member_at(config, s->count_offset), &count, sizeof count);
    return OK;
}

static ERRFN store_choice(struct config *config, const struct setting *s,
                          const struct yaml_tree *tree, uint32_t node,
                          struct yaml_problem *out_problem)
{
    size_t index = 0;
    TRY(yaml_value_choice(tree, node, s->choices, &index, out_problem));
    unsigned value = (unsigned)index + 1; /* zero is "unset" in all of these enums */
    memcpy(member_at(config, s->offset), &value, sizeof value);
    return OK;
}

_Static_assert(sizeof(enum config_isolation) == sizeof(unsigned),
               "store_choice writes enums as unsigned");
_Static_assert((unsigned)LOG_DEBUG == 1,
               "the choices of logging.level are in the order of enum log_level");

ERRFN config_store_setting(struct config *config, const struct setting *s,
                           const struct yaml_tree *tree, uint32_t node,
                           struct yaml_problem *out_problem)
{
    void *member = member_at(config, s->offset);
    switch (s->kind) {
    case SETTING_BOOL:
        return yaml_value_bool(tree, node, member, out_problem);
    case SETTING_NUMBER:
        return yaml_value_number(tree, node, s->min, s->max, member, out_problem);
    case SETTING_TEXT:
        return store_text(s, member, tree, node, out_problem);
    case SETTING_CHOICE:
        return store_choice(config, s, tree, node, out_problem);
    case SETTING_TEXTS:
        return store_texts(config, s, tree, node, out_problem);
    case SETTING_VARIABLES:
        return store_variables(config, s, tree, node, out_problem);
    case SETTING_SELECTION:
        return store_selection(config, s, tree, node, out_problem);
    case SETTING_NONE:
        break;
    }
    return E(BUG);
}

static enum yaml_place place_of_setting(const char *path)
{
    if (config_setting_find(path)) {
        return YAML_PLACE_VALUE;
    }
    return config_setting_is_section(path) ? YAML_PLACE_SECTION : YAML_PLACE_UNKNOWN;
}

static ERRFN take_setting(void *config, const char *path, const struct yaml_tree *tree,
                          uint32_t node, struct yaml_problem *out_problem)
{
    return config_store_setting(config, config_setting_find(path), tree, node, out_problem);
}

ERRFN config_store_document(struct config *config, const struct yaml_tree *tree,
                            struct yaml_problem *out_problem)
{
    static const struct yaml_reading reading = {.place = place_of_setting, .take = take_setting};
    return yaml_walk(tree, 0, &reading, config, out_problem);
}
