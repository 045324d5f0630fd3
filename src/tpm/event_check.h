/* Quoted PCR values against a log: which of them it explains. */
#ifndef ITL_TPM_EVENT_CHECK_H
#define ITL_TPM_EVENT_CHECK_H

#include "tpm/event_log.h"
#include "tpm/pcr.h"

/* Every log of a PC Client platform extends these, if only with separators. */
enum { EVENT_FIRMWARE_PCRS = 0xFF };

/* Per bank of the quoted values. Bit i of a mask is PCR i. */
struct event_check {
    size_t count;
    struct event_check_bank {
        uint16_t bank;
        uint32_t replays;    /* what the log says; or never extended, neither in log nor TPM */
        uint32_t differs;    /* the log says another value */
        uint32_t not_in_log; /* the log says nothing, yet something extended it, such as IMA */
        /* Of those that differ or are not in the log: one extend by zeros away from it, as Windows
         * caps banks it does not use. Nothing measured later shows in such a bank. */
        uint32_t capped;
        /* Of those that replay: only together with words that everybody knows, measured when the
         * log had ended: boot phases of systemd or Talos into PCR 11, the firmware's own of how it
         * handed over into PCR 5, systemd's separator into PCR 0 to 7, 9 and 12 to 14. */
        uint32_t ended;
    } banks[PCR_BANKS_MAX];
};

/* No register of a CC log is a PCR: its values are all not_in_log. Errors: CRYPTO, NO_MEMORY. */
ERRFN event_check(const struct event_log *log, const struct pcr_values *quoted,
                  struct event_check *out_check);

/* Nothing differs, and every PCR of `required` that was quoted replays. A machine may leave events
 * out of its log, and all of a PCR's make it not_in_log rather than different: `required` holds
 * every PCR that anything is concluded from, EVENT_FIRMWARE_PCRS at least. */
bool event_check_passes(const struct event_check *check, uint32_t required);

#endif
