#include "hsm/xaes.h"

#include <string.h>

/* Doubles in GF(2^128) without a branch on the secret (SP 800-38B section 6.1, subkey K1). */
static void cmac_subkey(const uint8_t zero_block[static AES_BLOCK_BYTES],
                        uint8_t out_subkey[static AES_BLOCK_BYTES])
{
    uint8_t carry = 0;
    for (size_t i = AES_BLOCK_BYTES; i-- > 0;) {
        out_subkey[i] = (uint8_t)((zero_block[i] << 1) | carry);
        carry = zero_block[i] >> 7;
    }
    out_subkey[AES_BLOCK_BYTES - 1] ^= (uint8_t)(0x87 & (0 - carry));
}

ERRFN xaes_message_key(xaes_blocks encrypt, void *context,
                       const uint8_t nonce[static XAES_KEY_NONCE_BYTES],
                       uint8_t out_key[static XAES_KEY_BYTES])
{
    static const uint8_t zeros[AES_BLOCK_BYTES];
    uint8_t cipher[AES_BLOCK_BYTES];
    uint8_t subkey[AES_BLOCK_BYTES];
    TRY(encrypt(context, zeros, sizeof zeros, cipher));
    cmac_subkey(cipher, subkey);

    uint8_t
        inputs[2 * AES_BLOCK_BYTES]; /* counter (16 bit), "X", 0, nonce: SP 800-108r1 section 4.1 */
    for (uint8_t counter = 1; counter <= 2; counter++) {
        uint8_t *block = inputs + (counter - 1) * AES_BLOCK_BYTES;
        const uint8_t head[] = {0, counter, 'X', 0};
        memcpy(block, head, sizeof head);
        memcpy(block + sizeof head, nonce, XAES_KEY_NONCE_BYTES);
        for (size_t i = 0; i < AES_BLOCK_BYTES; i++) {
            block[i] ^= subkey[i];
        }
    }
    err_t err = encrypt(context, inputs, sizeof inputs, out_key);
    bytes_wipe(cipher, sizeof cipher);
    bytes_wipe(subkey, sizeof subkey);
    bytes_wipe(inputs, sizeof inputs);
    return err;
}
