#include "base/text.h"
#include "policy/bank.h"
#include "policy/diff_parts.h"
#include "policy/evaluation.h"
#include "policy/reader.h"

#include <stdio.h>
#include <string.h>

enum { NAMED_MAX = 4 }; /* items of a list that are named; the rest is counted */

static bool is_same_list(const struct policy_texts *a, const struct policy_texts *b)
{
    for (size_t i = 0; a->count == b->count && i < a->count; i++) {
        if (!view_equal(a->items[i], b->items[i])) {
            return false;
        }
    }
    return a->count == b->count;
}

/* Items of `list` that `other` lacks. */
static ERRFN say_missing(struct buf *out, const char *where, const char *what,
                         const struct policy_texts *list, const struct policy_texts *other)
{
    size_t missing = 0;
    for (size_t i = 0; i < list->count; i++) {
        char text[POLICY_VALUE_SIZE];
        if (policy_texts_have(other, list->items[i])) {
            continue;
        }
        if (missing++ < NAMED_MAX) {
            evaluation_clean_text(list->items[i], text, sizeof text);
            TRY(buf_printf(out, "%s: %s %s\n", where, text, what));
        }
    }
    return missing <= NAMED_MAX
               ? OK
               : buf_printf(out, "%s: %zu more %s\n", where, missing - NAMED_MAX, what);
}

ERRFN diff_texts(struct buf *out, const char *where, const struct policy_texts *from,
                 const struct policy_texts *to)
{
    TRY(say_missing(out, where, "added", to, from));
    return say_missing(out, where, "removed", from, to);
}

ERRFN diff_scopes(struct buf *out, const char *where, const struct policy_scope *from,
                  const struct policy_scope *to)
{
    const struct {
        const char *key;
        const struct policy_texts *from;
        const struct policy_texts *to;
    } rows[] = {{"roles", &from->roles, &to->roles},
                {"clusters", &from->clusters, &to->clusters},
                {"manufacturers", &from->manufacturers, &to->manufacturers},
                {"models", &from->models, &to->models}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[2 * POLICY_NAME_SIZE];
        WRITE(path, "%s.%s", where, rows[i].key);
        TRY(diff_texts(out, path, rows[i].from, rows[i].to));
        if (rows[i].from->count > 0 && rows[i].to->count == 0) {
            TRY(buf_printf(out, "%s now covers all\n", path));
        }
    }
    return OK;
}

static const struct policy_rule *find_rule(const struct policy_rules *rules, const char *name)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (strcmp(rules->rule[i].name, name) == 0) {
            return &rules->rule[i];
        }
    }
    return NULL;
}

static const char *op_name(enum policy_op op)
{
    switch (op) {
    case POLICY_OP_EQUALS:
        return "equals";
    case POLICY_OP_ONE_OF:
        return "one_of";
    case POLICY_OP_CONTAINS:
        return "contains_all";
    case POLICY_OP_SUBSET_OF:
        return "subset_of";
    case POLICY_OP_EXCLUDES:
        return "excludes";
    case POLICY_OP_ABSENT:
        return "absent";
    case POLICY_OP_MATCHES:
        return "matches";
    case POLICY_OP_AT_LEAST:
        return "at_least";
    case POLICY_OP_NONE:
        break;
    }
    return "nothing";
}

static const char *gate_name(const struct policy *p, const struct policy_rule *rule)
{
    return rule->gate ? p->gates[rule->gate - 1].name : "all gates";
}

static ERRFN diff_rule(struct buf *out, const char *where, const struct policy *from,
                       const struct policy_rule *old, const struct policy *to,
                       const struct policy_rule *new)
{
    char path[3 * POLICY_NAME_SIZE];
    struct view old_claim = from->claim_names.items[old->claim];
    struct view new_claim = to->claim_names.items[new->claim];
    WRITE(path, "%s: rule %s", where, new->name);
    if (!view_equal(old_claim, new_claim)) {
        TRY(buf_printf(out, "%s is about %.*s instead of %.*s\n", path, (int)new_claim.len,
                       (const char *)new_claim.data, (int)old_claim.len,
                       (const char *)old_claim.data));
    }
    if (old->op != new->op) {
        TRY(buf_printf(out, "%s compares by %s instead of %s\n", path, op_name(new->op),
                       op_name(old->op)));
    }
    if (!is_same_list(&old->values, &new->values)) {
        TRY(diff_texts(out, path, &old->values, &new->values));
    }
    if (old->count != new->count) {
        TRY(buf_printf(out, "%s asks for %u values instead of %u\n", path, (unsigned)new->count,
                       (unsigned)old->count));
    }
    if (old->pcrs != new->pcrs) {
        char list[POLICY_VALUE_SIZE];
        evaluation_list_pcrs(new->pcrs, list, sizeof list);
        TRY(buf_printf(out, "%s is proved by other PCRs: %s\n", path, list));
    }
    if (strcmp(gate_name(from, old), gate_name(to, new)) != 0) {
        TRY(buf_printf(out, "%s concerns %s instead of %s\n", path, gate_name(to, new),
                       gate_name(from, old)));
    }
    return old->telemetry == new->telemetry
               ? OK
               : buf_printf(out, "%s is now %s\n", path,
                            new->telemetry ? "telemetry: it refuses nothing more" : "enforced");
}

ERRFN diff_rules(struct buf *out, const char *where, struct diff_rules from, struct diff_rules to)
{
    for (size_t i = 0; i < to.rules->count; i++) {
        const struct policy_rule *new = &to.rules->rule[i];
        const struct policy_rule *old = find_rule(from.rules, new->name);
        if (old) {
            TRY(diff_rule(out, where, from.policy, old, to.policy, new));
        } else {
            TRY(buf_printf(out, "%s: rule %s added\n", where, new->name));
        }
    }
    for (size_t i = 0; i < from.rules->count; i++) {
        if (!find_rule(to.rules, from.rules->rule[i].name)) {
            TRY(buf_printf(out, "%s: rule %s removed\n", where, from.rules->rule[i].name));
        }
    }
    return OK;
}

static bool has_value(struct diff_values list, const struct policy_pcr_value *value)
{
    for (size_t i = 0; i < list.count; i++) {
        if (memcmp(&list.values[i], value, sizeof *value) == 0) {
            return true;
        }
    }
    return false;
}

static ERRFN say_values(struct buf *out, const char *where, const char *what,
                        struct diff_values list, struct diff_values other)
{
    for (size_t i = 0; i < list.count; i++) {
        const struct policy_pcr_value *value = &list.values[i];
        char hex[HEX_TEXT_SIZE(POLICY_DIGEST_MAX_BYTES)];
        if (!has_value(other, value)) {
            hex_encode(view_of(value->digest, value->digest_len), hex);
            TRY(buf_printf(out, "%s: PCR %u of %s: %s %s\n", where, (unsigned)value->index,
                           value->bank, hex, what));
        }
    }
    return OK;
}

ERRFN diff_pcr_values(struct buf *out, const char *where, struct diff_values from,
                      struct diff_values to)
{
    TRY(say_values(out, where, "added", to, from));
    return say_values(out, where, "removed", from, to);
}
