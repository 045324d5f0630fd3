/* What the event log says, against rules. Names were numbered when the document was read; here the
 * claims are put in order by those numbers, so that a rule sees only its own. */
#include "policy/claims.h"
#include "policy/evaluation.h"
#include "policy/glob.h"
#include "policy/reader.h"

#include <string.h>

enum { NAME_UNKNOWN = POLICY_CLAIM_NAMES_MAX };

static void add_own(struct evaluation *e, size_t *count, const char *name, const char *value)
{
    if (value) {
        e->own[*count] = (struct policy_claim){.name = name, .value = view_text(value)};
        (*count)++;
    }
}

static size_t own_claims(struct evaluation *e)
{
    const struct policy_facts *f = e->facts;
    size_t count = 0;
    add_own(e, &count, "tpm_ek.public_hash", f->ek_public_hash);
    if (f->ek_has_certificate && f->ek_chain_trusted) {
        add_own(e, &count, "tpm_ek.serial_number", f->ek_serial);
        add_own(e, &count, "tpm_ek.manufacturer", f->ek_manufacturer);
        add_own(e, &count, "tpm_ek.model", f->ek_model);
        add_own(e, &count, "tpm_ek.version", f->ek_version);
    }
    return count;
}

static const struct policy_claim *claim_at(const struct evaluation *e, size_t index)
{
    return index < POLICY_CLAIMS_MAX ? &e->facts->claims[index]
                                     : &e->own[index - POLICY_CLAIMS_MAX];
}

static uint16_t number_of(const struct policy *p, const char *name)
{
    struct view text = view_text(name);
    for (size_t i = 0; i < p->claim_names.count; i++) {
        if (view_equal(p->claim_names.items[i], text)) {
            return (uint16_t)i;
        }
    }
    return NAME_UNKNOWN;
}

/* Names come in runs, for sets; each run is looked up once. A log that calls itself tpm_ek is not
 * listened to. */
static uint16_t number_next(const struct evaluation *e, size_t index, const char **last,
                            uint16_t *last_number)
{
    const struct policy_claim *claim = claim_at(e, index);
    bool from_log = index < POLICY_CLAIMS_MAX;
    if (from_log && policy_claim_is_of_ek(view_text(claim->name))) {
        return NAME_UNKNOWN;
    }
    if (!*last || (claim->name != *last && strcmp(claim->name, *last) != 0)) {
        *last_number = number_of(e->policy, claim->name);
        *last = claim->name;
    }
    return *last_number;
}

/* Counting sort: numbers, then where each name's claims begin, then the order. */
void evaluation_index_claims(struct evaluation *e)
{
    const struct policy_facts *f = e->facts;
    size_t names = e->policy->claim_names.count;
    uint16_t numbers[EVALUATION_CLAIMS_MAX];
    uint16_t next[POLICY_CLAIM_NAMES_MAX + 1] = {0};
    size_t from_log = f->claim_count < POLICY_CLAIMS_MAX ? f->claim_count : POLICY_CLAIMS_MAX;
    e->truncated = f->claims_truncated || f->claim_count > POLICY_CLAIMS_MAX;
    if (names == 0) {
        return;
    }
    size_t count = from_log + own_claims(e);
    const char *last = NULL;
    uint16_t last_number = NAME_UNKNOWN;
    for (size_t i = 0; i < count; i++) {
        size_t index = i < from_log ? i : POLICY_CLAIMS_MAX + i - from_log;
        numbers[i] = number_next(e, index, &last, &last_number);
        if (numbers[i] != NAME_UNKNOWN) {
            next[numbers[i] + 1]++;
        }
    }
    for (size_t n = 0; n < names; n++) {
        next[n + 1] = (uint16_t)(next[n + 1] + next[n]);
        e->first[n] = next[n];
    }
    e->first[names] = next[names];
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] != NAME_UNKNOWN) {
            size_t index = i < from_log ? i : POLICY_CLAIMS_MAX + i - from_log;
            e->order[next[numbers[i]]++] = (uint16_t)index;
        }
    }
}

const struct policy_claim *evaluation_next_claim(const struct evaluation *e,
                                                 const struct policy_rule *rule, size_t *cursor)
{
    size_t begin = e->first[rule->claim];
    size_t end = e->first[rule->claim + 1];
    while (begin + *cursor < end) {
        const struct policy_claim *claim = claim_at(e, e->order[begin + (*cursor)++]);
        if ((claim->pcrs & ~e->replays) == 0) {
            return claim;
        }
    }
    return NULL;
}

static bool fits(const struct policy_rule *rule, struct view value)
{
    switch (rule->op) {
    case POLICY_OP_EQUALS:
    case POLICY_OP_ONE_OF:
    case POLICY_OP_SUBSET_OF:
        return policy_texts_have(&rule->values, value);
    case POLICY_OP_EXCLUDES:
        return !policy_texts_have(&rule->values, value);
    case POLICY_OP_MATCHES:
        return policy_glob_matches(rule->values.items[0], value);
    case POLICY_OP_CONTAINS:
    case POLICY_OP_AT_LEAST:
        return true;
    case POLICY_OP_ABSENT:
    case POLICY_OP_NONE:
        break;
    }
    return false;
}

/* Each listed value must be there: marks those that are. */
static bool contains_all(const struct evaluation *e, const struct policy_rule *rule)
{
    uint64_t seen[POLICY_RULE_VALUES_MAX / 64] = {0};
    size_t missing = rule->values.count;
    size_t cursor = 0;
    const struct policy_claim *claim;
    while (missing > 0 && (claim = evaluation_next_claim(e, rule, &cursor))) {
        size_t at;
        if (policy_texts_find(&rule->values, claim->value, &at) &&
            !(seen[at / 64] & 1ULL << at % 64)) {
            seen[at / 64] |= 1ULL << at % 64;
            missing--;
        }
    }
    return missing == 0;
}

static bool holds(const struct evaluation *e, const struct policy_rule *rule)
{
    size_t count = 0;
    size_t cursor = 0;
    const struct policy_claim *claim;
    struct view first = VIEW_EMPTY;
    bool single = rule->op == POLICY_OP_ONE_OF;
    while ((claim = evaluation_next_claim(e, rule, &cursor))) {
        if (!fits(rule, claim->value) ||
            (single && count > 0 && !view_equal(claim->value, first))) {
            return false;
        }
        first = claim->value;
        count++;
    }
    switch (rule->op) {
    case POLICY_OP_ABSENT:
        return count == 0;
    case POLICY_OP_AT_LEAST:
        return count >= rule->count;
    case POLICY_OP_CONTAINS:
        return contains_all(e, rule);
    case POLICY_OP_EQUALS:
    case POLICY_OP_ONE_OF:
    case POLICY_OP_SUBSET_OF:
    case POLICY_OP_EXCLUDES:
    case POLICY_OP_MATCHES:
        return count > 0;
    case POLICY_OP_NONE:
        break;
    }
    return false;
}

/* Where something was cut off, only that something is there can be known. */
enum rule_outcome evaluation_rule(const struct evaluation *e, const struct policy_rule *rule)
{
    bool monotone = rule->op == POLICY_OP_CONTAINS || rule->op == POLICY_OP_AT_LEAST;
    if (rule->pcrs & ~e->replays) {
        return RULE_UNPROVEN;
    }
    bool held = holds(e, rule);
    if (rule->pcrs != 0 && e->truncated && !(monotone && held)) {
        return RULE_UNPROVEN;
    }
    return held ? RULE_HOLDS : RULE_FAILS;
}

bool evaluation_rule_decides(const struct policy_rule *rule)
{
    return rule->gate == 0 && !rule->telemetry;
}

void evaluation_report_rules(struct evaluation *e, const struct policy_rules *rules, bool deciding,
                             bool others, err_t reason)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct policy_rule *rule = &rules->rule[i];
        bool wanted = evaluation_rule_decides(rule) ? deciding : others;
        if (wanted && evaluation_rule(e, rule) != RULE_HOLDS) {
            struct policy_failure failure = {.telemetry = rule->telemetry};
            evaluation_explain_rule(e, rule, &failure);
            evaluation_fail(e, &failure, reason, rule->gate);
        }
    }
}
