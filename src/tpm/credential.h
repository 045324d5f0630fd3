/* TPM2_MakeCredential without a TPM (TPM 2.0 Part 1 section 24, Part 3 section 12.6): seals a few
 * bytes so that only the TPM which holds both the EK and the object with the given name can open
 * them. */
#ifndef ITL_TPM_CREDENTIAL_H
#define ITL_TPM_CREDENTIAL_H

#include "base/bytes.h"
#include "tpm/ek.h"

enum {
    CREDENTIAL_SECRET_MAX_BYTES = TPM_DIGEST_MAX_BYTES,
    CREDENTIAL_ID_OBJECT_MAX_BYTES = 2 + 2 + TPM_DIGEST_MAX_BYTES + 2 + CREDENTIAL_SECRET_MAX_BYTES,
    /* Longer than two P-521 coordinates. */
    CREDENTIAL_ENCRYPTED_SECRET_MAX_BYTES = 2 + TPM_RSA_MAX_BYTES
};

/* Appends TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET, each with its size. `secret` may be as long
 * as a digest of the EK's nameAlg: 32 bytes always fit. Needs the EK's nameAlg and symmetric key
 * size to be the TPM's own (ek_set_public_area, or a key made from the TCG template). Errors:
 * TOO_LONG, FIELD_INVALID for an empty secret or name, CRYPTO; the buffers are then as they
 * were. */
ERRFN credential_make(const struct ek *ek, struct view ak_name, struct view secret,
                      struct buf *out_id_object, struct buf *out_encrypted_secret);

#endif
