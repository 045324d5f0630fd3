#include "tpm/event_diff.h"

#include "tpm/claims_diff.h"
#include "tpm/event_claims.h"
#include "tpm/event_describe.h"
#include "tpm/event_replay.h"
#include "tpm/event_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_AHEAD = 64, /* events that may have been put in between */
    COMPARISONS_MAX =
        20000000 /* some tenths of a second; behind that events are paired as they come */
};

/* The events of one PCR. */
struct sequence {
    const struct event_log *log;
    const size_t *events; /* their numbers */
    size_t count;
    size_t at;
};

struct differ {
    struct event_diff *diff;
    size_t comparisons;
};

void event_diff_free(struct event_diff *diff)
{
    if (diff) {
        claims_free(diff->meaning);
        free(diff);
    }
}

bool event_diff_empty(const struct event_diff *diff)
{
    return diff->count == 0 && diff->dropped == 0 && diff->pcrs == 0 && diff->meaning->count == 0;
}

static const struct event_record *event_at(const struct sequence *s, size_t ahead)
{
    return &s->log->events[s->events[s->at + ahead]];
}

static bool same(struct differ *d, const struct sequence *a, size_t ahead_a,
                 const struct sequence *b, size_t ahead_b)
{
    d->comparisons++;
    const struct event_record *x = event_at(a, ahead_a);
    const struct event_record *y = event_at(b, ahead_b);
    return x->type == y->type && view_equal(event_log_digest(a->log, x, d->diff->bank),
                                            event_log_digest(b->log, y, d->diff->bank));
}

static void describe_change(const struct event_record *event,
                            char out_text[static EVENT_CHANGE_TEXT_SIZE])
{
    struct event_text t;
    event_text_clear(&t);
    event_describe_type(event, &t);
    event_text_put(&t, " ");
    event_describe(event, &t);
    size_t len = t.len < EVENT_CHANGE_TEXT_SIZE ? t.len : EVENT_CHANGE_TEXT_SIZE - 1;
    while (len < t.len && len > 0 && ((unsigned char)t.text[len] & 0xc0) == 0x80) {
        len--; /* no half characters */
    }
    while (len > 0 && t.text[len - 1] == ' ') {
        len--;
    }
    memcpy(out_text, t.text, len);
    out_text[len] = '\0';
}

/* Notes the next event of one side, or of both, and passes it. */
static void note(struct differ *d, enum event_change_kind kind, struct sequence *a,
                 struct sequence *b)
{
    struct event_diff *diff = d->diff;
    const struct sequence *shown = kind == EVENT_REMOVED ? a : b;
    if (diff->count == EVENT_CHANGES_MAX) {
        diff->dropped++;
    } else {
        struct event_change *change = &diff->changes[diff->count++];
        *change = (struct event_change){.kind = kind, .pcr = event_at(shown, 0)->pcr};
        change->event_a = kind != EVENT_ADDED ? a->events[a->at] : 0;
        change->event_b = kind != EVENT_REMOVED ? b->events[b->at] : 0;
        describe_change(event_at(shown, 0), change->text);
    }
    a->at += kind != EVENT_ADDED;
    b->at += kind != EVENT_REMOVED;
}

struct meeting {
    size_t ahead_a;
    size_t ahead_b;
};

/* How far both sides must go until they meet again, the nearest such place; one step each when it
 * is further than we look. */
static struct meeting find_meeting(struct differ *d, const struct sequence *a,
                                   const struct sequence *b)
{
    size_t left_a = a->count - a->at;
    size_t left_b = b->count - b->at;
    for (size_t distance = 1; distance <= LOOK_AHEAD && d->comparisons < COMPARISONS_MAX;
         distance++) {
        for (size_t i = 0; i <= distance; i++) {
            if (i < left_a && distance - i < left_b && same(d, a, i, b, distance - i)) {
                return (struct meeting){i, distance - i};
            }
        }
    }
    return (struct meeting){1, 1};
}

/* What lies before the meeting: events of one type on both sides are one that changed. */
static void note_gap(struct differ *d, struct sequence *a, size_t count_a, struct sequence *b,
                     size_t count_b)
{
    while (count_a > 0 || count_b > 0) {
        bool paired = count_a > 0 && count_b > 0 && event_at(a, 0)->type == event_at(b, 0)->type;
        enum event_change_kind kind = paired        ? EVENT_CHANGED
                                      : count_a > 0 ? EVENT_REMOVED
                                                    : EVENT_ADDED;
        note(d, kind, a, b);
        count_a -= kind != EVENT_ADDED;
        count_b -= kind != EVENT_REMOVED;
    }
}

static void compare(struct differ *d, struct sequence *a, struct sequence *b)
{
    while (a->at < a->count && b->at < b->count) {
        if (same(d, a, 0, b, 0)) {
            a->at++;
            b->at++;
            continue;
        }
        struct meeting gap = find_meeting(d, a, b);
        note_gap(d, a, gap.ahead_a, b, gap.ahead_b);
    }
    note_gap(d, a, a->count - a->at, b, b->count - b->at);
}

/* The events that extend this PCR in this bank; their numbers go into `numbers`. */
static struct sequence events_of(const struct event_log *log, uint16_t bank, uint32_t pcr,
                                 size_t *numbers)
{
    struct sequence s = {.log = log, .events = numbers};
    for (size_t i = 0; i < log->count; i++) {
        const struct event_record *event = &log->events[i];
        if (event->pcr == pcr && event_log_extends(log, event) &&
            event_log_digest(log, event, bank).len > 0) {
            numbers[s.count++] = i;
        }
    }
    return s;
}

static ERRFN compare_events(struct differ *d, const struct event_log *a, const struct event_log *b)
{
    size_t *numbers = calloc(a->count + b->count + 1, sizeof *numbers);
    ENSURE(numbers, NO_MEMORY);
    for (uint32_t pcr = 0; pcr < PCR_COUNT; pcr++) {
        struct sequence left = events_of(a, d->diff->bank, pcr, numbers);
        struct sequence right = events_of(b, d->diff->bank, pcr, numbers + left.count);
        compare(d, &left, &right);
    }
    free(numbers);
    return OK;
}

static ERRFN compare_values(struct event_diff *diff, const struct event_log *a,
                            const struct event_log *b)
{
    struct event_replay left;
    struct event_replay right;
    TRY(event_replay(a, &left));
    TRY(event_replay(b, &right));
    const struct event_replay_bank *x = event_replay_find(&left, diff->bank);
    const struct event_replay_bank *y = event_replay_find(&right, diff->bank);
    for (uint32_t pcr = 0; pcr < PCR_COUNT; pcr++) {
        bool differs = ((x->mask ^ y->mask) >> pcr & 1) != 0 ||
                       memcmp(x->value[pcr], y->value[pcr], sizeof x->value[pcr]) != 0;
        diff->pcrs |= differs ? 1U << pcr : 0;
    }
    return OK;
}

/* PCRs that differ without any change of a claim: at least what they are for can be said. */
static ERRFN tell_the_rest(struct event_diff *diff, bool cc)
{
    static const struct {
        const char *name;
        const char *what;
    } rest[PCR_COUNT] = {
        [0] = {"pcr.0", "The firmware's own code"},
        [1] = {"pcr.1", "The firmware's settings and tables"},
        [2] = {"pcr.2", "Code of add-in cards"},
        [3] = {"pcr.3", "Settings of add-in cards"},
        [4] = {"pcr.4", "What was started before the system"},
        [5] = {"pcr.5", "What the boot went by: partitions, loader settings"},
        [6] = {"pcr.6", "What the machine's maker measures"},
        [7] = {"pcr.7", "Secure Boot's state"},
        [8] = {"pcr.8", "What GRUB did, or the kernel's command line"},
        [9] = {"pcr.9", "Files of the boot: kernel, initial RAM disk"},
        [10] = {"pcr.10", "Files that the kernel measured (IMA)"},
        [11] = {"pcr.11", "The unified kernel image, or Windows' access to keys"},
        [12] = {"pcr.12", "The kernel's configuration"},
        [13] = {"pcr.13", "System extensions, or Windows' modules"},
        [14] = {"pcr.14", "The machine owner's keys"},
        [15] = {"pcr.15", "The system's identity"},
    };
    uint32_t told = 0;
    for (size_t i = 0; i < diff->meaning->count; i++) {
        told |= diff->meaning->items[i].pcrs;
    }
    for (uint32_t pcr = 0; pcr < PCR_COUNT && !cc; pcr++) {
        if ((diff->pcrs & ~told) >> pcr & 1 && rest[pcr].name) {
            struct event_text t;
            event_text_clear(&t);
            event_text_printf(&t, "%s (PCR %u) changed, in nothing that has a name here.",
                              rest[pcr].what, pcr);
            diff->meaning->pcrs = 1U << pcr;
            TRY(claims_add(diff->meaning, rest[pcr].name, t.text));
        }
    }
    return OK;
}

static ERRFN compare_claims(struct event_diff *diff, const struct event_log *a,
                            const struct event_log *b)
{
    AUTO(claims) left = NULL;
    AUTO(claims) right = NULL;
    TRY(event_claims_read(a, diff->bank, &left));
    TRY(event_claims_read(b, diff->bank, &right));
    TRY(claims_diff(left, right, &diff->meaning));
    return tell_the_rest(diff, a->cc);
}

static uint16_t common_bank(const struct event_log *a, const struct event_log *b)
{
    uint16_t preferred = event_log_preferred_bank(a);
    if (preferred != TPM_ALG_NONE && (b->banks & event_bank_bit(preferred))) {
        return preferred;
    }
    for (size_t i = EVENT_BANK_COUNT; i-- > 0;) {
        if (a->banks & b->banks & (1U << i)) {
            return event_banks[i].alg;
        }
    }
    return TPM_ALG_NONE;
}

ERRFN event_diff(const struct event_log *a, const struct event_log *b, struct event_diff **out_diff)
{
    AUTO(event_diff) diff = calloc(1, sizeof *diff);
    ENSURE(diff, NO_MEMORY);
    diff->bank = common_bank(a, b);
    ENSURE(diff->bank != TPM_ALG_NONE, EVENT_LOG_UNREADABLE);
    struct differ d = {.diff = diff};
    TRY(compare_events(&d, a, b));
    TRY(compare_values(diff, a, b));
    TRY(compare_claims(diff, a, b));
    *out_diff = STEAL(diff);
    return OK;
}
