/* AES-256-GCM (NIST SP 800-38D) with a 96-bit IV and a 128-bit tag, over OpenSSL. */
#ifndef ITL_CRYPTO_GCM_H
#define ITL_CRYPTO_GCM_H

#include "base/bytes.h"

enum { GCM_KEY_BYTES = 32, GCM_IV_BYTES = 12, GCM_TAG_BYTES = 16 };

/* Appends ciphertext of the plaintext's length to out_ciphertext. The caller never uses an IV twice with one key. Errors: CRYPTO, TOO_LONG. */
ERRFN gcm_seal(struct view key, struct view iv, struct view aad, struct view plaintext, struct buf *out_ciphertext,
               uint8_t out_tag[static GCM_TAG_BYTES]);

/* Appends the plaintext to out_plaintext, which is left as it was when the tag does not verify. Errors: SEALED_INVALID, TOO_LONG. */
ERRFN gcm_open(struct view key, struct view iv, struct view aad, struct view ciphertext, struct view tag,
               struct buf *out_plaintext);

#endif
