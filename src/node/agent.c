#include "node/agent.h"

#include "base/clock.h"
#include "base/random.h"
#include "node/attempt.h"
#include "node/pause.h"
#include "node/receipt.h"
#include "node/stay.h"

void agent_stop(void)
{
    pause_end();
}

/* False when there was no time left or a signal came. */
static bool wait_until_next(uint64_t ms, uint64_t deadline_ms)
{
    if (deadline_ms && clock_monotonic_ms() + ms > deadline_ms) {
        return false;
    }
    return pause_for(ms);
}

static enum agent_outcome attest_until_done(const struct options *options, struct attempt *attempt)
{
    uint64_t deadline =
        options->mode == OPTIONS_WAIT ? clock_monotonic_ms() + (uint64_t)options->wait_s * 1000 : 0;
    unsigned failures = 0;
    for (;;) {
        enum agent_outcome outcome = attempt_run(attempt);
        if (options->mode == OPTIONS_ONCE || outcome == AGENT_ATTESTED ||
            outcome_is_final(outcome, attempt)) {
            return outcome;
        }
        bool waiting = outcome == AGENT_PENDING || outcome == AGENT_LOCKED;
        failures = waiting ? 0 : failures + 1;
        uint64_t ms = schedule_pause_ms(options->poll_s, waiting ? 0 : failures - 1,
                                        attempt->refusal.retry_after_s, random_u32());
        if (!wait_until_next(ms, deadline)) {
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
    struct https_server server = {
        .url = o->url, .ca_file = o->ca_file, .pin = o->pin, .ended = pause_ended};
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
    enum agent_outcome outcome =
        options->mode == OPTIONS_STAY ? stay(&attempt) : attest_until_done(options, &attempt);
    attempt_clear(&attempt);
    return outcome;
}
