/* Signs a CertificateVerify with the TLS key, and nothing else. */
#ifndef ITL_KEYHOLDER_SIGN_H
#define ITL_KEYHOLDER_SIGN_H

#include "hsm/hsm.h"

struct signing_key {
    struct hsm_key *key;
    EVP_PKEY *public_key;
};

/* Errors: those of hsm_public_key. */
ERRFN signing_key_open(struct hsm *hsm, struct signing_key *out_key);

/* Appends DER of ECDSA-Sig-Value. What the token made is verified before it leaves: a faulty
 * signature can give a key away. Errors: TLS_CONTENT, those of hsm_sign_p384, TOKEN_FAILED when
 * the signature does not verify. */
ERRFN sign_certificate_verify(const struct signing_key *key, struct view content,
                              struct buf *out_signature);

#endif
