#include "tpm/seed.h"

#include "base/random.h"
#include "tpm/kdf.h"
#include "tpm/spki.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <string.h>

static const char label[] = "IDENTITY"; /* its NUL is part of it */

AUTO_DEFINE(pkey_ctx, EVP_PKEY_CTX, EVP_PKEY_CTX_free);

struct coordinate {
    uint8_t bytes[TPM_ECC_MAX_BYTES];
    size_t len; /* always the curve's, leading zeros included */
};

static struct view coordinate_view(const struct coordinate *c)
{
    return view_of(c->bytes, c->len);
}

static ERRFN get_coordinate(const EVP_PKEY *key, const char *name, size_t width,
                            struct coordinate *out_coordinate)
{
    TRY(spki_key_number(key, name, out_coordinate->bytes, width));
    out_coordinate->len = width;
    return OK;
}

static ERRFN set_oaep(EVP_PKEY_CTX *ctx, const EVP_MD *md)
{
    ENSURE(EVP_PKEY_encrypt_init(ctx) == 1, CRYPTO);
    ENSURE(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1, CRYPTO);
    ENSURE(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1, CRYPTO);
    ENSURE(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1, CRYPTO);
    void *owned_label = OPENSSL_memdup(label, sizeof label);
    ENSURE(owned_label, NO_MEMORY);
    if (EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, owned_label, sizeof label) != 1) {
        OPENSSL_free(owned_label);
        return E(CRYPTO);
    }
    return OK;
}

static ERRFN share_rsa(const struct ek *ek, struct buf *out, uint8_t *seed, size_t seed_len)
{
    AUTO(pkey_ctx) ctx = EVP_PKEY_CTX_new(ek->key, NULL);
    ENSURE(ctx, NO_MEMORY);
    TRY(set_oaep(ctx, tpm_hash_md(ek->name_alg)));
    random_bytes(seed, seed_len);
    uint8_t sealed[TPM_RSA_MAX_BYTES];
    size_t sealed_len = sizeof sealed;
    ENSURE(EVP_PKEY_encrypt(ctx, sealed, &sealed_len, seed, seed_len) == 1, CRYPTO);
    TRY(buf_put_u16(out, (uint16_t)sealed_len));
    return buf_put(out, view_of(sealed, sealed_len));
}

static ERRFN agree(EVP_PKEY *ours, EVP_PKEY *theirs, struct coordinate *out_z)
{
    AUTO(pkey_ctx) ctx = EVP_PKEY_CTX_new(ours, NULL);
    ENSURE(ctx && EVP_PKEY_derive_init(ctx) == 1, CRYPTO);
    /* Without validation: the point was checked to be on its curve when the EK was read. */
    ENSURE(EVP_PKEY_derive_set_peer_ex(ctx, theirs, 0) == 1, CRYPTO);
    size_t len = sizeof out_z->bytes;
    ENSURE(EVP_PKEY_derive(ctx, out_z->bytes, &len) == 1, CRYPTO);
    out_z->len = len;
    return OK;
}

/* TPM2B_ENCRYPTED_SECRET around TPMS_ECC_POINT. */
static ERRFN put_point(struct buf *out, const struct coordinate *x, const struct coordinate *y)
{
    TRY(buf_put_u16(out, (uint16_t)(2 + x->len + 2 + y->len)));
    TRY(buf_put_u16(out, (uint16_t)x->len));
    TRY(buf_put(out, coordinate_view(x)));
    TRY(buf_put_u16(out, (uint16_t)y->len));
    return buf_put(out, coordinate_view(y));
}

static ERRFN share_ecc(const struct ek *ek, struct buf *out, uint8_t *seed, size_t seed_len)
{
    size_t width = tpm_key_ecc_bytes((enum tpm_key)ek->key_type);
    AUTO(pkey) ours = EVP_EC_gen(spki_group_name((enum tpm_key)ek->key_type));
    ENSURE(ours, CRYPTO);
    struct coordinate x;
    struct coordinate y;
    struct coordinate ek_x;
    struct coordinate z;
    TRY(get_coordinate(ours, OSSL_PKEY_PARAM_EC_PUB_X, width, &x));
    TRY(get_coordinate(ours, OSSL_PKEY_PARAM_EC_PUB_Y, width, &y));
    TRY(get_coordinate(ek->key, OSSL_PKEY_PARAM_EC_PUB_X, width, &ek_x));
    TRY(agree(ours, ek->key, &z));
    err_t derived = kdf_e(ek->name_alg, coordinate_view(&z), label, coordinate_view(&x),
                          coordinate_view(&ek_x), seed, seed_len);
    bytes_wipe(&z, sizeof z);
    TRY(derived);
    return put_point(out, &x, &y);
}

ERRFN seed_share(const struct ek *ek, struct buf *out_encrypted_secret, uint8_t *out_seed,
                 size_t *out_len)
{
    size_t len = tpm_hash_size(ek->name_alg);
    ENSURE(tpm_hash_md(ek->name_alg), BUG);
    if (tpm_key_is_rsa((enum tpm_key)ek->key_type)) {
        TRY(share_rsa(ek, out_encrypted_secret, out_seed, len));
    } else {
        TRY(share_ecc(ek, out_encrypted_secret, out_seed, len));
    }
    *out_len = len;
    return OK;
}
