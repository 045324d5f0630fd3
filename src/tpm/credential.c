#include "tpm/credential.h"

#include "tpm/ak.h"
#include "tpm/kdf.h"
#include "tpm/seed.h"

#include <openssl/err.h>
#include <openssl/evp.h>

enum { AES_BLOCK_BYTES = 16, IDENTITY_MAX_BYTES = 2 + CREDENTIAL_SECRET_MAX_BYTES };

AUTO_DEFINE(cipher_ctx, EVP_CIPHER_CTX, EVP_CIPHER_CTX_free);

/* Everything derived while one credential is made; wiped as a whole. */
struct material {
    uint8_t seed[TPM_DIGEST_MAX_BYTES];
    uint8_t storage_key[32];
    uint8_t integrity_key[TPM_DIGEST_MAX_BYTES];
};

/* CFB with an IV of zeros: the key is used once. */
static ERRFN encrypt(uint16_t bits, const uint8_t *key, struct view plain, uint8_t *out_cipher)
{
    static const uint8_t iv[AES_BLOCK_BYTES] = {0};
    const EVP_CIPHER *cipher = bits == 256 ? EVP_aes_256_cfb128() : EVP_aes_128_cfb128();
    AUTO(cipher_ctx) ctx = EVP_CIPHER_CTX_new();
    int len = 0;
    ENSURE(ctx && EVP_EncryptInit_ex(ctx, cipher, NULL, key, iv) == 1, CRYPTO);
    ENSURE(EVP_EncryptUpdate(ctx, out_cipher, &len, plain.data, (int)plain.len) == 1, CRYPTO);
    ENSURE((size_t)len == plain.len, CRYPTO);
    return OK;
}

/* encIdentity, Part 1 section 24.4. */
static ERRFN seal_identity(const struct ek *ek, struct material *m, size_t seed_len,
                           struct view name, struct view secret, struct buf *out_sealed)
{
    AUTO(buf) identity = NULL;
    TRY(buf_new(IDENTITY_MAX_BYTES, &identity));
    TRY(buf_put_u16(identity, (uint16_t)secret.len));
    TRY(buf_put(identity, secret));
    TRY(kdf_a(ek->name_alg, view_of(m->seed, seed_len), "STORAGE", name, VIEW_EMPTY, m->storage_key,
              ek->symmetric_bits / 8U));
    uint8_t *at;
    TRY(buf_extend(out_sealed, identity->len, &at));
    return encrypt(ek->symmetric_bits, m->storage_key, buf_view(identity), at);
}

/* outerHMAC, Part 1 section 24.5: over encIdentity and the name, so that the blob opens for that
 * object only. */
static ERRFN authenticate(const struct ek *ek, struct material *m, size_t seed_len,
                          struct view name, struct view sealed, uint8_t *out_mac, size_t *out_len)
{
    size_t key_len = tpm_hash_size(ek->name_alg);
    TRY(kdf_a(ek->name_alg, view_of(m->seed, seed_len), "INTEGRITY", VIEW_EMPTY, VIEW_EMPTY,
              m->integrity_key, key_len));
    AUTO(buf) covered = NULL;
    TRY(buf_new(IDENTITY_MAX_BYTES + AK_NAME_MAX_BYTES, &covered));
    TRY(buf_put(covered, sealed));
    TRY(buf_put(covered, name));
    return kdf_hmac(ek->name_alg, view_of(m->integrity_key, key_len), buf_view(covered), out_mac,
                    out_len);
}

/* TPM2B_ID_OBJECT, Part 2 section 12.4.3. */
static ERRFN put_id_object(struct buf *out, struct view mac, struct view sealed)
{
    TRY(buf_put_u16(out, (uint16_t)(2 + mac.len + sealed.len)));
    TRY(buf_put_u16(out, (uint16_t)mac.len));
    TRY(buf_put(out, mac));
    return buf_put(out, sealed);
}

static ERRFN make(const struct ek *ek, struct material *m, struct view name, struct view secret,
                  struct buf *out_id_object, struct buf *out_encrypted_secret)
{
    AUTO(buf) sealed = NULL;
    uint8_t mac[TPM_DIGEST_MAX_BYTES];
    size_t seed_len;
    size_t mac_len;
    TRY(buf_new(IDENTITY_MAX_BYTES, &sealed));
    TRY(seed_share(ek, out_encrypted_secret, m->seed, &seed_len));
    TRY(seal_identity(ek, m, seed_len, name, secret, sealed));
    TRY(authenticate(ek, m, seed_len, name, buf_view(sealed), mac, &mac_len));
    return put_id_object(out_id_object, view_of(mac, mac_len), buf_view(sealed));
}

ERRFN credential_make(const struct ek *ek, struct view ak_name, struct view secret,
                      struct buf *out_id_object, struct buf *out_encrypted_secret)
{
    ENSURE(ak_name.len > 0 && secret.len > 0, FIELD_INVALID);
    ENSURE(ak_name.len <= AK_NAME_MAX_BYTES, TOO_LONG);
    ENSURE(secret.len <= tpm_hash_size(ek->name_alg), TOO_LONG);
    size_t id_object_len = out_id_object->len;
    size_t encrypted_len = out_encrypted_secret->len;
    struct material m;
    ERR_set_mark();
    err_t made = make(ek, &m, ak_name, secret, out_id_object, out_encrypted_secret);
    ERR_pop_to_mark();
    bytes_wipe(&m, sizeof m);
    if (!IS_OK(made)) {
        buf_truncate(out_id_object, id_object_len);
        buf_truncate(out_encrypted_secret, encrypted_len);
    }
    return made;
}
