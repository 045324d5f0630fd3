/* Baselines: alternatives, of which one in force must match. */
#include "policy/bank.h"
#include "policy/baseline_index.h"
#include "policy/baseline_match.h"

#include <stdio.h>
#include <string.h>

enum force baseline_force(const struct policy_baseline *b, uint64_t now_ms)
{
    switch (b->state) {
    case POLICY_STATE_PENDING:
        return FORCE_NOT_YET;
    case POLICY_STATE_RETIRED:
        return FORCE_RETIRED;
    case POLICY_STATE_REVOKED:
        return FORCE_REVOKED;
    case POLICY_STATE_ACTIVE:
    case POLICY_STATE_OBSOLETE:
        if (now_ms < b->from_ms) {
            return FORCE_NOT_YET;
        }
        if (b->until_ms > 0 && now_ms >= b->until_ms) {
            return FORCE_ENDED;
        }
        return b->state == POLICY_STATE_ACTIVE ? FORCE_ACTIVE : FORCE_OBSOLETE;
    case POLICY_STATE_NONE:
        break;
    }
    return FORCE_NONE;
}

bool baseline_asks(enum force force)
{
    return force == FORCE_ACTIVE || force == FORCE_OBSOLETE || force == FORCE_ENDED;
}

size_t baseline_differences(struct evaluation *e, const struct policy_baseline *b, enum look look,
                            bool excuses)
{
    size_t count = evaluation_look_at_pcrs(e, b->pcr_values, b->pcr_values_count, look, excuses,
                                           E(BASELINE_POLICY));
    for (size_t i = 0; i < b->rules.count; i++) {
        if (look == LOOK_MATCH && count > 0) {
            break;
        }
        const struct policy_rule *rule = &b->rules.rule[i];
        if (evaluation_rule_decides(rule) && evaluation_rule(e, rule) != RULE_HOLDS) {
            count += !(excuses && evaluation_has_excuse(e, rule->name));
        }
    }
    return count;
}

bool baseline_matches(struct evaluation *e, const struct policy_baseline *b, bool excuses)
{
    return baseline_differences(e, b, LOOK_MATCH, excuses) == 0;
}

/* What is not known does not rule a revoked baseline out. */
static bool may_be_revoked(struct evaluation *e, const struct policy_baseline *b, bool *out_certain)
{
    *out_certain = true;
    for (size_t i = 0; i < b->rules.count; i++) {
        const struct policy_rule *rule = &b->rules.rule[i];
        enum rule_outcome outcome =
            evaluation_rule_decides(rule) ? evaluation_rule(e, rule) : RULE_HOLDS;
        if (outcome == RULE_FAILS) {
            return false;
        }
        *out_certain = *out_certain && outcome == RULE_HOLDS;
    }
    if (evaluation_pcrs_rule_out(e, b->pcr_values, b->pcr_values_count)) {
        return false;
    }
    *out_certain = *out_certain && baseline_matches(e, b, false);
    return true;
}

static void report_revoked(struct evaluation *e, const struct policy_baseline *b, bool certain)
{
    struct policy_failure failure = {.rule = "baseline.revoked"};
    WRITE(failure.expected, "anything but %s%s%.100s", b->name, b->note[0] ? ": " : "", b->note);
    WRITE(failure.actual, "%s", certain ? "it matches" : "it can't be ruled out");
    e->verdict->standing = POLICY_STANDING_REVOKED;
    WRITE(e->verdict->baseline, "%s", b->name);
    evaluation_fail(e, &failure, E(BASELINE_REVOKED), 0);
}

/* What those baselines say that cover the machine; a revoked one covers it unless that is ruled
 * out. */
struct survey {
    const struct policy_baseline *active;   /* the first that matches */
    const struct policy_baseline *obsolete; /* the same */
    const struct policy_baseline *revoked;
    bool certain; /* the revoked one matches in all it says */
};

static void survey_one(struct evaluation *e, const struct policy_baseline *b, bool excuses,
                       struct survey *s)
{
    switch (baseline_force(b, e->facts->now_ms)) {
    case FORCE_REVOKED:
        if (!s->revoked && may_be_revoked(e, b, &s->certain)) {
            s->revoked = b;
        }
        return;
    case FORCE_ACTIVE:
        if (!s->active && baseline_matches(e, b, excuses)) {
            s->active = b;
        }
        return;
    case FORCE_OBSOLETE:
        if (!s->obsolete && baseline_matches(e, b, excuses)) {
            s->obsolete = b;
        }
        return;
    case FORCE_ENDED:
    case FORCE_NOT_YET:
    case FORCE_RETIRED:
    case FORCE_NONE:
        return;
    }
}

static struct survey survey_all(struct evaluation *e, bool excuses)
{
    struct survey s = {0};
    for (size_t i = 0; i < e->policy->baseline_count; i++) {
        const struct policy_baseline *b = &e->policy->baselines[i];
        if (evaluation_in_scope(e, &b->scope, b->state == POLICY_STATE_REVOKED)) {
            survey_one(e, b, excuses, &s);
        }
    }
    return s;
}

/* Without exceptions, a PCR that has another value rules a baseline out, also a revoked one. */
static struct survey survey_likely(struct evaluation *e)
{
    const struct policy_index *index = &e->policy->index;
    struct view value = e->pcrs[index->bank][index->pcr];
    if (!index->entries || value.len != policy_bank_digest_bytes(index->bank)) {
        return survey_all(e, false);
    }
    struct survey s = {0};
    struct baseline_cursor cursor = baseline_cursor_begin(index, value);
    size_t i;
    while (baseline_cursor_next(&cursor, &i)) {
        const struct policy_baseline *b = &e->policy->baselines[i];
        if (evaluation_in_scope(e, &b->scope, b->state == POLICY_STATE_REVOKED)) {
            survey_one(e, b, false, &s);
        }
    }
    return s;
}

static size_t count_asking(const struct evaluation *e)
{
    size_t asking = 0;
    for (size_t i = 0; i < e->policy->baseline_count; i++) {
        const struct policy_baseline *b = &e->policy->baselines[i];
        asking += baseline_asks(baseline_force(b, e->facts->now_ms)) &&
                  evaluation_in_scope(e, &b->scope, false);
    }
    return asking;
}

void baseline_report_differences(struct evaluation *e, const struct policy_baseline *b)
{
    evaluation_look_at_pcrs(e, b->pcr_values, b->pcr_values_count, LOOK_REPORT, true,
                            E(BASELINE_POLICY));
    evaluation_report_rules(e, &b->rules, true, false, E(BASELINE_POLICY));
}

/* Excused differences, if that is how it matched, and the rules that do not decide. */
static void accept(struct evaluation *e, const struct policy_baseline *b)
{
    struct policy_verdict *v = e->verdict;
    bool obsolete = b->state == POLICY_STATE_OBSOLETE;
    v->standing = obsolete ? POLICY_STANDING_OBSOLETE : POLICY_STANDING_MATCHES;
    WRITE(v->baseline, "%s", b->name);
    if (obsolete) {
        WRITE(v->note, "baseline %s is obsolete%s%.100s", b->name, b->note[0] ? ": " : "", b->note);
    }
    if (b->until_ms > 0 && b->until_ms < e->bound_until_ms) {
        e->bound_until_ms = b->until_ms;
    }
    baseline_report_differences(e, b);
    evaluation_report_rules(e, &b->rules, false, true, E(CLAIM_POLICY));
}

static void decide_without(struct evaluation *e)
{
    size_t asking = count_asking(e);
    if (asking > 0) {
        baseline_refuse(e, asking);
        return;
    }
    e->verdict->standing = POLICY_STANDING_NO_BASELINE;
    if (e->policy->baseline_count > 0) {
        WRITE(e->verdict->note,
              "no baseline is in force for this machine; the rules alone decided");
    }
}

void evaluation_check_baselines(struct evaluation *e)
{
    struct survey s = survey_likely(e);
    if (!s.active && !s.obsolete && e->excuse_count > 0) {
        s = survey_all(e, true); /* an exception is used only where nothing matches without */
    }
    const struct policy_baseline *best = s.active ? s.active : s.obsolete;
    if (s.revoked) {
        bool covered = evaluation_in_scope(e, &s.revoked->scope, false);
        report_revoked(e, s.revoked, s.certain && covered);
    } else if (best) {
        accept(e, best);
    } else {
        decide_without(e);
    }
}
