#include "base/text.h"
#include "policy/bank.h"
#include "policy/pcr_values.h"
#include "policy/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UUID_LEN = 36 };

static ERRFN take_machine(void *context, const struct yaml_tree *tree, uint32_t node,
                          struct yaml_problem *problem)
{
    char *machine = ((struct policy_exception *)context)->machine;
    TRY(yaml_value_text(tree, node, machine, POLICY_MACHINE_SIZE, problem));
    size_t len = strlen(machine);
    for (size_t i = 0; i < len; i++) {
        char c = machine[i];
        machine[i] = c >= 'A' && c <= 'F' ? (char)(c + 'a' - 'A') : c;
        bool dash = len == UUID_LEN && (i == 8 || i == 13 || i == 18 || i == 23);
        bool digit = strchr("0123456789abcdef", machine[i]) != NULL;
        if (dash ? c != '-' : !digit) {
            len = 0;
        }
    }
    if (len != UUID_LEN && len != 64 && len != 96) {
        return yaml_tree_problem(
            tree, node, problem,
            "expected a machine's UUID, or the SHA-384 or SHA-256 of its EK in hexadecimal");
    }
    return OK;
}

static ERRFN take_rule(void *context, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    char *rule = ((struct policy_exception *)context)->rule;
    return yaml_value_text(tree, node, rule, POLICY_RULE_SIZE, problem);
}

static ERRFN take_reason(void *context, const struct yaml_tree *tree, uint32_t node,
                         struct yaml_problem *problem)
{
    char *reason = ((struct policy_exception *)context)->reason;
    return yaml_value_text(tree, node, reason, POLICY_VALUE_SIZE, problem);
}

static ERRFN take_expires(void *context, const struct yaml_tree *tree, uint32_t node,
                          struct yaml_problem *problem)
{
    return yaml_value_time(tree, node, &((struct policy_exception *)context)->expires_ms, problem);
}

static ERRFN take_once(void *context, const struct yaml_tree *tree, uint32_t node,
                       struct yaml_problem *problem)
{
    return yaml_value_bool(tree, node, &((struct policy_exception *)context)->once, problem);
}

static bool has_rule(const struct policy_rules *rules, const char *name)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (strcmp(rules->rule[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_pcr_rule(const struct policy *p, const char *name)
{
    char text[POLICY_RULE_SIZE];
    for (size_t bank = 0; policy_bank_names[bank]; bank++) {
        for (unsigned i = 0; i < POLICY_PCR_COUNT; i++) {
            snprintf(text, sizeof text, "pcr.%s.%u", policy_bank_names[bank], i);
            if (strcmp(text, name) == 0) {
                return policy_pcr_selected(p, policy_bank_names[bank], i);
            }
        }
    }
    return false;
}

/* Who a machine is, and that it was revoked, knows no exception. */
static bool is_excusable(const struct policy *p, const char *name)
{
    static const char *const built_in[] = {
        "ek.expired",         "ek.manufacturer",  "ek.firmware",   "event_log.required",
        "event_log.readable", "event_log.replay", "baseline.match"};
    for (size_t i = 0; i < sizeof built_in / sizeof built_in[0]; i++) {
        if (strcmp(built_in[i], name) == 0) {
            return true;
        }
    }
    bool known = has_rule(&p->rules, name) || is_pcr_rule(p, name);
    for (size_t i = 0; i < p->baseline_count && !known; i++) {
        known = has_rule(&p->baselines[i].rules, name);
    }
    return known;
}

static ERRFN check(const struct policy *p, const struct policy_exception *x,
                   const struct yaml_tree *tree, uint32_t node, struct yaml_problem *problem)
{
    if (!is_excusable(p, x->rule)) {
        return yaml_tree_problem(tree, yaml_tree_find(tree, node, "rule"), problem,
                                 "there is no such rule, or it knows no exception");
    }
    for (const struct policy_exception *other = p->exceptions; other < x; other++) {
        if (strcmp(other->machine, x->machine) == 0 && strcmp(other->rule, x->rule) == 0) {
            return yaml_tree_problem(tree, node, problem,
                                     "another exception is for the same machine and rule");
        }
    }
    return OK;
}

ERRFN policy_exceptions_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                             struct yaml_problem *out_problem)
{
    static const struct yaml_field fields[] = {
        {"machine", true, take_machine}, {"rule", true, take_rule},  {"reason", true, take_reason},
        {"expires", true, take_expires}, {"once", false, take_once},
    };
    policy->exceptions = calloc(yaml_tree_size(tree, node) + 1, sizeof *policy->exceptions);
    ENSURE(policy->exceptions, NO_MEMORY);
    EACH_ITEM(tree, node, item)
    {
        struct policy_exception *x = &policy->exceptions[policy->exception_count];
        TRY(YAML_FIELDS_READ(tree, item, fields, x, out_problem));
        TRY(check(policy, x, tree, item, out_problem));
        policy->exception_count++;
    }
    return OK;
}
