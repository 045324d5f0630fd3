/* A rule that does not hold, in words for the one who is woken by it. */
#include "policy/evaluation.h"
#include "policy/reader.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_SIZE = POLICY_VALUE_SIZE - POLICY_NAME_SIZE - 16 }; /* a value beside a claim's name */

/* The first value that is not, or is, on the rule's list. */
static bool find_value(const struct evaluation *e, const struct policy_rule *rule, bool listed,
                       char out_text[static SHOWN_SIZE])
{
    size_t cursor = 0;
    const struct policy_claim *claim;
    while ((claim = evaluation_next_claim(e, rule, &cursor))) {
        if (policy_texts_have(&rule->values, claim->value) == listed) {
            evaluation_clean_text(claim->value, out_text, SHOWN_SIZE);
            return true;
        }
    }
    return false;
}

/* The first value of the rule's list that the machine does not have. */
static void find_missing(const struct evaluation *e, const struct policy_rule *rule,
                         char out_text[static SHOWN_SIZE])
{
    for (size_t i = 0; i < rule->values.count; i++) {
        size_t cursor = 0;
        const struct policy_claim *claim;
        do {
            claim = evaluation_next_claim(e, rule, &cursor);
        } while (claim && !view_equal(claim->value, rule->values.items[i]));
        if (!claim) {
            evaluation_clean_text(rule->values.items[i], out_text, SHOWN_SIZE);
            return;
        }
    }
}

static size_t count_values(const struct evaluation *e, const struct policy_rule *rule)
{
    size_t count = 0;
    size_t cursor = 0;
    while (evaluation_next_claim(e, rule, &cursor)) {
        count++;
    }
    return count;
}

static void explain_expected(const struct evaluation *e, const struct policy_rule *rule,
                             struct policy_failure *f)
{
    char claim[POLICY_NAME_SIZE];
    char value[SHOWN_SIZE] = "";
    const struct policy_texts *values = &rule->values;
    evaluation_clean_text(e->policy->claim_names.items[rule->claim], claim, sizeof claim);
    if (values->count > 0) {
        evaluation_clean_text(values->items[0], value, sizeof value);
    }
    switch (rule->op) {
    case POLICY_OP_EQUALS:
        WRITE(f->expected, "%s is %s", claim, value);
        return;
    case POLICY_OP_MATCHES:
        WRITE(f->expected, "%s is like %s", claim, value);
        return;
    case POLICY_OP_ONE_OF:
        WRITE(f->expected, "%s is one of %zu values", claim, values->count);
        return;
    case POLICY_OP_SUBSET_OF:
        WRITE(f->expected, "%s has nothing beyond %zu listed values", claim, values->count);
        return;
    case POLICY_OP_CONTAINS:
        find_missing(e, rule, value);
        WRITE(f->expected, "%s has %s", claim, value);
        return;
    case POLICY_OP_EXCLUDES:
        WRITE(f->expected, "%s is there and has none of %zu values", claim, values->count);
        return;
    case POLICY_OP_ABSENT:
        WRITE(f->expected, "no %s", claim);
        return;
    case POLICY_OP_AT_LEAST:
        WRITE(f->expected, "%s has %u values or more", claim, (unsigned)rule->count);
        return;
    case POLICY_OP_NONE:
        break;
    }
}

static void explain_values(const struct evaluation *e, const struct policy_rule *rule,
                           struct policy_failure *f)
{
    char value[SHOWN_SIZE];
    size_t count = count_values(e, rule);
    if (count == 0) {
        WRITE(f->actual, "the claim is missing");
        return;
    }
    bool listed = rule->op == POLICY_OP_EXCLUDES;
    bool shown = rule->op != POLICY_OP_CONTAINS && rule->op != POLICY_OP_AT_LEAST &&
                 find_value(e, rule, listed, value);
    if (!shown) {
        WRITE(f->actual, "%zu value%s, not that", count, count > 1 ? "s" : "");
    } else if (count == 1) {
        WRITE(f->actual, "%s", value);
    } else {
        WRITE(f->actual, "%s, among %zu values", value, count);
    }
}

static const char *why_unproven(const struct evaluation *e)
{
    switch (e->facts->event_log) {
    case POLICY_LOG_ABSENT:
        return "there is no event log";
    case POLICY_LOG_UNREADABLE:
        return "the event log can't be read";
    case POLICY_LOG_READ:
        break;
    }
    return e->facts->quoted ? NULL : "there is no quote";
}

void evaluation_explain_rule(const struct evaluation *e, const struct policy_rule *rule,
                             struct policy_failure *out_failure)
{
    struct policy_failure *f = out_failure;
    uint32_t unproven = rule->pcrs & ~e->replays;
    WRITE(f->rule, "%s", rule->name);
    explain_expected(e, rule, f);
    if (unproven && why_unproven(e)) {
        WRITE(f->actual, "%s", why_unproven(e));
    } else if (unproven) {
        char list[POLICY_VALUE_SIZE / 2];
        evaluation_list_pcrs(unproven, list, sizeof list);
        WRITE(f->actual, "not proved: the log does not replay to %s", list);
    } else if (evaluation_rule(e, rule) == RULE_UNPROVEN) {
        WRITE(f->actual, "not known: the event log says more than is kept");
    } else {
        explain_values(e, rule, f);
    }
}
