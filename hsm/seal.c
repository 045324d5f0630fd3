#include "base/random.h"
#include "crypto/gcm.h"
#include "hsm/rv.h"
#include "hsm/session.h"
#include "hsm/xaes.h"

enum { SEAL_VERSION = 1 };
_Static_assert((int)HSM_SEAL_OVERHEAD_BYTES == 1 + XAES_NONCE_BYTES + GCM_TAG_BYTES,
               "as the header says");
_Static_assert((int)XAES_KEY_BYTES == (int)GCM_KEY_BYTES, "XAES-256-GCM");
_Static_assert((int)XAES_NONCE_BYTES == XAES_KEY_NONCE_BYTES + (int)GCM_IV_BYTES, "XAES-256-GCM");

struct block_context {
    const uint8_t *in;
    size_t len;
    uint8_t *out_blocks;
};

static CK_RV encrypt_once(struct hsm_key *vault, void *context)
{
    struct block_context *c = context;
    struct hsm *h = vault->hsm;
    CK_MECHANISM mechanism = {CKM_AES_ECB, NULL, 0};
    CK_RV rv = h->module->C_EncryptInit(h->session, &mechanism, vault->handle);
    if (rv != CKR_OK) {
        return rv;
    }
    CK_ULONG len = c->len;
    rv = h->module->C_Encrypt(h->session, (uint8_t *)(uintptr_t)c->in, c->len, c->out_blocks, &len);
    return rv == CKR_OK && len != c->len ? CKR_FUNCTION_FAILED : rv;
}

static ERRFN encrypt_blocks(void *vault, const uint8_t *in, size_t len, uint8_t *out_blocks)
{
    struct block_context context = {in, len, out_blocks};
    return session_run(vault, encrypt_once, &context);
}

static ERRFN seal_with(struct view key, struct view nonce, struct view aad, struct view plaintext,
                       struct buf *out_sealed)
{
    struct view iv = view_of(nonce.data + XAES_KEY_NONCE_BYTES, GCM_IV_BYTES);
    uint8_t tag[GCM_TAG_BYTES];
    TRY(buf_put_u8(out_sealed, SEAL_VERSION));
    TRY(buf_put(out_sealed, nonce));
    TRY(gcm_seal(key, iv, aad, plaintext, out_sealed, tag));
    return buf_put(out_sealed, view_of(tag, sizeof tag));
}

ERRFN hsm_seal(struct hsm_key *vault, struct view aad, struct view plaintext,
               struct buf *out_sealed)
{
    ENSURE(vault->role == HSM_ROLE_VAULT, BUG);
    ENSURE(plaintext.len <= HSM_SEAL_MAX_BYTES && aad.len <= HSM_AAD_MAX_BYTES, TOO_LONG);
    uint8_t nonce[XAES_NONCE_BYTES];
    uint8_t key[XAES_KEY_BYTES];
    random_bytes(nonce, sizeof nonce);
    TRY(xaes_message_key(encrypt_blocks, vault, nonce, key));

    size_t before = out_sealed->len;
    err_t err = seal_with(view_of(key, sizeof key), view_of(nonce, sizeof nonce), aad, plaintext,
                          out_sealed);
    bytes_wipe(key, sizeof key);
    if (!IS_OK(err)) {
        buf_truncate(out_sealed, before);
    }
    return err;
}

struct sealed_parts {
    uint8_t version;
    struct view nonce;
    struct view ciphertext;
    struct view tag;
};

static ERRFN split(struct view sealed, struct sealed_parts *out_parts)
{
    ENSURE(sealed.len >= HSM_SEAL_OVERHEAD_BYTES, TOKEN_OPEN);
    ENSURE(sealed.len <= HSM_SEAL_OVERHEAD_BYTES + HSM_SEAL_MAX_BYTES, TOO_LONG);
    TRY(view_get_u8(&sealed, &out_parts->version, E(TOKEN_OPEN)));
    ENSURE(out_parts->version == SEAL_VERSION, TOKEN_OPEN);
    TRY(view_get_bytes(&sealed, XAES_NONCE_BYTES, &out_parts->nonce, E(TOKEN_OPEN)));
    TRY(view_get_bytes(&sealed, sealed.len - GCM_TAG_BYTES, &out_parts->ciphertext, E(TOKEN_OPEN)));
    return view_get_bytes(&sealed, GCM_TAG_BYTES, &out_parts->tag, E(TOKEN_OPEN));
}

static ERRFN open_with(struct view key, struct view aad, const struct sealed_parts *parts,
                       struct secret **out_plaintext)
{
    AUTO(buf) plaintext = NULL;
    TRY(buf_new(parts->ciphertext.len, &plaintext));
    struct view iv = view_of(parts->nonce.data + XAES_KEY_NONCE_BYTES, GCM_IV_BYTES);
    ENSURE(IS_OK(gcm_open(key, iv, aad, parts->ciphertext, parts->tag, plaintext)), TOKEN_OPEN);
    return secret_copy(buf_view(plaintext), out_plaintext);
}

ERRFN hsm_open_sealed(struct hsm_key *vault, struct view aad, struct view sealed,
                      struct secret **out_plaintext)
{
    ENSURE(vault->role == HSM_ROLE_VAULT, BUG);
    ENSURE(aad.len <= HSM_AAD_MAX_BYTES, TOO_LONG);
    struct sealed_parts parts;
    TRY(split(sealed, &parts));
    uint8_t key[XAES_KEY_BYTES];
    TRY(xaes_message_key(encrypt_blocks, vault, parts.nonce.data, key));
    err_t err = open_with(view_of(key, sizeof key), aad, &parts, out_plaintext);
    bytes_wipe(key, sizeof key);
    return err;
}
