#include "tpm/userspace_log.h"

#include "tpm/event_log_parts.h"
#include "tpm/userspace_record.h"

#include <stdlib.h>
#include <string.h>

static inline void json_release(json_t *value)
{
    json_decref(value);
}
AUTO_DEFINE(json, json_t, json_release);

/* The records as they are read; they join the log when all of them are. */
struct reader {
    struct view rest;
    const uint8_t *start;
    struct buf *bytes; /* what events point into: as long as it can get, so that it never moves */
    struct event_record *events;
    size_t count;
    size_t records; /* with those of NV indexes */
    size_t nv;
    char boot[33]; /* of the first record that says one: 32 hexadecimal digits */
    bool boots_differ;
    struct event_log_problem *problem;
};

static void reader_release(struct reader *r)
{
    buf_free(r->bytes);
    free(r->events);
    free(r);
}
AUTO_DEFINE(reader, struct reader, reader_release);

static ERRFN refuse(struct reader *r, struct view at, const char *reason)
{
    *r->problem = (struct event_log_problem){
        .event = r->records, .offset = (size_t)(at.data - r->start), .reason = reason};
    return E(EVENT_LOG_UNREADABLE);
}

/* RFC 7464 puts 0x1E before each object, which copies may have lost, and a line feed behind it. */
static void skip_between(struct view *v)
{
    static const char between[] = "\x1e \t\r\n";
    while (v->len > 0 && memchr(between, v->data[0], sizeof between - 1)) {
        v->data++;
        v->len--;
    }
}

/* Takes the object that begins here, found by its brackets. jansson descends by recursion, so depth
 * is bounded before it gets to see the text. */
static ERRFN take_object(struct reader *r, struct view *out_text)
{
    struct view v = r->rest;
    size_t most = v.len < USERSPACE_RECORD_MAX_BYTES ? v.len : USERSPACE_RECORD_MAX_BYTES;
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < most; i++) {
        uint8_t c = v.data[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if ((c == '{' || c == '[') && ++depth > USERSPACE_DEPTH_MAX) {
            return refuse(r, v, "a record is nested more deeply than records are");
        } else if ((c == '}' || c == ']') && depth-- <= 1) {
            *out_text = view_of(v.data, i + 1);
            r->rest = view_of(v.data + i + 1, v.len - i - 1);
            return OK;
        }
        if (depth == 0) {
            return refuse(r, v, "here no JSON object begins");
        }
    }
    return refuse(
        r, v, most < v.len ? "a record is longer than records are" : "the last record is cut off");
}

/* The kernel's boot id; a log of several boots has records that the TPM no longer knows of. */
static void note_boot(struct reader *r, const char *boot)
{
    if (strlen(boot) != sizeof r->boot - 1) {
        return;
    }
    if (r->boot[0] == '\0') {
        memcpy(r->boot, boot, sizeof r->boot);
    }
    r->boots_differ = r->boots_differ || strcmp(r->boot, boot) != 0;
}

static ERRFN read_record(struct reader *r, struct view text)
{
    struct userspace_record record;
    size_t digests_at = r->bytes->len;
    AUTO(json) json = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    const char *wrong = json_is_object(json) ? userspace_record_read(json, &record, r->bytes)
                                             : "a record is not a JSON object";
    if (wrong) {
        return refuse(r, text, wrong);
    }
    note_boot(r, record.boot);
    if (record.nv) {
        r->nv++;
        return OK;
    }
    size_t data_at = r->bytes->len;
    TRY(buf_put(r->bytes, view_text(record.text)));
    r->events[r->count++] =
        (struct event_record){.pcr = record.pcr,
                              .offset = (size_t)(text.data - r->start),
                              .digests = view_of(r->bytes->data + digests_at, data_at - digests_at),
                              .data = view_of(r->bytes->data + data_at, r->bytes->len - data_at),
                              .userspace = record.kind};
    return OK;
}

static ERRFN read_records(struct reader *r)
{
    for (skip_between(&r->rest); r->rest.len > 0; skip_between(&r->rest)) {
        struct view text;
        TRY(take_object(r, &text));
        if (r->records == USERSPACE_RECORDS_MAX) {
            return refuse(r, text, "there are more records than a boot writes");
        }
        TRY(read_record(r, text));
        r->records++;
    }
    return r->records > 0 ? OK : refuse(r, r->rest, "there is no record");
}

/* Every digest and text is shorter than the JSON that it stands in, so one piece of memory as long
 * as the text takes them all. */
static ERRFN reader_new(struct view text, struct event_log_problem *problem,
                        struct reader **out_reader)
{
    uint8_t *unused;
    AUTO(reader) r = calloc(1, sizeof *r);
    ENSURE(r, NO_MEMORY);
    r->rest = text;
    r->start = text.data;
    r->problem = problem;
    r->events = calloc(USERSPACE_RECORDS_MAX, sizeof *r->events);
    ENSURE(r->events, NO_MEMORY);
    TRY(buf_new(text.len, &r->bytes));
    TRY(buf_extend(r->bytes, text.len, &unused));
    buf_truncate(r->bytes, 0);
    *out_reader = STEAL(r);
    return OK;
}

static void note_banks(struct event_log *log, size_t from)
{
    for (size_t i = from; i < log->count; i++) {
        for (size_t bank = 0; bank < EVENT_BANK_COUNT; bank++) {
            bool there = event_log_digest(log, &log->events[i], event_banks[bank].alg).len > 0;
            log->banks |= there ? 1U << bank : 0;
        }
    }
}

static ERRFN join(struct event_log *log, struct reader *r)
{
    struct event_record *grown =
        reallocarray(log->events, log->count + r->count + 1, sizeof *grown);
    ENSURE(grown, NO_MEMORY);
    memcpy(grown + log->count, r->events, r->count * sizeof *grown);
    size_t from = log->count;
    log->events = grown;
    log->count += r->count;
    log->userspace = STEAL(r->bytes);
    log->userspace_count = r->count;
    log->userspace_records = r->records;
    log->userspace_nv = r->nv;
    log->userspace_boots_differ = r->boots_differ;
    note_banks(log, from);
    event_log_count_deviations(log, from);
    return OK;
}

bool userspace_log_follows(struct view v)
{
    static const uint8_t start[] = {0x1e, '{'};
    return v.len > sizeof start && memcmp(v.data, start, sizeof start) == 0;
}

static const char *no_place(const struct event_log *log)
{
    return log->userspace ? "the firmware's log has userspace's already"
           : log->cc ? "userspace's log names PCRs, which a confidential-computing log has none of"
                     : NULL;
}

ERRFN userspace_log_append(struct event_log *log, struct view text,
                           struct event_log_problem *out_problem)
{
    *out_problem = (struct event_log_problem){.reason = ""};
    ENSURE(text.len <= USERSPACE_LOG_MAX_BYTES, TOO_LONG);
    if (no_place(log)) {
        return event_log_refuse(out_problem, 0, no_place(log));
    }
    AUTO(reader) r = NULL;
    TRY(reader_new(text, out_problem, &r));
    TRY(read_records(r));
    return join(log, r);
}
