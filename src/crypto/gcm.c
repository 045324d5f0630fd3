#include "crypto/gcm.h"

#include <limits.h>
#include <openssl/evp.h>

AUTO_DEFINE(EVP_CIPHER_CTX, EVP_CIPHER_CTX, EVP_CIPHER_CTX_free);

static bool lengths_fit(struct view key, struct view iv, struct view aad, struct view text)
{
    return key.len == GCM_KEY_BYTES && iv.len == GCM_IV_BYTES && aad.len <= INT_MAX && text.len <= INT_MAX;
}

ERRFN gcm_seal(struct view key, struct view iv, struct view aad, struct view plaintext, struct buf *out_ciphertext,
               uint8_t out_tag[static GCM_TAG_BYTES])
{
    ENSURE(lengths_fit(key, iv, aad, plaintext), BUG);
    AUTO(EVP_CIPHER_CTX) ctx = EVP_CIPHER_CTX_new();
    ENSURE(ctx, NO_MEMORY);
    size_t before = out_ciphertext->len;
    uint8_t *at;
    TRY(buf_extend(out_ciphertext, plaintext.len, &at));
    int len = 0;
    uint8_t none[1];
    bool sealed =
        EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), key.data, iv.data, NULL) == 1 &&
        (aad.len == 0 || EVP_EncryptUpdate(ctx, NULL, &len, aad.data, (int)aad.len) == 1) &&
        (plaintext.len == 0 || EVP_EncryptUpdate(ctx, at, &len, plaintext.data, (int)plaintext.len) == 1) &&
        EVP_EncryptFinal_ex(ctx, none, &len) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_BYTES, out_tag) == 1;
    if (!sealed) {
        buf_truncate(out_ciphertext, before);
        return E(CRYPTO);
    }
    return OK;
}

ERRFN gcm_open(struct view key, struct view iv, struct view aad, struct view ciphertext, struct view tag,
               struct buf *out_plaintext)
{
    ENSURE(lengths_fit(key, iv, aad, ciphertext) && tag.len == GCM_TAG_BYTES, SEALED_INVALID);
    AUTO(EVP_CIPHER_CTX) ctx = EVP_CIPHER_CTX_new();
    ENSURE(ctx, NO_MEMORY);
    size_t before = out_plaintext->len;
    uint8_t *at;
    TRY(buf_extend(out_plaintext, ciphertext.len, &at));
    int len = 0;
    uint8_t none[1];
    bool opened =
        EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), key.data, iv.data, NULL) == 1 &&
        (aad.len == 0 || EVP_DecryptUpdate(ctx, NULL, &len, aad.data, (int)aad.len) == 1) &&
        (ciphertext.len == 0 || EVP_DecryptUpdate(ctx, at, &len, ciphertext.data, (int)ciphertext.len) == 1) &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_BYTES, (void *)(uintptr_t)tag.data) == 1 &&
        EVP_DecryptFinal_ex(ctx, none, &len) == 1;
    if (!opened) {
        buf_truncate(out_plaintext, before);
        return E(SEALED_INVALID);
    }
    return OK;
}
