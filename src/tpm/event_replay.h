/* Replay: the PCR values that a log explains. */
#ifndef ITL_TPM_EVENT_REPLAY_H
#define ITL_TPM_EVENT_REPLAY_H

#include "tpm/event_log.h"
#include "tpm/pcr.h"

/* What the log's digests in one bank add up to. Bit i of a mask is PCR i, or CC register i. */
struct event_replay_bank {
    uint32_t mask;       /* has a value: extended in this bank, or started by StartupLocality */
    uint32_t incomplete; /* an event has no digest in this bank, though the header lists it */
    uint8_t value[PCR_COUNT][TPM_DIGEST_MAX_BYTES];
};

struct event_replay {
    struct event_replay_bank banks[EVENT_BANK_COUNT]; /* as event_banks */
};

/* PCR 0 starts at the startup locality, PCR 17 to 22 at all ones, everything else at zero (PC
 * Client Platform TPM Profile section 4.6.2); EV_NO_ACTION extends nothing. Linear in the log,
 * allocates nothing that outlives it. Errors: CRYPTO, NO_MEMORY. */
ERRFN event_replay(const struct event_log *log, struct event_replay *out_replay);

/* The bank of this TPM_ALG_ID, NULL for an unknown one. */
const struct event_replay_bank *event_replay_find(const struct event_replay *replay, uint16_t alg);

/* The values that these PCRs have by the log. Errors: BUG for a selection of an unknown bank. */
ERRFN event_replay_values(const struct event_replay *replay, const struct pcr_selection *selection,
                          struct pcr_values *out_values);

/* "0" … "23", or "RTMR0" … of a CC log. */
enum { EVENT_REGISTER_NAME_SIZE = 12 };
void event_register_name(const struct event_log *log, uint32_t index,
                         char out_name[static EVENT_REGISTER_NAME_SIZE]);

/* value = H(value || digest), in the context's algorithm. Errors: CRYPTO. */
ERRFN event_replay_extend(EVP_MD_CTX *ctx, uint8_t *value, struct view digest);

#endif
