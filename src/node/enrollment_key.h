/* The key of an enrollment certificate: made on the node, P-384, and never anywhere else. */
#ifndef ITL_NODE_ENROLLMENT_KEY_H
#define ITL_NODE_ENROLLMENT_KEY_H

#include "base/secret.h"

struct enrollment_key {
    struct secret *pem;  /* PKCS #8 */
    struct buf *request; /* PKCS #10 in DER */
};
void enrollment_key_clear(struct enrollment_key *key);

/* On failure nothing is left in *out_key. Errors: CRYPTO, NO_MEMORY. */
ERRFN enrollment_key_make(struct enrollment_key *out_key);

#endif
