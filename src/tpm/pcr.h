/* PCR selections and values (TPM 2.0 Part 2 sections 10.6 and 10.9). */
#ifndef ITL_TPM_PCR_H
#define ITL_TPM_PCR_H

#include "base/bytes.h"
#include "tpm/key.h"

enum {
    PCR_COUNT = 24,    /* PC Client Platform TPM Profile: PCR 0–23 */
    PCR_BANKS_MAX = 8, /* SHA-1, three of SHA-2, SM3-256, three of SHA-3 */
    PCR_VALUES_MAX = PCR_COUNT * PCR_BANKS_MAX
};

struct pcr_selection {
    size_t count;
    struct pcr_bank_selection {
        uint16_t bank;      /* TPM_ALG_ID */
        uint32_t mask;      /* bit i is PCR i */
    } banks[PCR_BANKS_MAX]; /* in the TPM's order, which the digest follows */
};

struct pcr_values {
    size_t count;
    struct pcr_value {
        uint16_t bank;
        uint8_t index;
        uint8_t len; /* bytes of digest */
        uint8_t digest[TPM_DIGEST_MAX_BYTES];
    } value[PCR_VALUES_MAX];
};

/* "sha1", "sha256", "sha384", "sha512", "sm3_256", "sha3_256", "sha3_384", "sha3_512"; TPM_ALG_NONE
 * for another name. A PCR may be in any of these banks; no signature is accepted over more than
 * SHA-2 (tpm_hash_md), and no policy asks for more. */
uint16_t pcr_bank_from_name(struct view name);

/* NULL for an algorithm that is none of these. */
const char *pcr_bank_name(uint16_t bank);

/* 0 for an algorithm that is none of these. */
size_t pcr_bank_digest_size(uint16_t bank);

/* Takes TPML_PCR_SELECTION from the front of `v`. Errors: QUOTE_UNREADABLE for too few bytes, a
 * repeated bank, an unknown one that is not empty, more of them than a TPM can have, a bitmap of
 * more than 3 bytes with a bit set past PCR 23. Banks with an empty bitmap are kept, unknown ones
 * left out. */
ERRFN pcr_selection_parse(struct view *v, struct pcr_selection *out_selection);

/* The same PCRs in the same banks, whatever the order; banks with an empty bitmap don't count. */
bool pcr_selection_equal(const struct pcr_selection *a, const struct pcr_selection *b);

bool pcr_selection_empty(const struct pcr_selection *selection);

/* Adds one value. Errors: PCR_VALUES_INVALID for an unknown bank, an index past 23, another length
 * than the bank's, or a repetition. */
ERRFN pcr_values_add(struct pcr_values *values, uint16_t bank, uint32_t index, struct view digest);

/* NULL when there is none. */
const struct pcr_value *pcr_values_find(const struct pcr_values *values, uint16_t bank,
                                        uint32_t index);

/* The pcrDigest of a quote: hash_alg (the AK's) over the values, bank by bank as selected, PCRs
 * ascending. out_digest has TPM_DIGEST_MAX_BYTES. Errors: PCR_VALUES_INVALID when a selected value
 * is missing or one that is not selected was given, QUOTE_HASH for a hash we do not accept. */
ERRFN pcr_values_digest(const struct pcr_values *values, const struct pcr_selection *order,
                        uint16_t hash_alg, uint8_t *out_digest, size_t *out_len);

#endif
