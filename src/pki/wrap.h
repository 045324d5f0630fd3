/* A key made for a node that can't make one: P-384, and encrypted to the node's RSA key at once (contract A.3, B.4.7). */
#ifndef ITL_PKI_WRAP_H
#define ITL_PKI_WRAP_H

#include <openssl/types.h>

#include "base/bytes.h"
#include "crypto/gcm.h"

enum { WRAP_RSA_MAX_BYTES = 512, WRAP_TEXT_MAX_BYTES = 512 /* SEC1 PEM of P-384 takes 288 */ };

/* The PEM text (SEC1) of the private key, encrypted. Where RSA-OAEP with SHA-256 has room for all of it, `ciphertext` is just that and
 * the others are empty; where not, as for RSA-2048, it is AES-256-GCM of the text with the 16-byte tag behind it, and `wrapped_key` the
 * AES key under RSA-OAEP. */
struct wrapped_key {
    struct buf *ciphertext; /* owned, as the other */
    struct buf *wrapped_key;
    uint8_t iv[GCM_IV_BYTES];
};
void wrapped_key_clear(struct wrapped_key *wrapped);

/* The private key exists in this call only; its public half is given as SubjectPublicKeyInfo in DER. Errors: CRYPTO, NO_MEMORY. */
ERRFN wrapped_key_make(EVP_PKEY *wrapping_key, struct buf **out_spki, struct wrapped_key *out_wrapped);

#endif
