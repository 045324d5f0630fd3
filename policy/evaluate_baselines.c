/* Baselines: alternatives, of which one in force must match. */
#include "base/clock.h"
#include "policy/evaluation.h"

#include <stdio.h>
#include <string.h>

/* What a baseline is at this moment, whatever is written beside its name. */
enum force {
    FORCE_NONE = 0,
    FORCE_NOT_YET, /* pending, or before `from` */
    FORCE_ACTIVE,
    FORCE_OBSOLETE,
    FORCE_ENDED,   /* past `until`: matches no more, but does not stop asking */
    FORCE_RETIRED, /* by an operator: asks nothing */
    FORCE_REVOKED
};

static enum force force_of(const struct policy_baseline *b, uint64_t now_ms)
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

static size_t differences(struct evaluation *e, const struct policy_baseline *b, enum look look,
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

static bool matches(struct evaluation *e, const struct policy_baseline *b, bool excuses)
{
    return differences(e, b, LOOK_MATCH, excuses) == 0;
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
    *out_certain = *out_certain && matches(e, b, false);
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

/* The survey of all baselines that cover the machine. */
struct survey {
    const struct policy_baseline *active;   /* the first that matches */
    const struct policy_baseline *obsolete; /* the same */
    const struct policy_baseline *revoked;
    bool certain;  /* the revoked one matches in all it says */
    size_t asking; /* that would have to match */
};

static void survey_one(struct evaluation *e, const struct policy_baseline *b, bool excuses,
                       struct survey *s)
{
    switch (force_of(b, e->facts->now_ms)) {
    case FORCE_REVOKED:
        if (!s->revoked && may_be_revoked(e, b, &s->certain)) {
            s->revoked = b;
        }
        return;
    case FORCE_ACTIVE:
        s->asking++;
        if (!s->active && matches(e, b, excuses)) {
            s->active = b;
        }
        return;
    case FORCE_OBSOLETE:
        s->asking++;
        if (!s->obsolete && matches(e, b, excuses)) {
            s->obsolete = b;
        }
        return;
    case FORCE_ENDED:
        s->asking++;
        return;
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
        if (evaluation_in_scope(e, &b->scope)) {
            survey_one(e, b, excuses, &s);
        }
    }
    return s;
}

static void report_differences(struct evaluation *e, const struct policy_baseline *b)
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
    report_differences(e, b);
    evaluation_report_rules(e, &b->rules, false, true, E(CLAIM_POLICY));
}

/* One that would match if it were in force: the likeliest thing an operator forgot. */
static bool would_match(struct evaluation *e, const struct policy_baseline *b, char *out_text,
                        size_t size)
{
    char time[CLOCK_TEXT_SIZE];
    enum force force = force_of(b, e->facts->now_ms);
    if (force == FORCE_ENDED && matches(e, b, true)) {
        clock_format(b->until_ms, time);
        snprintf(out_text, size, "matches %s, which ended at %s", b->name, time);
        return true;
    }
    bool state = force == FORCE_NOT_YET || force == FORCE_RETIRED;
    if (!state || !matches(e, b, true)) {
        return false;
    }
    bool early = b->state != POLICY_STATE_PENDING && force == FORCE_NOT_YET;
    clock_format(b->from_ms, time);
    snprintf(out_text, size, "matches %s, which %s%s", b->name, early ? "begins at " : "is ",
             early ? time : policy_state_name(b->state));
    return true;
}

/* The fewest differences among those that ask; the first of equals. */
static const struct policy_baseline *find_nearest(struct evaluation *e, size_t *out_differences)
{
    const struct policy_baseline *nearest = NULL;
    *out_differences = SIZE_MAX;
    for (size_t i = 0; i < e->policy->baseline_count; i++) {
        const struct policy_baseline *b = &e->policy->baselines[i];
        enum force force = force_of(b, e->facts->now_ms);
        bool asks = force == FORCE_ACTIVE || force == FORCE_OBSOLETE || force == FORCE_ENDED;
        if (!asks || !evaluation_in_scope(e, &b->scope)) {
            continue;
        }
        size_t count = differences(e, b, LOOK_COUNT, true) + (force == FORCE_ENDED);
        if (count < *out_differences) {
            *out_differences = count;
            nearest = b;
        }
    }
    return nearest;
}

static bool explain_by_state(struct evaluation *e, char *out_text, size_t size)
{
    for (size_t i = 0; i < e->policy->baseline_count; i++) {
        const struct policy_baseline *b = &e->policy->baselines[i];
        if (evaluation_in_scope(e, &b->scope) && would_match(e, b, out_text, size)) {
            return true;
        }
    }
    return false;
}

static void refuse(struct evaluation *e, size_t asking)
{
    size_t count;
    const struct policy_baseline *nearest = find_nearest(e, &count);
    struct policy_failure failure = {.rule = "baseline.match"};
    e->verdict->standing = POLICY_STANDING_DIFFERS;
    WRITE(e->verdict->baseline, "%s", nearest->name);
    if (asking == 1) {
        WRITE(failure.expected, "the one baseline in force");
    } else {
        WRITE(failure.expected, "one of %zu baselines in force", asking);
    }
    if (!explain_by_state(e, failure.actual, sizeof failure.actual)) {
        WRITE(failure.actual, "nearest is %s, with %zu difference%s", nearest->name, count,
              count == 1 ? "" : "s");
    }
    bool excused = evaluation_has_excuse(e, failure.rule);
    evaluation_fail(e, &failure, E(BASELINE_POLICY), 0);
    if (!excused) {
        report_differences(e, nearest);
    }
}

void evaluation_check_baselines(struct evaluation *e)
{
    struct survey s = survey_all(e, false);
    if (!s.active && !s.obsolete && e->excuse_count > 0) {
        s = survey_all(e, true); /* an exception is used only where nothing matches without */
    }
    const struct policy_baseline *best = s.active ? s.active : s.obsolete;
    if (s.revoked) {
        report_revoked(e, s.revoked, s.certain);
    } else if (best) {
        accept(e, best);
    } else if (s.asking > 0) {
        refuse(e, s.asking);
    } else {
        e->verdict->standing = POLICY_STANDING_NO_BASELINE;
        if (e->policy->baseline_count > 0) {
            WRITE(e->verdict->note,
                  "no baseline is in force for this machine; the rules alone decided");
        }
    }
}
