/* Key derivation of XAES-256-GCM (C2SP xaes-256-gcm.md) with the block cipher in a token. Private
 * to this folder. */
#ifndef ITL_HSM_XAES_H
#define ITL_HSM_XAES_H

#include "base/bytes.h"

enum {
    AES_BLOCK_BYTES = 16,
    XAES_NONCE_BYTES = 24,
    XAES_KEY_NONCE_BYTES = 12,
    XAES_KEY_BYTES = 32
};

/* Encrypts len bytes (whole blocks), each block for itself. */
typedef err_t (*xaes_blocks)(void *context, const uint8_t *in, size_t len, uint8_t *out_blocks);

/* The message key for a nonce's first 12 bytes; its other 12 are the IV. The caller wipes it. Two
 * block calls. */
ERRFN xaes_message_key(xaes_blocks encrypt, void *context,
                       const uint8_t nonce[static XAES_KEY_NONCE_BYTES],
                       uint8_t out_key[static XAES_KEY_BYTES]);

#endif
