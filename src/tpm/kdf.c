#include "tpm/kdf.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

/* Counter, label, two names or coordinates, bit count. */
enum { INPUT_MAX_BYTES = 512 };

static ERRFN put_label(struct buf *b, const char *label)
{
    return buf_put(b, view_of(label, strlen(label) + 1));
}

ERRFN kdf_hmac(uint16_t hash_alg, struct view key, struct view data, uint8_t *out_mac,
               size_t *out_len)
{
    const EVP_MD *md = tpm_hash_md(hash_alg);
    ENSURE(md && key.len <= INT32_MAX, BUG);
    unsigned len = 0;
    ENSURE(HMAC(md, key.data, (int)key.len, data.data, data.len, out_mac, &len), CRYPTO);
    *out_len = len;
    return OK;
}

/* One block is enough for every key a credential needs, so the counter is always 1. */
ERRFN kdf_a(uint16_t hash_alg, struct view key, const char *label, struct view context_u,
            struct view context_v, uint8_t *out_key, size_t len)
{
    ENSURE(len <= tpm_hash_size(hash_alg), BUG);
    AUTO(buf) input = NULL;
    TRY(buf_new(INPUT_MAX_BYTES, &input));
    TRY(buf_put_u32(input, 1));
    TRY(put_label(input, label));
    TRY(buf_put(input, context_u));
    TRY(buf_put(input, context_v));
    TRY(buf_put_u32(input, (uint32_t)(len * 8)));
    uint8_t block[TPM_DIGEST_MAX_BYTES];
    size_t block_len;
    TRY(kdf_hmac(hash_alg, key, buf_view(input), block, &block_len));
    memcpy(out_key, block, len);
    bytes_wipe(block, sizeof block);
    return OK;
}

ERRFN kdf_e(uint16_t hash_alg, struct view z, const char *label, struct view party_u,
            struct view party_v, uint8_t *out_key, size_t len)
{
    ENSURE(len <= tpm_hash_size(hash_alg), BUG);
    AUTO(buf) input = NULL;
    TRY(buf_new(INPUT_MAX_BYTES, &input));
    TRY(buf_put_u32(input, 1));
    TRY(buf_put(input, z));
    TRY(put_label(input, label));
    TRY(buf_put(input, party_u));
    TRY(buf_put(input, party_v));
    uint8_t block[TPM_DIGEST_MAX_BYTES];
    size_t block_len;
    TRY(tpm_hash(hash_alg, buf_view(input), block, &block_len));
    memcpy(out_key, block, len);
    bytes_wipe(block, sizeof block);
    return OK;
}
