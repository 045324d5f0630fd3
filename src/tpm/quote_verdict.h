/* Everything that is wrong with a quote, at once, for someone who looks at it. The appliance stops
 * at the first. */
#ifndef ITL_TPM_QUOTE_VERDICT_H
#define ITL_TPM_QUOTE_VERDICT_H

#include "tpm/quote.h"
#include "tpm/quote_key.h"

enum { QUOTE_REASONS_MAX = 8 };

struct quote_evidence {
    struct view quote;     /* as quote_parse takes it */
    struct view signature; /* as quote_check_signature takes it */
    const struct quote_key *key;
    const struct view *nonce;        /* what extraData must be; NULL leaves it unchecked */
    const struct pcr_values *values; /* what the PCRs are said to hold; NULL leaves that unchecked.
                                        Those that are not selected are passed over. */
};

enum quote_part { QUOTE_PART_NONE = 0, QUOTE_PART_QUOTE, QUOTE_PART_SIGNATURE };

struct quote_verdict {
    struct quote quote;
    uint16_t scheme;   /* that it was signed by; TPM_ALG_NONE when it does not verify and the */
    uint16_t hash_alg; /* signature does not say */
    err_t reasons[QUOTE_REASONS_MAX];
    size_t count;         /* of reasons: 0 for a quote that is valid */
    enum quote_part part; /* after an error: what could not be read, */
    size_t offset;        /* and where reading stopped */
};

/* Judges a quote. Reasons, in this order: QUOTE_MAGIC, QUOTE_TYPE, the key's fault, QUOTE_SCHEME,
 * QUOTE_HASH (SHA-1 is never accepted) or QUOTE_SIGNATURE, QUOTE_SELECTION when no PCR is selected,
 * QUOTE_NONCE, PCR_VALUES_INVALID when the value of a selected PCR is missing, QUOTE_DIGEST.
 * Without a public area scheme and hash are what TPMT_SIGNATURE says, else whichever of the
 * accepted ones verifies. Errors: QUOTE_UNREADABLE, QUOTE_SIGNATURE_UNREADABLE, with part and
 * offset; CRYPTO, NO_MEMORY. */
ERRFN quote_judge(const struct quote_evidence *evidence, struct quote_verdict *out_verdict);

#endif
