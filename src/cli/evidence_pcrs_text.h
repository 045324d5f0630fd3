/* PCR values as tpm2_pcrread prints them: a line "sha256:" and below it "7 : 0x…" for each PCR. */
#ifndef ITL_CLI_EVIDENCE_PCRS_TEXT_H
#define ITL_CLI_EVIDENCE_PCRS_TEXT_H

#include "tpm/pcr.h"

/* Whether it is text at all: digests never are. */
bool evidence_pcrs_is_text(struct view content);

/* Errors: PCR_VALUES_INVALID. */
ERRFN evidence_pcrs_text(struct view text, struct pcr_values *values);

/* A PCR's number in decimal, without leading zeros. Errors: PCR_VALUES_INVALID. */
ERRFN evidence_pcrs_index(struct view text, uint32_t *out_index);

/* Adds one value in hexadecimal, with or without "0x". Errors: PCR_VALUES_INVALID. */
ERRFN evidence_pcrs_add_hex(struct pcr_values *values, uint16_t bank, uint32_t index,
                            struct view hex);

#endif
