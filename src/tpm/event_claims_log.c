/* What a log says of itself, and what about it deviates. */
#include "tpm/event_claims_parts.h"

#include <string.h>

static ERRFN add_count(struct claim_reader *r, const char *name, size_t count)
{
    event_text_clear(&r->text);
    event_text_printf(&r->text, "%zu", count);
    return claim_add_text(r, name);
}

static ERRFN add_algorithms(struct claim_reader *r)
{
    event_text_clear(&r->text);
    for (size_t i = 0; i < r->log->algorithm_count; i++) {
        const struct event_bank *bank = event_bank_of(r->log->algorithms[i].alg);
        event_text_put(&r->text, i ? "," : "");
        if (bank) {
            event_text_put(&r->text, bank->name);
        } else {
            event_text_printf(&r->text, "0x%04x", r->log->algorithms[i].alg);
        }
    }
    return claim_add_text(r, "log.algorithms");
}

static ERRFN read_userspace_facts(struct claim_reader *r)
{
    const struct event_log *log = r->log;
    if (!log->userspace) {
        return OK;
    }
    size_t unknown = 0;
    for (size_t i = 0; i < log->count; i++) {
        const char *kind = log->events[i].userspace;
        unknown += kind && strcmp(kind, "unknown") == 0;
    }
    TRY(add_count(r, "log.userspace", log->userspace_records));
    TRY(add_count(r, "log.userspace.unknown", unknown));
    return add_count(r, "log.userspace.nv_index", log->userspace_nv);
}

ERRFN claims_of_log(struct claim_reader *r)
{
    const struct event_log *log = r->log;
    TRY(claims_add(r->claims, "log.format", event_log_format_name(log->format)));
    TRY(claims_add(r->claims, "log.bank", r->bank->name));
    TRY(add_algorithms(r));
    if (log->signature[0]) {
        event_text_clear(&r->text);
        event_text_printf(&r->text, "%u.%u", log->spec_major, log->spec_minor);
        TRY(claim_add_text(r, "log.spec_version"));
    }
    if (log->cc) {
        TRY(claims_add(r->claims, "log.cc", "true"));
    }
    TRY(read_userspace_facts(r));
    if (log->locality_given) {
        event_text_clear(&r->text);
        event_text_printf(&r->text, "%u", log->startup_locality);
        r->claims->pcrs = 1U; /* PCR 0 starts at it, so its value proves it */
        TRY(claim_add_text(r, "log.startup_locality"));
    }
    return OK;
}

static void warn_of_facts(struct claim_reader *r)
{
    const struct event_log *log = r->log;
    if (log->out_of_range > 0) {
        claims_warn(r->claims, true, 0,
                    "%zu events name registers that do not exist; they were not replayed.",
                    log->out_of_range);
    }
    if (log->locality_given && log->startup_locality != 0 && log->startup_locality != 3 &&
        log->startup_locality != 4) {
        claims_warn(r->claims, true, 0, "The startup locality is %u; a TPM starts at 0, 3 or 4.",
                    log->startup_locality);
    }
    if (log->userspace_boots_differ) {
        claims_warn(
            r->claims, true, 0,
            "Userspace's log has records of more than one boot; a TPM knows only the last.");
    }
    if (log->final_events > 0) {
        claims_warn(
            r->claims, false, 0,
            "An EFI final events table with %zu events follows the log, which has %zu of them "
            "already.",
            log->final_events, log->final_events_repeated);
    }
    if (log->padding_bytes > 0) {
        claims_warn(r->claims, false, 0, "%zu bytes of padding follow the last event.",
                    log->padding_bytes);
    }
}

/* Boot loaders measure into one bank, and systems that use one cap the others. */
static void warn_of_missing(struct claim_reader *r)
{
    for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
        if (r->log->missing[i] > 0) {
            claims_warn(r->claims, false, 0,
                        "%zu events have no digest in the %s bank, though the header lists it: it "
                        "cannot be replayed for "
                        "their PCRs, and an operating system may have capped it.",
                        r->log->missing[i], event_banks[i].name);
        }
    }
}

void claims_warn_of_log(struct claim_reader *r)
{
    warn_of_facts(r);
    warn_of_missing(r);
}
