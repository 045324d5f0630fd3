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

/* TPM_ST, Part 2 section 6.9: kinds of TPMS_ATTEST. */
enum tpm_st {
    TPM_ST_ATTEST_NV = 0x8014,
    TPM_ST_ATTEST_COMMAND_AUDIT = 0x8015,
    TPM_ST_ATTEST_SESSION_AUDIT = 0x8016,
    TPM_ST_ATTEST_CERTIFY = 0x8017,
    TPM_ST_ATTEST_QUOTE = 0x8018,
    TPM_ST_ATTEST_TIME = 0x8019,
    TPM_ST_ATTEST_CREATION = 0x801A,
    TPM_ST_ATTEST_NV_DIGEST = 0x801C
};

/* Views point into the bytes parsed. */
struct quote {
    struct view attest;     /* TPMS_ATTEST: what is signed */
    uint32_t magic;         /* TPM_GENERATED_VALUE once parsed */
    uint16_t type;          /* enum tpm_st: a quote once parsed */
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

/* The same without the judgement: reads whatever TPMS_ATTEST it is, to show it. Selection and
 * digest are read when the type says quote, and are empty else. out_offset is where reading
 * stopped. Errors: QUOTE_UNREADABLE. */
ERRFN quote_read(struct view sent, struct quote *out_quote, size_t *out_offset);

/* QUOTE_MAGIC or QUOTE_TYPE for what quote_read took and quote_parse would not. */
err_t quote_header_fault(const struct quote *quote);

/* What the type of a TPMS_ATTEST is called, NULL for one there is not. */
const char *quote_type_name(uint16_t type);

/* Whether it is the quote of a TPM 1.2, which nothing here reads. */
bool quote_is_tpm12(struct view sent);

/* Checks the signature over TPMS_ATTEST. `signature` is in any form that signature_form.h knows;
 * scheme and hash are always the AK's own, whatever the signature says. Errors:
 * QUOTE_SIGNATURE_UNREADABLE; QUOTE_SCHEME when it says a scheme that is not accepted (SM2, ECDAA,
 * Schnorr, HMAC, none); QUOTE_HASH the same for its hash; QUOTE_SIGNATURE when it does not verify
 * or names another scheme or hash than the AK's. */
ERRFN quote_check_signature(const struct ak *ak, struct view attest, struct view signature);

/* The same with key, scheme and hash (TPM_ALG_ID) given. */
ERRFN quote_check_signature_key(EVP_PKEY *key, uint16_t scheme, uint16_t hash_alg,
                                struct view attest, struct view signature);

/* Scheme and hash that a signature names, TPM_ALG_NONE for the forms that name none. out_offset is
 * where reading stopped. Errors: QUOTE_SIGNATURE_UNREADABLE for what can't be a signature of this
 * key.
 */
ERRFN quote_signature_claim(struct view signature, const EVP_PKEY *key, uint16_t *out_scheme,
                            uint16_t *out_hash_alg, size_t *out_offset);

/* Whether it verifies with SHA-1, which is never accepted: to say so. */
bool quote_signature_is_sha1(EVP_PKEY *key, struct view attest, struct view signature);

#endif
