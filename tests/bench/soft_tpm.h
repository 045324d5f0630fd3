/* A TPM made of software keys: as good as a real one where its EK is allowed by hash, and worth nothing anywhere else. It exists so that the load generator
 * is not what a benchmark measures. P-256 EK and AK with the TCG's public area templates. */
#ifndef ITL_BENCH_SOFT_TPM_H
#define ITL_BENCH_SOFT_TPM_H

#include "base/bytes.h"

#include <openssl/types.h>

struct soft_tpm {
    EVP_PKEY *ek;
    EVP_PKEY *ak;
    struct buf *ek_public; /* TPM2B_PUBLIC */
    struct buf *ak_public;
    struct buf *ek_spki; /* SubjectPublicKeyInfo DER */
    uint8_t ak_name[34];
};

/* From two PEM private keys in one file, which is made when it does not exist. */
ERRFN soft_tpm_open(const char *path, struct soft_tpm **out_tpm);
void soft_tpm_free(struct soft_tpm *tpm);
AUTO_DEFINE(soft_tpm, struct soft_tpm, soft_tpm_free);

/* TPM2_ActivateCredential: appends the secret. Errors: ACTIVATION_INVALID when it is not for this EK and AK. */
ERRFN soft_tpm_activate(const struct soft_tpm *tpm, struct view id_object, struct view encrypted_secret, struct buf *out_secret);

/* TPM2_Quote over the SHA-256 PCRs of the mask, all of which read as zeros: appends TPMS_ATTEST and TPMT_SIGNATURE. */
ERRFN soft_tpm_quote(const struct soft_tpm *tpm, struct view nonce, uint32_t mask, struct buf *out_attest,
                     struct buf *out_signature);

#endif
