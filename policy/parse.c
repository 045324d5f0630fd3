#include "policy/bank.h"
#include "policy/pcr_values.h"
#include "policy/policy.h"
#include "yaml/value.h"
#include "yaml/walk.h"

#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 8, VERSION_MAX = 1000000000 };

static ERRFN take_name(struct policy *p, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    return yaml_value_text(tree, node, p->name, sizeof p->name, problem);
}

static ERRFN take_version(struct policy *p, const struct yaml_tree *tree, uint32_t node,
                          struct yaml_problem *problem)
{
    return yaml_value_number(tree, node, 1, VERSION_MAX, &p->version, problem);
}

static ERRFN take_mode(struct policy *p, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    static const char *const names[] = {"enforce", "telemetry", NULL};
    static const enum policy_mode modes[] = {POLICY_MODE_ENFORCE, POLICY_MODE_TELEMETRY};
    size_t index = 0;
    TRY(yaml_value_choice(tree, node, names, &index, problem));
    p->mode = modes[index];
    return OK;
}

static ERRFN take_trust(struct policy *p, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *problem)
{
    static const char *const names[] = {"chain_or_hash", "chain", "hash", "chain_and_hash", NULL};
    static const enum policy_trust trusts[] = {POLICY_TRUST_CHAIN_OR_HASH, POLICY_TRUST_CHAIN,
                                               POLICY_TRUST_HASH, POLICY_TRUST_CHAIN_AND_HASH};
    size_t index = 0;
    TRY(yaml_value_choice(tree, node, names, &index, problem));
    p->trust = trusts[index];
    return OK;
}

static ERRFN take_certificateless(struct policy *p, const struct yaml_tree *tree, uint32_t node,
                                  struct yaml_problem *problem)
{
    static const char *const names[] = {"refuse", "pending", NULL};
    static const enum policy_certificateless rules[] = {POLICY_CERTIFICATELESS_REFUSE,
                                                        POLICY_CERTIFICATELESS_PENDING};
    size_t index = 0;
    TRY(yaml_value_choice(tree, node, names, &index, problem));
    p->certificateless = rules[index];
    return OK;
}

static ERRFN take_ak_keys(struct policy *p, const struct yaml_tree *tree, uint32_t node,
                          struct yaml_problem *problem)
{
    static const char *const names[] = {"P-256",    "P-384",    "P-521", "RSA-2048",
                                        "RSA-3072", "RSA-4096", NULL};
    TRY(yaml_value_is_sequence(tree, node, POLICY_AK_KEYS_MAX, problem));
    bool seen[POLICY_AK_KEYS_MAX] = {false};
    p->ak_keys_count = 0;
    for (uint32_t i = node + 1; i < tree->nodes[node].next; i = tree->nodes[i].next) {
        size_t index = 0;
        TRY(yaml_value_choice(tree, i, names, &index, problem));
        if (seen[index]) {
            return yaml_tree_problem(tree, i, problem, "this item stands twice in the list");
        }
        seen[index] = true;
        snprintf(p->ak_keys[p->ak_keys_count++], sizeof p->ak_keys[0], "%s", names[index]);
    }
    return p->ak_keys_count > 0
               ? OK
               : yaml_tree_problem(tree, node, problem, "expected one key type at least");
}

static ERRFN take_required(struct policy *p, const struct yaml_tree *tree, uint32_t node,
                           struct yaml_problem *problem)
{
    return yaml_value_bool(tree, node, &p->require_quote, problem);
}

static ERRFN take_selection(struct policy *p, const struct yaml_tree *tree, uint32_t node,
                            struct yaml_problem *problem)
{
    TRY(yaml_value_is_mapping(tree, node, problem));
    memset(p->pcr_selection, 0, sizeof p->pcr_selection);
    p->pcr_selection_count = 0;
    for (uint32_t key = node + 1; key < tree->nodes[node].next; key = tree->nodes[key + 1].next) {
        size_t bank = 0;
        TRY(yaml_value_choice(tree, key, policy_bank_names, &bank, problem));
        struct policy_bank *row = &p->pcr_selection[p->pcr_selection_count++];
        snprintf(row->bank, sizeof row->bank, "%s", policy_bank_names[bank]);
        TRY(yaml_value_mask(tree, key + 1, POLICY_PCR_COUNT - 1, &row->mask, problem));
    }
    return p->pcr_selection_count > 0
               ? OK
               : yaml_tree_problem(tree, node, problem,
                                   "expected one bank at least, as sha256: [0, 2, 4, 7]");
}

struct key {
    const char *path;
    err_t (*take)(struct policy *, const struct yaml_tree *, uint32_t node, struct yaml_problem *);
};

static const struct key keys[] = {
    {"name", take_name},
    {"version", take_version},
    {"mode", take_mode},
    {"ek.trust", take_trust},
    {"ek.certificateless", take_certificateless},
    {"ak.keys", take_ak_keys},
    {"quote.required", take_required},
    {"quote.pcr_selection", take_selection},
    {"quote.pcr_values", policy_pcr_values_read},
};

static const struct key *find_key(const char *path)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(keys[i].path, path) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

static enum yaml_place place_of_key(const char *path)
{
    static const char *const sections[] = {"ek", "ak", "quote"};
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (strcmp(sections[i], path) == 0) {
            return YAML_PLACE_SECTION;
        }
    }
    return find_key(path) ? YAML_PLACE_VALUE : YAML_PLACE_UNKNOWN;
}

static ERRFN take_key(void *policy, const char *path, const struct yaml_tree *tree, uint32_t node,
                      struct yaml_problem *problem)
{
    return find_key(path)->take(policy, tree, node, problem);
}

static bool selects(const struct policy *p, const char *bank, unsigned index)
{
    for (size_t i = 0; i < p->pcr_selection_count; i++) {
        if (strcmp(p->pcr_selection[i].bank, bank) == 0) {
            return p->pcr_selection[i].mask & (1u << index);
        }
    }
    return false;
}

static ERRFN check_whole(const struct policy *p, const struct yaml_tree *tree,
                         struct yaml_problem *problem)
{
    if (yaml_tree_find(tree, 0, "name") == YAML_NODE_NONE ||
        yaml_tree_find(tree, 0, "version") == YAML_NODE_NONE) {
        return yaml_tree_problem(tree, 0, problem, "name and version are required");
    }
    if (p->pcr_values_count > 0 && !p->require_quote) {
        return yaml_tree_problem(
            tree, yaml_tree_find(tree, 0, "quote"), problem,
            "pcr_values need required: true, or a machine could leave the quote out");
    }
    for (size_t i = 0; i < p->pcr_values_count; i++) {
        const struct policy_pcr_value *value = &p->pcr_values[i];
        if (!selects(p, value->bank, value->index)) {
            return yaml_tree_problem(tree, yaml_tree_find(tree, 0, "quote"), problem,
                                     "pcr_values lists PCR %u of %s, which pcr_selection does not",
                                     (unsigned)value->index, value->bank);
        }
    }
    return OK;
}

static ERRFN read_policy(struct policy *p, struct view yaml, struct yaml_problem *problem)
{
    static const struct yaml_limits limits = {
        .bytes_max = POLICY_FILE_MAX_BYTES, .depth_max = DEPTH_MAX, .documents_max = 1};
    static const struct yaml_reading reading = {.place = place_of_key, .take = take_key};
    AUTO(yaml_tree) tree = NULL;
    TRY(yaml_tree_read(yaml, &limits, &tree, problem));
    TRY(yaml_walk(tree, 0, &reading, p, problem));
    return check_whole(p, tree, problem);
}

ERRFN policy_parse(struct view yaml, struct policy **out_policy, struct policy_problem *out_problem)
{
    memset(out_problem, 0, sizeof *out_problem);
    AUTO(policy) p = NULL;
    TRY(policy_new(&p));
    struct yaml_problem problem = {0};
    err_t e = read_policy(p, yaml, &problem);
    if (IS_E(e, YAML_INVALID)) {
        snprintf(out_problem->text, sizeof out_problem->text, "%s", problem.text);
        snprintf(out_problem->path, sizeof out_problem->path, "%s", problem.path);
        out_problem->line = problem.line;
        out_problem->column = problem.column;
        return E(POLICY_INVALID);
    }
    TRY(e);
    *out_policy = STEAL(p);
    return OK;
}
