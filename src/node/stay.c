#include "node/stay.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "node/pause.h"

/* Clocks step and files vanish while the agent waits, so it looks again at least this often. */
enum { LOOK_AGAIN_MS = 60 * 1000, DURATION_TEXT_SIZE = 32 };

struct standing {
    bool attested;
    enum agent_outcome outcome; /* of the last attestation */
    unsigned failures;          /* in a row */
    uint64_t attest_at_ms;      /* elapsed; 0 for at once */
};

bool outcome_is_final(enum agent_outcome outcome, const struct attempt *attempt)
{
    return outcome == AGENT_REVOKED ||
           (outcome == AGENT_REFUSED && strcmp(attempt->refusal.reason, "machine_rejected") == 0);
}

/* -- what is due ------------------------------------------------------------------------------- */

static struct schedule_step next_step(struct attempt *attempt, const struct standing *standing)
{
    struct renewal *renewal = &attempt->renewal;
    struct schedule_facts facts = {.now = renewal_clock(),
                                   .attested = standing->attested,
                                   .attest_at_ms = standing->attest_at_ms,
                                   .renew_at_ms = renewal->next_at_ms};
    if (attempt->options->enroll_prefix) {
        renewal_look(renewal, attempt->options->enroll_prefix, NULL);
        facts.count = renewal->svids_off ? CERTIFICATE_SVID : CERTIFICATE_KINDS;
        memcpy(facts.certificates, renewal->certificates, sizeof facts.certificates);
    }
    return schedule_next(&facts);
}

static void format_duration(uint64_t ms, char out_text[static DURATION_TEXT_SIZE])
{
    uint64_t s = ms / 1000 + 1;
    if (s < 120) {
        snprintf(out_text, DURATION_TEXT_SIZE, "%" PRIu64 " s", s);
    } else if (s < 7200) {
        snprintf(out_text, DURATION_TEXT_SIZE, "%" PRIu64 " min", s / 60);
    } else {
        snprintf(out_text, DURATION_TEXT_SIZE, "%" PRIu64 " h %" PRIu64 " min", s / 3600,
                 s / 60 % 60);
    }
}

/* Once after each thing done, so that a log tells where the agent is. */
static void tell_next(struct attempt *attempt, const struct standing *standing, uint64_t wait_ms)
{
    uint64_t now = clock_elapsed_ms();
    uint64_t attest = standing->attest_at_ms > now ? standing->attest_at_ms - now : 0;
    char attest_text[DURATION_TEXT_SIZE];
    char wait_text[DURATION_TEXT_SIZE];
    format_duration(attest, attest_text);
    format_duration(wait_ms, wait_text);
    progress_begin(&attempt->progress);
    if (wait_ms < attest) {
        progress_say(&attempt->progress, "waiting", "next: certificates in %s, attestation in %s",
                     wait_text, attest_text);
    } else {
        progress_say(&attempt->progress, "waiting", "next: attestation in %s", attest_text);
    }
}

/* -- what is done ------------------------------------------------------------------------------ */

static void attest(struct attempt *attempt, struct standing *standing)
{
    const struct options *o = attempt->options;
    enum agent_outcome outcome = attempt_run(attempt);
    if (pause_ended() && outcome == AGENT_FAILED) {
        return; /* broken off, which says nothing of the machine */
    }
    standing->outcome = outcome;
    standing->attested = outcome == AGENT_ATTESTED;
    bool waiting = outcome == AGENT_PENDING || outcome == AGENT_LOCKED;
    unsigned failures = waiting ? 0 : standing->failures;
    standing->failures = standing->attested || waiting ? 0 : standing->failures + 1;
    uint32_t interval = attempt->reattest_after_s ? attempt->reattest_after_s : o->poll_s;
    uint64_t ms =
        standing->attested
            ? schedule_reattest_ms(interval, random_u32())
            : schedule_pause_ms(o->poll_s, failures, attempt->refusal.retry_after_s, random_u32());
    standing->attest_at_ms = clock_elapsed_ms() + ms;
}

static void renew(struct attempt *attempt, struct standing *standing)
{
    if (!attempt_renew(attempt)) {
        standing->attest_at_ms = 0;
    }
}

/* False when a signal came. */
static bool wait_some(const struct attempt *attempt, uint64_t ms)
{
    uint64_t poll_ms = (uint64_t)attempt->options->poll_s * 1000;
    uint64_t look_ms = poll_ms > 0 && poll_ms < LOOK_AGAIN_MS ? poll_ms : LOOK_AGAIN_MS;
    return pause_for(ms < look_ms ? ms : look_ms);
}

static void tidy(struct attempt *attempt)
{
    const char *prefix = attempt->options->enroll_prefix;
    err_t done = prefix ? certificate_set_tidy(prefix) : OK;
    if (!IS_OK(done) && !IS_E(done, NOT_FOUND)) {
        progress_error(&attempt->progress, done, prefix);
    }
}

enum agent_outcome stay(struct attempt *attempt)
{
    struct standing standing = {.outcome = AGENT_FAILED};
    bool told = false;
    tidy(attempt);
    while (!pause_ended()) {
        struct schedule_step step = next_step(attempt, &standing);
        switch (step.action) {
        case SCHEDULE_ATTEST:
            attest(attempt, &standing);
            told = false;
            if (outcome_is_final(standing.outcome, attempt)) {
                return standing.outcome;
            }
            break;
        case SCHEDULE_RENEW:
            renew(attempt, &standing);
            told = false;
            break;
        case SCHEDULE_WAIT:
            if (!told) {
                tell_next(attempt, &standing, step.wait_ms);
                told = true;
            }
            (void)wait_some(attempt, step.wait_ms);
            break;
        }
    }
    return standing.outcome;
}
