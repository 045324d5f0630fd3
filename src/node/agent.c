#include "node/agent.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "node/attempt.h"
#include "node/receipt.h"

enum { SLOWEST_POLL_S = 600, BACKOFF_DOUBLINGS_MAX = 4 };

static volatile sig_atomic_t stop_asked;

void agent_stop(void)
{
    stop_asked = 1;
}

/* -- pauses ------------------------------------------------------------------------------------ */

static uint64_t between(uint64_t least, uint64_t most)
{
    uint32_t dice;
    random_bytes(&dice, sizeof dice);
    return least + (most - least) * (dice % 1024) / 1024;
}

/* Before the interval is over, and not all machines at once. */
static uint64_t reattest_ms(const struct options *options, uint32_t reattest_after_s)
{
    uint64_t interval = (uint64_t)(reattest_after_s ? reattest_after_s : options->poll_s) * 1000;
    return between(interval * 3 / 4, interval);
}

/* Between three and five quarters of the interval, doubled for every failure in a row, so that a
 * fleet that starts together does not stay together; never shorter than the appliance asked for. */
static uint64_t pause_ms(unsigned poll_s, unsigned failures, uint32_t retry_after_s)
{
    unsigned doublings = failures < BACKOFF_DOUBLINGS_MAX ? failures : BACKOFF_DOUBLINGS_MAX;
    uint64_t base = (uint64_t)poll_s * 1000 << doublings;
    uint64_t most = (uint64_t)(poll_s > SLOWEST_POLL_S ? poll_s : SLOWEST_POLL_S) * 1000;
    base = base < most ? base : most;
    uint64_t jittered = between(base * 3 / 4, base * 5 / 4);
    uint64_t least = (uint64_t)retry_after_s * 1000;
    return jittered > least ? jittered : least + jittered % 1000;
}

/* False when there was no time left or a signal came. */
static bool sleep_until_next(uint64_t ms, uint64_t deadline_ms)
{
    uint64_t now = clock_monotonic_ms();
    if (deadline_ms && now + ms > deadline_ms) {
        return false;
    }
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (!stop_asked && nanosleep(&left, &left) != 0) {
    }
    return !stop_asked;
}

/* -- attempts ---------------------------------------------------------------------------------- */

/* What another attempt can't change. */
static bool is_final(enum agent_outcome outcome, const struct attempt *attempt)
{
    return (outcome == AGENT_ATTESTED && attempt->options->mode != OPTIONS_STAY) ||
           outcome == AGENT_REVOKED ||
           (outcome == AGENT_REFUSED && strcmp(attempt->refusal.reason, "machine_rejected") == 0);
}

static enum agent_outcome attest_repeatedly(const struct options *options, struct attempt *attempt)
{
    uint64_t deadline =
        options->mode == OPTIONS_WAIT ? clock_monotonic_ms() + (uint64_t)options->wait_s * 1000 : 0;
    unsigned failures = 0;
    for (;;) {
        enum agent_outcome outcome = attempt_run(attempt);
        if (options->mode == OPTIONS_ONCE || is_final(outcome, attempt)) {
            return outcome;
        }
        bool waiting = outcome == AGENT_PENDING || outcome == AGENT_LOCKED;
        failures = waiting || outcome == AGENT_ATTESTED ? 0 : failures + 1;
        uint64_t ms = outcome == AGENT_ATTESTED
                          ? reattest_ms(options, attempt->reattest_after_s)
                          : pause_ms(options->poll_s, waiting ? 0 : failures - 1,
                                     attempt->refusal.retry_after_s);
        if (!sleep_until_next(ms, deadline)) {
            return outcome;
        }
    }
}

static ERRFN collect_hardware(const struct options *o, struct hardware *out_hardware,
                              const char **out_subject)
{
    hardware_read("/sys", out_hardware);
    *out_subject = "--hw-uuid";
    TRY(hardware_override(out_hardware->uuid, o->hw_uuid));
    *out_subject = "--hw-mac";
    TRY(hardware_override(out_hardware->mac, o->hw_mac));
    *out_subject = "--hw-serial";
    TRY(hardware_override(out_hardware->serial, o->hw_serial));
    *out_subject = "--hw-product";
    return hardware_override(out_hardware->product, o->hw_product);
}

static ERRFN connect_to(const struct options *o, struct https_client **out_client)
{
    struct https_server server = {.url = o->url, .ca_file = o->ca_file, .pin = o->pin};
    return https_client_new(&server, out_client);
}

enum agent_outcome agent_run(const struct options *options)
{
    struct attempt attempt = {.options = options, .progress = {.json = options->json}};
    const char *subject = "";
    err_t e = collect_hardware(options, &attempt.hardware, &subject);
    if (!IS_OK(e)) {
        progress_error(&attempt.progress, e, subject);
        return AGENT_USAGE;
    }
    if (options->mode == OPTIONS_RECEIPT) {
        return receipt_write(&attempt);
    }
    AUTO(https_client) client = NULL;
    e = connect_to(options, &client);
    if (!IS_OK(e)) {
        progress_error(&attempt.progress, e, "--url, --ca, --pin");
        return AGENT_USAGE;
    }
    attempt.client = client;
    enum agent_outcome outcome = attest_repeatedly(options, &attempt);
    attempt_clear(&attempt);
    return outcome;
}
