#include "tpm/event_log_parts.h"

#include "tpm/little_endian.h"

#include <stdlib.h>
#include <string.h>

enum {
    SHA1_BYTES = 20,
    FIRST_EVENTS = 256, /* what ordinary machines have */
};

struct reader {
    struct view rest;
    size_t size;
    size_t padding_from; /* from here on the log is one repeated 0x00 or 0xFF */
    struct event_log_problem *problem;
};

static size_t offset_of(const struct reader *r)
{
    return r->size - r->rest.len;
}

ERRFN event_log_refuse(struct event_log_problem *out_problem, size_t offset, const char *reason)
{
    *out_problem = (struct event_log_problem){.offset = offset, .reason = reason};
    return E(EVENT_LOG_UNREADABLE);
}

static ERRFN refuse_size(const struct reader *r, uint64_t needed, const char *reason)
{
    *r->problem = (struct event_log_problem){
        .offset = offset_of(r), .reason = reason, .needed = needed, .left = r->rest.len};
    return E(EVENT_LOG_UNREADABLE);
}

/* Found once, from the end, so that a log full of almost-padding costs no more than any other. */
static size_t find_padding(struct view bytes)
{
    size_t at = bytes.len;
    if (at == 0 || (bytes.data[at - 1] != 0x00 && bytes.data[at - 1] != 0xFF)) {
        return at;
    }
    uint8_t filler = bytes.data[at - 1];
    while (at > 0 && bytes.data[at - 1] == filler) {
        at--;
    }
    return at;
}

static uint16_t digest_size(const struct event_log *log, uint16_t alg)
{
    for (size_t i = 0; i < log->algorithm_count; i++) {
        if (log->algorithms[i].alg == alg) {
            return log->algorithms[i].size;
        }
    }
    const struct event_bank *bank = event_bank_of(alg);
    return bank ? bank->size : 0;
}

/* TPMT_HA: an algorithm and its digest. `seen` has the algorithms of this event so far. */
static ERRFN skip_digest(struct reader *r, struct event_log *log, uint16_t *seen,
                         uint32_t seen_count)
{
    uint16_t alg;
    struct view digest;
    struct view before = r->rest;
    if (!le_take_u16(&r->rest, &alg)) {
        return refuse_size(r, sizeof alg, "the log ends inside an event's digests");
    }
    for (uint32_t i = 0; i < seen_count; i++) {
        if (seen[i] == alg) {
            r->rest = before;
            return event_log_refuse(r->problem, offset_of(r),
                                    "an event has two digests of one algorithm");
        }
    }
    seen[seen_count] = alg;
    uint16_t size = digest_size(log, alg);
    if (size == 0) {
        r->rest = before;
        return event_log_refuse(r->problem, offset_of(r),
                                "an event has a digest of an algorithm without a known size");
    }
    if (!le_take_bytes(&r->rest, size, &digest)) {
        return refuse_size(r, size, "the log ends inside a digest");
    }
    log->banks |= event_bank_bit(alg);
    return OK;
}

/* TPML_DIGEST_VALUES. Fewer digests than the header has algorithms are common: boot loaders measure
 * into one bank. */
static ERRFN take_digests(struct reader *r, struct event_log *log, struct view *out_digests)
{
    if (log->format == EVENT_LOG_SHA1) {
        return le_take_bytes(&r->rest, SHA1_BYTES, out_digests)
                   ? OK
                   : refuse_size(r, SHA1_BYTES, "the log ends inside a digest");
    }
    uint32_t count;
    if (!le_take_u32(&r->rest, &count)) {
        return refuse_size(r, sizeof count, "the log ends before an event's digests");
    }
    if (count > EVENT_LOG_ALGORITHMS_MAX) {
        return refuse_size(r, count, "an event has more digests than there are algorithms");
    }
    uint16_t seen[EVENT_LOG_ALGORITHMS_MAX];
    struct view from = r->rest;
    for (uint32_t i = 0; i < count; i++) {
        TRY(skip_digest(r, log, seen, i));
    }
    *out_digests = view_of(from.data, from.len - r->rest.len);
    return OK;
}

static ERRFN take_event(struct reader *r, struct event_log *log, struct event_record *out_event)
{
    enum { PCR_AND_TYPE_BYTES = 8 };
    struct event_record event = {.offset = offset_of(r)};
    if (r->rest.len < PCR_AND_TYPE_BYTES) {
        return refuse_size(r, PCR_AND_TYPE_BYTES, "what follows is too short for an event");
    }
    if (!le_take_u32(&r->rest, &event.pcr) || !le_take_u32(&r->rest, &event.type)) {
        return E(BUG);
    }
    TRY(take_digests(r, log, &event.digests));
    uint32_t size;
    if (!le_take_u32(&r->rest, &size)) {
        return refuse_size(r, sizeof size, "the log ends before the size of an event's data");
    }
    if (!le_take_bytes(&r->rest, size, &event.data)) {
        return refuse_size(r, size, "an event's data is longer than the log");
    }
    *out_event = event;
    return OK;
}

static ERRFN add_event(struct event_log *log, size_t *capacity, const struct event_record *event)
{
    if (log->count == *capacity) {
        size_t wanted = *capacity ? *capacity * 2 : FIRST_EVENTS;
        struct event_record *grown = reallocarray(log->events, wanted, sizeof *grown);
        ENSURE(grown, NO_MEMORY);
        log->events = grown;
        *capacity = wanted;
    }
    log->events[log->count++] = *event;
    return OK;
}

/* The first record has the old form in every format, so that old readers find its end. */
static ERRFN take_events(struct reader *r, struct event_log *log)
{
    size_t capacity = 0;
    log->format = EVENT_LOG_SHA1;
    while (r->rest.len > 0 && offset_of(r) < r->padding_from) {
        struct event_record event = {0};
        err_t e = take_event(r, log, &event);
        r->problem->event = log->count;
        TRY(e);
        if (log->count == 0) {
            TRY(event_log_read_header(log, &event, offset_of(r) - event.data.len, r->problem));
        }
        TRY(add_event(log, &capacity, &event));
    }
    log->padding_bytes = r->rest.len;
    return OK;
}

ERRFN event_log_parse(struct view bytes, struct event_log **out_log,
                      struct event_log_problem *out_problem)
{
    *out_problem = (struct event_log_problem){.reason = ""};
    ENSURE(bytes.len <= EVENT_LOG_MAX_BYTES, TOO_LONG);
    struct reader r = {.rest = bytes,
                       .size = bytes.len,
                       .padding_from = find_padding(bytes),
                       .problem = out_problem};
    AUTO(event_log) log = calloc(1, sizeof *log);
    ENSURE(log, NO_MEMORY);
    TRY(take_events(&r, log));
    if (log->count == 0) {
        return event_log_refuse(out_problem, 0,
                                bytes.len ? "there is only padding" : "the log is empty");
    }
    event_log_read_facts(log);
    event_log_count_deviations(log, 0);
    *out_log = STEAL(log);
    return OK;
}

struct view event_log_digest(const struct event_log *log, const struct event_record *event,
                             uint16_t alg)
{
    bool old_form = log->format == EVENT_LOG_SHA1 && !event->userspace;
    if (old_form || event == log->events) {
        return alg == TPM_ALG_SHA1 ? event->digests : VIEW_EMPTY;
    }
    struct view rest = event->digests;
    uint16_t found;
    struct view digest;
    while (le_take_u16(&rest, &found) && le_take_bytes(&rest, digest_size(log, found), &digest)) {
        if (found == alg) {
            return digest;
        }
    }
    return VIEW_EMPTY;
}

bool event_log_extends(const struct event_log *log, const struct event_record *event)
{
    return event->type != EV_NO_ACTION &&
           (event != log->events || log->format != EVENT_LOG_CRYPTO_AGILE);
}

bool event_log_lists(const struct event_log *log, uint16_t alg)
{
    for (size_t i = 0; i < log->algorithm_count; i++) {
        if (log->algorithms[i].alg == alg) {
            return true;
        }
    }
    return false;
}

uint16_t event_log_preferred_bank(const struct event_log *log)
{
    static const uint16_t order[] = {TPM_ALG_SHA256,   TPM_ALG_SHA384,   TPM_ALG_SHA512,
                                     TPM_ALG_SHA3_256, TPM_ALG_SHA3_384, TPM_ALG_SHA3_512,
                                     TPM_ALG_SM3_256,  TPM_ALG_SHA1};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (event_log_lists(log, order[i])) {
            return order[i];
        }
    }
    return TPM_ALG_NONE;
}

const char *event_log_format_name(enum event_log_format format)
{
    switch (format) {
    case EVENT_LOG_NONE:
        return "none";
    case EVENT_LOG_SHA1:
        return "sha1";
    case EVENT_LOG_CRYPTO_AGILE:
        return "crypto-agile";
    }
    return "none";
}

void event_log_free(struct event_log *log)
{
    if (log) {
        buf_free(log->userspace);
        free(log->events);
        free(log);
    }
}
