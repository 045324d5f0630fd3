/* TPM2_Quote: what the PCRs were, said by a TPM (TPM 2.0 Part 2 section 10.12, Part 3
 * section 18.4). */
#ifndef ITL_TPM_QUOTE_H
#define ITL_TPM_QUOTE_H

#include "base/bytes.h"
#include "tpm/ak.h"
#include "tpm/pcr.h"

enum {
    QUOTE_MAX_BYTES = 2048,          /* four banks and SHA-512 take under 300 */
    QUOTE_SIGNATURE_MAX_BYTES = 1024 /* RSA-4096 takes 518 */
};

/* Views point into the bytes parsed. */
struct quote {
    struct view attest;     /* TPMS_ATTEST: what is signed */
    struct view extra_data; /* qualifyingData: the nonce */
    struct view pcr_digest;
    struct view qualified_signer;
    struct pcr_selection selection;
    uint64_t clock; /* milliseconds the TPM has run */
    uint32_t reset_count;
    uint32_t restart_count;
    bool clock_safe;
    uint64_t firmware_version;
};

/* Reads TPMS_ATTEST or TPM2B_ATTEST, exactly consumed. Whether it is genuine is a matter of the
 * signature only. Errors: QUOTE_UNREADABLE; QUOTE_MAGIC unless TPM_GENERATED_VALUE; QUOTE_TYPE
 * unless TPM_ST_ATTEST_QUOTE; QUOTE_SELECTION when no PCR is selected. */
ERRFN quote_parse(struct view sent, struct quote *out_quote);

/* Checks the signature over TPMS_ATTEST. `signature` is TPMT_SIGNATURE, DER ECDSA-Sig-Value, or raw
 * RSA; scheme and hash are always the AK's own, whatever the signature says. Errors:
 * QUOTE_SIGNATURE_UNREADABLE; QUOTE_HASH when it says a hash that is not accepted; QUOTE_SIGNATURE
 * when it does not verify or names another scheme or hash than the AK's. */
ERRFN quote_check_signature(const struct ak *ak, struct view attest, struct view signature);

/* The same with key, scheme and hash (TPM_ALG_ID) given. */
ERRFN quote_check_signature_key(EVP_PKEY *key, uint16_t scheme, uint16_t hash_alg,
                                struct view attest, struct view signature);

#endif
