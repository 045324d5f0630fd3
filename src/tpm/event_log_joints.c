/* What may follow a log besides padding: the EFI final events table, and another log. */
#include "tpm/event_log_parts.h"

#include "tpm/little_endian.h"

#include <string.h>

enum {
    SIGNATURE_BYTES = 16,
    OVERLAP_MAX = 512 /* events between the loader's first look and the end */
};

/* Behind a crypto-agile log a Spec ID event reads as two events without digests, so a second log
 * would be replayed on top of the first. Behind old records without a header one of the old form is
 * only late. */
bool event_log_header_follows(const struct event_log *log, struct view v)
{
    enum { ZERO_BYTES = 20 };
    static const uint8_t zeros[ZERO_BYTES] = {0};
    uint32_t pcr;
    uint32_t type;
    uint32_t size;
    struct view digest;
    return le_take_u32(&v, &pcr) && le_take_u32(&v, &type) &&
           le_take_bytes(&v, ZERO_BYTES, &digest) && le_take_u32(&v, &size) &&
           type == EV_NO_ACTION && view_equal(digest, view_of(zeros, ZERO_BYTES)) &&
           size >= SIGNATURE_BYTES && v.len >= SIGNATURE_BYTES &&
           memcmp(v.data, "Spec ID Event", strlen("Spec ID Event")) == 0 &&
           (log->signature[0] || memcmp(v.data, "Spec ID Event03", SIGNATURE_BYTES) == 0);
}

/* EFI_TCG2_FINAL_EVENTS_TABLE version 1 (TCG EFI Protocol section 7). Read as an event it would be
 * one of PCR 1 with digests of an algorithm that does not exist. */
bool event_log_take_final_table(struct view *v)
{
    struct view rest = *v;
    uint64_t version;
    uint64_t count;
    if (!le_take_u64(&rest, &version) || !le_take_u64(&rest, &count) || version != 1 ||
        count > EVENT_LOG_MAX_BYTES) {
        return false;
    }
    *v = rest;
    return true;
}

static bool same(const struct event_record *a, const struct event_record *b)
{
    return a->pcr == b->pcr && a->type == b->type && view_equal(a->digests, b->digests) &&
           view_equal(a->data, b->data);
}

static bool overlaps(const struct event_record *end, const struct event_record *start, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!same(&end[i], &start[i])) {
            return false;
        }
    }
    return true;
}

/* The table begins when a loader first asks for the log, which goes on as well: what both have is
 * dropped once. */
void event_log_join_final_events(struct event_log *log, size_t from)
{
    struct event_record *table = log->events + from;
    size_t count = log->count - from;
    size_t most = from < count ? from : count;
    most = most < OVERLAP_MAX ? most : OVERLAP_MAX;
    while (most > 0 && !overlaps(table - most, table, most)) {
        most--;
    }
    memmove(table, table + most, (count - most) * sizeof *table);
    log->count -= most;
    log->final_events = count;
    log->final_events_repeated = most;
}
