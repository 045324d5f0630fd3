/* A quote against an event log: whether the log explains what was quoted. */
#ifndef ITL_CLI_EVIDENCE_REPLAY_H
#define ITL_CLI_EVIDENCE_REPLAY_H

#include "https/json.h"
#include "tpm/event_check.h"
#include "tpm/event_replay.h"
#include "tpm/quote.h"

struct evidence_replay {
    bool explained; /* the log accounts for the quote; see evidence_replay_check */
    bool compared;  /* with PCR values that make up the quoted digest, so that `check` is filled */
    struct event_check check;
};

/* `values` are those given with the quote, NULL when none were: then the quote must be of the
 * values that the log alone makes. The log explains the quote when at least one bank replays, and
 * nothing in any bank differs for another reason than that Windows capped it. Errors: CRYPTO,
 * NO_MEMORY. */
ERRFN evidence_replay_check(const struct event_log *log, const struct event_replay *replay,
                            const struct quote *quote, const struct pcr_values *values,
                            struct evidence_replay *out_result);

/* {"replays": bool, "banks": {"sha256": {"replays": [0, …], "differs": […], "not_in_log": […],
 * "capped": […]}}}; banks is null when nothing could be compared. Errors: NO_MEMORY. */
ERRFN evidence_replay_json(const struct evidence_replay *result, json_t **out_object);

/* The same for people. */
void evidence_replay_print(const json_t *object);

#endif
