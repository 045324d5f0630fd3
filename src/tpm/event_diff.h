/* Two logs compared: which events of which PCR were added, removed or changed, and what that means.
 */
#ifndef ITL_TPM_EVENT_DIFF_H
#define ITL_TPM_EVENT_DIFF_H

#include "tpm/claims.h"
#include "tpm/event_log.h"

enum {
    EVENT_CHANGES_MAX = 512, /* a log with more is another system's; the rest is counted */
    EVENT_CHANGE_TEXT_SIZE = 320
};

enum event_change_kind { EVENT_CHANGE_NONE = 0, EVENT_ADDED, EVENT_REMOVED, EVENT_CHANGED };

struct event_change {
    enum event_change_kind kind;
    uint32_t pcr;
    size_t event_a; /* numbers in their logs; of EVENT_ADDED only b, of EVENT_REMOVED only a */
    size_t event_b;
    char text[EVENT_CHANGE_TEXT_SIZE]; /* type and what stands in it */
};

struct event_diff {
    uint16_t bank; /* compared in */
    uint32_t pcrs; /* bit i: the logs say different values of PCR i */
    size_t count;
    size_t dropped;
    struct event_change changes[EVENT_CHANGES_MAX];
    /* Name of a claim and a sentence (claims_diff.h); "pcr.N" and one for PCRs that differ and have
     * none. */
    struct claims *meaning;
};

/* Compares digests in the strongest bank that both have (SHA-256 first); events that extend nothing
 * don't count. Events are aligned per PCR with a bounded look ahead, so that an insertion does not
 * make everything behind it look changed. Errors: EVENT_LOG_UNREADABLE when the logs have no bank
 * in common, NO_MEMORY, CRYPTO. */
ERRFN event_diff(const struct event_log *a, const struct event_log *b,
                 struct event_diff **out_diff);

/* No event differs and no claim does. */
bool event_diff_empty(const struct event_diff *diff);

void event_diff_free(struct event_diff *diff);
AUTO_DEFINE(event_diff, struct event_diff, event_diff_free);

#endif
