/* The TPM's key derivation functions (TPM 2.0 Part 1 section 11.4.10). */
#ifndef ITL_TPM_KDF_H
#define ITL_TPM_KDF_H

#include "tpm/key.h"

/* KDFa: SP 800-108 counter mode with HMAC. The label's final NUL is part of it. `len` is at most a
 * digest of hash_alg. Errors: BUG, CRYPTO. */
ERRFN kdf_a(uint16_t hash_alg, struct view key, const char *label, struct view context_u,
            struct view context_v, uint8_t *out_key, size_t len);

/* KDFe: SP 800-56A, from the x coordinate of an ECDH point. `len` is at most a digest of hash_alg.
 * Errors: BUG, CRYPTO. */
ERRFN kdf_e(uint16_t hash_alg, struct view z, const char *label, struct view party_u,
            struct view party_v, uint8_t *out_key, size_t len);

/* HMAC into TPM_DIGEST_MAX_BYTES. Errors: BUG, CRYPTO. */
ERRFN kdf_hmac(uint16_t hash_alg, struct view key, struct view data, uint8_t *out_mac,
               size_t *out_len);

#endif
