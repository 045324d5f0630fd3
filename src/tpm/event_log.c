#include "tpm/event_log_parts.h"

#include "tpm/little_endian.h"
#include "tpm/userspace_log.h"

#include <stdlib.h>
#include <string.h>

enum {
    SHA1_BYTES = 20,
    FIRST_EVENTS = 256, /* what ordinary machines have */
};

struct reader {
    struct view rest;
    size_t size;
    size_t padding_from; /* from here on the log is nothing but 0x00 and 0xFF */
    size_t final_from;   /* the event that an EFI final events table begins with; 0 without one */
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
    while (at > 0 && (bytes.data[at - 1] == 0x00 || bytes.data[at - 1] == 0xFF)) {
        at--;
    }
    return at;
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
    uint16_t size = event_log_digest_size(log, alg);
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

/* What would be read as an event and is none. */
static ERRFN refuse_others(struct reader *r, const struct event_log *log)
{
    struct view v = r->rest;
    if (log->count > 0 && event_log_header_follows(log, v)) {
        return event_log_refuse(r->problem, offset_of(r),
                                "another log begins here; there must be one only");
    }
    if (log->count == 0 && event_log_take_final_table(&v)) {
        return event_log_refuse(r->problem, 0,
                                "this is an EFI final events table, without the log before it");
    }
    return OK;
}

/* The first record has the old form in every format, so that old readers find its end. */
static ERRFN take_next(struct reader *r, struct event_log *log, size_t *capacity)
{
    struct event_record event = {0};
    TRY(refuse_others(r, log));
    if (log->format == EVENT_LOG_CRYPTO_AGILE && r->final_from == 0 &&
        event_log_take_final_table(&r->rest)) {
        r->final_from = log->count;
        return OK;
    }
    TRY(take_event(r, log, &event));
    if (log->count == 0) {
        TRY(event_log_read_header(log, &event, offset_of(r) - event.data.len, r->problem));
    }
    return add_event(log, capacity, &event);
}

static ERRFN take_events(struct reader *r, struct event_log *log)
{
    size_t capacity = 0;
    log->format = EVENT_LOG_SHA1;
    while (r->rest.len > 0 && offset_of(r) < r->padding_from &&
           (log->count == 0 || !userspace_log_follows(r->rest))) {
        err_t e = take_next(r, log, &capacity);
        r->problem->event = log->count;
        TRY(e);
    }
    if (r->final_from > 0) {
        event_log_join_final_events(log, r->final_from);
    }
    return OK;
}

/* Padding, or userspace's log. */
static ERRFN take_rest(struct reader *r, struct event_log *log)
{
    if (!userspace_log_follows(r->rest)) {
        log->padding_bytes = r->rest.len;
        return OK;
    }
    size_t before = log->count;
    err_t e = userspace_log_append(log, r->rest, r->problem);
    r->problem->offset += offset_of(r);
    r->problem->event += before;
    for (size_t i = before; i < log->count; i++) {
        log->events[i].offset += offset_of(r);
    }
    return e;
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
    TRY(take_rest(&r, log));
    *out_log = STEAL(log);
    return OK;
}

void event_log_free(struct event_log *log)
{
    if (log) {
        buf_free(log->userspace);
        free(log->events);
        free(log);
    }
}
