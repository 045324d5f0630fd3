/* A machine that matches no baseline, in words for the one who is woken by it. */
#include "base/clock.h"
#include "policy/baseline_match.h"

#include <stdio.h>
#include <string.h>

/* One that would match if it were in force: the likeliest thing an operator forgot. */
static bool would_match(struct evaluation *e, const struct policy_baseline *b, char *out_text,
                        size_t size)
{
    char time[CLOCK_TEXT_SIZE];
    enum force force = baseline_force(b, e->facts->now_ms);
    if (force == FORCE_ENDED && baseline_matches(e, b, true)) {
        clock_format(b->until_ms, time);
        snprintf(out_text, size, "matches %s, which ended at %s", b->name, time);
        return true;
    }
    bool state = force == FORCE_NOT_YET || force == FORCE_RETIRED;
    if (!state || !baseline_matches(e, b, true)) {
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
        enum force force = baseline_force(b, e->facts->now_ms);
        if (!baseline_asks(force) || !evaluation_in_scope(e, &b->scope, false)) {
            continue;
        }
        size_t count = baseline_differences(e, b, LOOK_COUNT, true) + (force == FORCE_ENDED);
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
        if (evaluation_in_scope(e, &b->scope, false) && would_match(e, b, out_text, size)) {
            return true;
        }
    }
    return false;
}

void baseline_refuse(struct evaluation *e, size_t asking)
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
        baseline_report_differences(e, nearest);
    }
}
