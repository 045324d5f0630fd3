/* Does the event log explain the quote? */
#include "policy/evaluation.h"
#include "policy/reader.h"

#include <stdio.h>
#include <string.h>

/* What a log that is not required fails to do is worth knowing and no reason to refuse: the machine
 * could have left it out. */
static void fail(struct evaluation *e, struct policy_failure *failure, err_t reason)
{
    failure->telemetry = !e->policy->require_event_log;
    e->part->outcome = POLICY_OUTCOME_FAIL;
    e->part->reason = reason;
    evaluation_fail(e, failure, reason, 0);
}

/* The PCRs that should replay and do not. With a log of nothing that was quoted, all. */
static uint32_t not_replayed(const struct evaluation *e, uint32_t selected)
{
    const struct policy *p = e->policy;
    if (p->must_replay != 0) {
        return p->must_replay & ~e->replays;
    }
    bool nothing = e->replays == 0;
    return nothing && p->require_event_log ? selected : e->facts->log_differs & selected;
}

static void check_replay(struct evaluation *e)
{
    uint32_t selected = policy_selected_pcrs(e->policy);
    uint32_t missing = not_replayed(e, selected);
    if (missing == 0) {
        return;
    }
    struct policy_failure failure = {.rule = "event_log.replay",
                                     .expected = "a log that replays to the quoted values"};
    if (!e->facts->quoted) {
        WRITE(failure.actual, "no quote to compare it with");
    } else {
        char list[POLICY_VALUE_SIZE / 2];
        evaluation_list_pcrs(missing, list, sizeof list);
        WRITE(failure.actual, "%s: another value, or no event", list);
    }
    fail(e, &failure, E(EVENT_LOG_REPLAY));
}

void evaluation_check_log(struct evaluation *e)
{
    struct policy_part *part = &e->verdict->replay;
    struct policy_failure failure = {0};
    e->part = part;
    switch (e->facts->event_log) {
    case POLICY_LOG_READ:
        part->outcome = POLICY_OUTCOME_PASS;
        check_replay(e);
        return;
    case POLICY_LOG_UNREADABLE:
        WRITE(failure.rule, "event_log.readable");
        WRITE(failure.expected, "an event log that can be read");
        WRITE(failure.actual, "it is malformed");
        fail(e, &failure, E(EVENT_LOG_UNREADABLE));
        return;
    case POLICY_LOG_ABSENT:
        break;
    }
    if (e->policy->require_event_log) {
        WRITE(failure.rule, "event_log.required");
        WRITE(failure.expected, "an event log");
        WRITE(failure.actual, "none");
        fail(e, &failure, E(EVENT_LOG_MISSING));
    }
}
