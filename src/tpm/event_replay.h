/* Replay: the PCR values that a log explains, and how they compare with quoted ones. */
#ifndef ITL_TPM_EVENT_REPLAY_H
#define ITL_TPM_EVENT_REPLAY_H

#include "tpm/event_log.h"
#include "tpm/pcr.h"

/* What the log's digests in one bank add up to. Bit i of a mask is PCR i, or CC register i. */
struct event_replay_bank {
    uint32_t
        mask; /* registers with a value: extended in this bank, or started by StartupLocality */
    uint32_t incomplete; /* registers of which an event has no digest in this bank, though the
                            header lists it */
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

/* "0" … "23", or "RTMR0" … of a CC log. */
enum { EVENT_REGISTER_NAME_SIZE = 12 };
void event_register_name(const struct event_log *log, uint32_t index,
                         char out_name[static EVENT_REGISTER_NAME_SIZE]);

/* Per bank of the quoted values, which of them the log explains. */
struct event_check {
    size_t count;
    struct event_check_bank {
        uint16_t bank;
        uint32_t replays; /* the value is what the log says; also a register never extended, neither
                             in log nor TPM */
        uint32_t differs; /* the log says another value */
        uint32_t not_in_log; /* extended by something that writes no firmware log, such as IMA */
        uint32_t capped;     /* of those that differ or are not in the log: one extend by zeros away
                              * from it, as Windows     caps banks it does not use. Nothing measured
                              * later     shows in such a bank. */
    } banks[PCR_BANKS_MAX];
};

/* Never true for a CC log, whose registers no TPM quotes: its PCRs are all not_in_log or differ.
 * Errors: CRYPTO, NO_MEMORY. */
ERRFN event_check(const struct event_log *log, const struct pcr_values *quoted,
                  struct event_check *out_check);

/* The whole quote is explained: nothing differs, and nothing is missing of the PCRs in `required`.
 */
bool event_check_passes(const struct event_check *check, uint32_t required);

#endif
