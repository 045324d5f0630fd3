/* How a seed is shared with an EK: encrypted to an RSA one, agreed with an ECC one (TPM 2.0 Part 1
 * annexes B.10.4 and C.6.4). */
#ifndef ITL_TPM_SEED_H
#define ITL_TPM_SEED_H

#include "tpm/ek.h"

/* Makes a seed of the EK's nameAlg digest size and appends TPM2B_ENCRYPTED_SECRET. out_seed has
 * TPM_DIGEST_MAX_BYTES and is the caller's to wipe. Errors: CRYPTO, NO_MEMORY, TOO_LONG. */
ERRFN seed_share(const struct ek *ek, struct buf *out_encrypted_secret, uint8_t *out_seed,
                 size_t *out_len);

#endif
