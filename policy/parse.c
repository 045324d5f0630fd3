#include "policy/reader.h"

#include <stdio.h>
#include <string.h>

enum {
    DEPTH_MAX = 10, /* a Defakto document has its hashes at 9 */
    VERSION_MAX = 1000000000
};

static ERRFN take_name(void *context, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    struct policy *p = ((struct policy_reading *)context)->policy;
    return yaml_value_text(tree, node, p->name, sizeof p->name, problem);
}

static ERRFN take_version(void *context, const struct yaml_tree *tree, uint32_t node,
                          struct yaml_problem *problem)
{
    struct policy *p = ((struct policy_reading *)context)->policy;
    return yaml_value_number(tree, node, 1, VERSION_MAX, &p->version, problem);
}

static ERRFN take_mode(void *context, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    struct policy *p = ((struct policy_reading *)context)->policy;
    return policy_mode_read(tree, node, &p->mode, problem);
}

static ERRFN take_scope(void *context, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *problem)
{
    struct policy *p = ((struct policy_reading *)context)->policy;
    return policy_scope_read(p, tree, node, &p->scope, problem);
}

static ERRFN take_ek(void *context, const struct yaml_tree *tree, uint32_t node,
                     struct yaml_problem *problem)
{
    return policy_ek_read(((struct policy_reading *)context)->policy, tree, node, problem);
}

static ERRFN take_ak_keys(void *context, const struct yaml_tree *tree, uint32_t node,
                          struct yaml_problem *problem)
{
    static const char *const names[] = {"P-256",    "P-384",    "P-521", "RSA-2048",
                                        "RSA-3072", "RSA-4096", NULL};
    struct policy *p = ((struct policy_reading *)context)->policy;
    TRY(yaml_value_is_sequence(tree, node, POLICY_AK_KEYS_MAX, problem));
    bool seen[POLICY_AK_KEYS_MAX] = {false};
    p->ak_keys_count = 0;
    EACH_ITEM(tree, node, item)
    {
        size_t index = 0;
        TRY(yaml_value_choice(tree, item, names, &index, problem));
        if (seen[index]) {
            return yaml_tree_problem(tree, item, problem, "this item stands twice in the list");
        }
        seen[index] = true;
        snprintf(p->ak_keys[p->ak_keys_count++], sizeof p->ak_keys[0], "%s", names[index]);
    }
    return p->ak_keys_count > 0
               ? OK
               : yaml_tree_problem(tree, node, problem, "expected one key type at least");
}

static ERRFN take_ak(void *context, const struct yaml_tree *tree, uint32_t node,
                     struct yaml_problem *problem)
{
    static const struct yaml_field fields[] = {{"keys", false, take_ak_keys}};
    return YAML_FIELDS_READ(tree, node, fields, context, problem);
}

static ERRFN take_quote(void *context, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *problem)
{
    return policy_quote_read(((struct policy_reading *)context)->policy, tree, node, problem);
}

static ERRFN take_log_required(void *context, const struct yaml_tree *tree, uint32_t node,
                               struct yaml_problem *problem)
{
    struct policy *p = ((struct policy_reading *)context)->policy;
    return yaml_value_bool(tree, node, &p->require_event_log, problem);
}

static ERRFN take_must_replay(void *context, const struct yaml_tree *tree, uint32_t node,
                              struct yaml_problem *problem)
{
    struct policy *p = ((struct policy_reading *)context)->policy;
    return yaml_value_mask(tree, node, POLICY_PCR_COUNT - 1, &p->must_replay, problem);
}

static ERRFN take_rules(void *context, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *problem)
{
    ((struct policy_reading *)context)->rules = node;
    return yaml_value_is_sequence(tree, node, POLICY_RULES_MAX, problem);
}

static ERRFN take_event_log(void *context, const struct yaml_tree *tree, uint32_t node,
                            struct yaml_problem *problem)
{
    static const struct yaml_field fields[] = {
        {"required", false, take_log_required},
        {"must_replay", false, take_must_replay},
        {"rules", false, take_rules},
    };
    return YAML_FIELDS_READ(tree, node, fields, context, problem);
}

static ERRFN take_baselines(void *context, const struct yaml_tree *tree, uint32_t node,
                            struct yaml_problem *problem)
{
    ((struct policy_reading *)context)->baselines = node;
    return yaml_value_is_sequence(tree, node, POLICY_BASELINES_MAX, problem);
}

static ERRFN take_exceptions(void *context, const struct yaml_tree *tree, uint32_t node,
                             struct yaml_problem *problem)
{
    ((struct policy_reading *)context)->exceptions = node;
    return yaml_value_is_sequence(tree, node, POLICY_EXCEPTIONS_MAX, problem);
}

static ERRFN take_gates(void *context, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *problem)
{
    return policy_gates_read(((struct policy_reading *)context)->policy, tree, node, problem);
}

static ERRFN take_evidence(void *context, const struct yaml_tree *tree, uint32_t node,
                           struct yaml_problem *problem)
{
    return policy_evidence_read(((struct policy_reading *)context)->policy, tree, node, problem);
}

static const struct yaml_field root_fields[] = {
    {"name", true, take_name},
    {"version", true, take_version},
    {"mode", false, take_mode},
    {"scope", false, take_scope},
    {"ek", false, take_ek},
    {"ak", false, take_ak},
    {"quote", false, take_quote},
    {"event_log", false, take_event_log},
    {"baselines", false, take_baselines},
    {"exceptions", false, take_exceptions},
    {"gates", false, take_gates},
    {"evidence", false, take_evidence},
};

static ERRFN check_event_log(const struct policy *p, const struct yaml_tree *tree,
                             struct yaml_problem *problem)
{
    uint32_t section = yaml_tree_find(tree, 0, "event_log");
    if (p->must_replay != 0 && !p->require_event_log) {
        return yaml_tree_problem(
            tree, section, problem,
            "must_replay needs required: true, or a machine could leave the event log out");
    }
    if (p->must_replay & ~policy_selected_pcrs(p)) {
        return yaml_tree_problem(tree, yaml_tree_find(tree, section, "must_replay"), problem,
                                 "must_replay lists a PCR that quote.pcr_selection does not");
    }
    return OK;
}

static ERRFN read_native(struct policy *p, const struct yaml_tree *tree,
                         struct yaml_problem *problem)
{
    struct policy_reading reading = {.policy = p,
                                     .rules = YAML_NODE_NONE,
                                     .baselines = YAML_NODE_NONE,
                                     .exceptions = YAML_NODE_NONE};
    TRY(YAML_FIELDS_READ(tree, 0, root_fields, &reading, problem));
    TRY(check_event_log(p, tree, problem));
    if (reading.rules != YAML_NODE_NONE) {
        TRY(policy_rules_read(p, tree, reading.rules, &p->rules, problem));
    }
    if (reading.baselines != YAML_NODE_NONE) {
        TRY(policy_baselines_read(p, tree, reading.baselines, problem));
    }
    if (reading.exceptions != YAML_NODE_NONE) {
        TRY(policy_exceptions_read(p, tree, reading.exceptions, problem));
    }
    return OK;
}

static ERRFN read_policy(struct policy *p, struct view yaml, struct yaml_problem *problem)
{
    static const struct yaml_limits limits = {
        .bytes_max = POLICY_FILE_MAX_BYTES, .depth_max = DEPTH_MAX, .documents_max = 1};
    AUTO(yaml_tree) tree = NULL;
    TRY(yaml_tree_read(yaml, &limits, &tree, problem));
    TRY(policy_texts_reserve(p, tree->text->len));
    bool defakto = yaml_tree_find(tree, 0, "section") != YAML_NODE_NONE;
    TRY(defakto ? policy_defakto_read(p, tree, problem) : read_native(p, tree, problem));
    policy_hashes_sort(p);
    return OK;
}

ERRFN policy_parse(struct view yaml, struct policy **out_policy, struct policy_problem *out_problem)
{
    memset(out_problem, 0, sizeof *out_problem);
    AUTO(policy) p = NULL;
    TRY(policy_new(&p));
    struct yaml_problem problem = {0};
    err_t e = read_policy(p, yaml, &problem);
    if (!IS_OK(e)) {
        snprintf(out_problem->text, sizeof out_problem->text, "%s", problem.text);
        snprintf(out_problem->path, sizeof out_problem->path, "%s", problem.path);
        out_problem->line = problem.line;
        out_problem->column = problem.column;
        return IS_E(e, YAML_INVALID) ? E(POLICY_INVALID) : e;
    }
    *out_policy = STEAL(p);
    return OK;
}
