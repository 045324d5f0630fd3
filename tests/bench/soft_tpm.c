#include "bench/soft_tpm.h"

#include "base/fd.h"
#include "crypto/digest.h"
#include "tpm/kdf.h"
#include "tpm/key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum { COORDINATE = 32, PUBLIC_MAX = 256, CURVE_P256 = 0x0003 };

AUTO_DEFINE(EVP_PKEY, EVP_PKEY, EVP_PKEY_free);
AUTO_DEFINE(BIO, BIO, BIO_free_all);

static ERRFN coordinates(EVP_PKEY *key, uint8_t out_x[static COORDINATE], uint8_t out_y[static COORDINATE])
{
    uint8_t point[1 + 2 * COORDINATE];
    size_t len;
    ENSURE(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof point, &len) == 1 &&
               len == sizeof point,
           CRYPTO);
    memcpy(out_x, point + 1, COORDINATE);
    memcpy(out_y, point + 1 + COORDINATE, COORDINATE);
    return OK;
}

/* TPM2B_PUBLIC of a P-256 key: template L-2 of the EK Credential Profile for the EK, a restricted ECDSA key for the AK. */
static ERRFN make_public(EVP_PKEY *key, bool ek, struct buf **out_public)
{
    static const uint8_t ek_policy[32] = {0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc,
                                          0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52,
                                          0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};
    uint8_t x[COORDINATE];
    uint8_t y[COORDINATE];
    AUTO(buf) area = NULL;
    AUTO(buf) public = NULL;
    TRY(coordinates(key, x, y));
    TRY(buf_new(PUBLIC_MAX, &area));
    TRY(buf_put_u16(area, TPM_ALG_ECC));
    TRY(buf_put_u16(area, TPM_ALG_SHA256));
    TRY(buf_put_u32(area, ek ? 0x000300b2 : 0x00050072));
    TRY(buf_put_u16(area, ek ? sizeof ek_policy : 0));
    TRY(buf_put(area, view_of(ek_policy, ek ? sizeof ek_policy : 0)));
    if (ek) {
        TRY(buf_put_u16(area, TPM_ALG_AES));
        TRY(buf_put_u16(area, 128));
        TRY(buf_put_u16(area, TPM_ALG_CFB));
        TRY(buf_put_u16(area, TPM_ALG_NULL));
    } else {
        TRY(buf_put_u16(area, TPM_ALG_NULL));
        TRY(buf_put_u16(area, TPM_ALG_ECDSA));
        TRY(buf_put_u16(area, TPM_ALG_SHA256));
    }
    TRY(buf_put_u16(area, CURVE_P256));
    TRY(buf_put_u16(area, TPM_ALG_NULL));
    TRY(buf_put_u16(area, COORDINATE));
    TRY(buf_put(area, view_of(x, COORDINATE)));
    TRY(buf_put_u16(area, COORDINATE));
    TRY(buf_put(area, view_of(y, COORDINATE)));
    TRY(buf_new(PUBLIC_MAX, &public));
    TRY(buf_put_u16(public, (uint16_t)area->len));
    TRY(buf_put(public, buf_view(area)));
    *out_public = STEAL(public);
    return OK;
}

static ERRFN make_spki(EVP_PKEY *key, struct buf **out_spki)
{
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    ENSURE(len > 0, CRYPTO);
    err_t copied = buf_copy(view_of(der, (size_t)len), out_spki);
    OPENSSL_free(der);
    return copied;
}

static ERRFN write_keys(const char *path)
{
    AUTO(EVP_PKEY) ek = EVP_EC_gen("P-256");
    AUTO(EVP_PKEY) ak = EVP_EC_gen("P-256");
    AUTO(BIO) bio = BIO_new(BIO_s_mem());
    ENSURE(ek && ak && bio, CRYPTO);
    ENSURE(PEM_write_bio_PrivateKey(bio, ek, NULL, NULL, 0, NULL, NULL) == 1 &&
               PEM_write_bio_PrivateKey(bio, ak, NULL, NULL, 0, NULL, NULL) == 1,
           CRYPTO);
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    return fd_write_file_atomic(path, view_of(data, (size_t)len), 0600);
}

static ERRFN read_keys(const char *path, struct soft_tpm *tpm)
{
    AUTO(buf) pem = NULL;
    err_t read = fd_read_file(path, 4096, &pem);
    if (!IS_OK(read)) {
        TRY(write_keys(path));
        TRY(fd_read_file(path, 4096, &pem));
    }
    AUTO(BIO) bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    ENSURE(bio, NO_MEMORY);
    tpm->ek = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    tpm->ak = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    ENSURE(tpm->ek && tpm->ak, CRYPTO);
    return OK;
}

ERRFN soft_tpm_open(const char *path, struct soft_tpm **out_tpm)
{
    AUTO(soft_tpm) tpm = calloc(1, sizeof *tpm);
    ENSURE(tpm, NO_MEMORY);
    TRY(read_keys(path, tpm));
    TRY(make_public(tpm->ek, true, &tpm->ek_public));
    TRY(make_public(tpm->ak, false, &tpm->ak_public));
    TRY(make_spki(tpm->ek, &tpm->ek_spki));
    tpm->ak_name[0] = 0;
    tpm->ak_name[1] = TPM_ALG_SHA256;
    TRY(sha256(view_of(tpm->ak_public->data + 2, tpm->ak_public->len - 2), tpm->ak_name + 2));
    *out_tpm = STEAL(tpm);
    return OK;
}

void soft_tpm_free(struct soft_tpm *tpm)
{
    if (tpm) {
        EVP_PKEY_free(tpm->ek);
        EVP_PKEY_free(tpm->ak);
        buf_free(tpm->ek_public);
        buf_free(tpm->ak_public);
        buf_free(tpm->ek_spki);
        free(tpm);
    }
}

/* The ephemeral point of TPM2B_ENCRYPTED_SECRET as a key. */
static ERRFN read_point(struct view encrypted, uint8_t out_x[static COORDINATE], EVP_PKEY **out_key)
{
    uint16_t size;
    struct view x;
    struct view y;
    TRY(view_get_u16(&encrypted, &size, E(ACTIVATION_INVALID)));
    TRY(view_get_u16(&encrypted, &size, E(ACTIVATION_INVALID)));
    TRY(view_get_bytes(&encrypted, size, &x, E(ACTIVATION_INVALID)));
    TRY(view_get_u16(&encrypted, &size, E(ACTIVATION_INVALID)));
    TRY(view_get_bytes(&encrypted, size, &y, E(ACTIVATION_INVALID)));
    ENSURE(x.len == COORDINATE && y.len == COORDINATE, ACTIVATION_INVALID);
    uint8_t point[1 + 2 * COORDINATE] = {4};
    memcpy(point + 1, x.data, COORDINATE);
    memcpy(point + 1 + COORDINATE, y.data, COORDINATE);
    memcpy(out_x, x.data, COORDINATE);
    const char *curve = "P-256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)curve, 0),
                           OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
                           OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    bool made = ctx && EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, out_key, EVP_PKEY_PUBLIC_KEY, params) == 1;
    EVP_PKEY_CTX_free(ctx);
    ENSURE(made, ACTIVATION_INVALID);
    return OK;
}

static ERRFN agree(EVP_PKEY *own, EVP_PKEY *peer, uint8_t out_z[static COORDINATE])
{
    size_t len = COORDINATE;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
    bool agreed = ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
                  EVP_PKEY_derive(ctx, out_z, &len) == 1 && len == COORDINATE;
    EVP_PKEY_CTX_free(ctx);
    ENSURE(agreed, CRYPTO);
    return OK;
}

static ERRFN open_seed(const struct soft_tpm *tpm, struct view encrypted, uint8_t out_seed[static SHA256_BYTES])
{
    uint8_t peer_x[COORDINATE];
    uint8_t own_x[COORDINATE];
    uint8_t own_y[COORDINATE];
    uint8_t z[COORDINATE];
    AUTO(EVP_PKEY) peer = NULL;
    TRY(read_point(encrypted, peer_x, &peer));
    TRY(coordinates(tpm->ek, own_x, own_y));
    TRY(agree(tpm->ek, peer, z));
    return kdf_e(TPM_ALG_SHA256, view_of(z, sizeof z), "IDENTITY", view_of(peer_x, COORDINATE), view_of(own_x, COORDINATE),
                 out_seed, SHA256_BYTES);
}

static ERRFN check_mac(const struct soft_tpm *tpm, const uint8_t *seed, struct view mac, struct view sealed)
{
    uint8_t key[SHA256_BYTES];
    uint8_t expected[TPM_DIGEST_MAX_BYTES];
    size_t len;
    AUTO(buf) covered = NULL;
    TRY(buf_new(PUBLIC_MAX, &covered));
    TRY(buf_put(covered, sealed));
    TRY(buf_put(covered, view_of(tpm->ak_name, sizeof tpm->ak_name)));
    TRY(kdf_a(TPM_ALG_SHA256, view_of(seed, SHA256_BYTES), "INTEGRITY", VIEW_EMPTY, VIEW_EMPTY, key, sizeof key));
    TRY(kdf_hmac(TPM_ALG_SHA256, view_of(key, sizeof key), buf_view(covered), expected, &len));
    ENSURE(view_equal(mac, view_of(expected, len)), ACTIVATION_INVALID);
    return OK;
}

ERRFN soft_tpm_activate(const struct soft_tpm *tpm, struct view id_object, struct view encrypted_secret, struct buf *out_secret)
{
    uint8_t seed[SHA256_BYTES];
    uint8_t key[16];
    uint8_t plain[PUBLIC_MAX];
    static const uint8_t iv[16];
    uint16_t size;
    struct view mac;
    TRY(open_seed(tpm, encrypted_secret, seed));
    TRY(view_get_u16(&id_object, &size, E(ACTIVATION_INVALID)));
    TRY(view_get_u16(&id_object, &size, E(ACTIVATION_INVALID)));
    TRY(view_get_bytes(&id_object, size, &mac, E(ACTIVATION_INVALID)));
    ENSURE(id_object.len > 2 && id_object.len <= sizeof plain, ACTIVATION_INVALID);
    TRY(check_mac(tpm, seed, mac, id_object));
    TRY(kdf_a(TPM_ALG_SHA256, view_of(seed, sizeof seed), "STORAGE", view_of(tpm->ak_name, sizeof tpm->ak_name), VIEW_EMPTY, key,
              sizeof key));
    int len = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool opened = ctx && EVP_DecryptInit_ex2(ctx, EVP_aes_128_cfb128(), key, iv, NULL) == 1 &&
                  EVP_DecryptUpdate(ctx, plain, &len, id_object.data, (int)id_object.len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    ENSURE(opened, CRYPTO);
    return buf_put(out_secret, view_of(plain + 2, (size_t)len - 2));
}

static ERRFN put_attest(struct view nonce, uint32_t mask, struct buf *out)
{
    static const uint8_t zeros[24 * SHA256_BYTES];
    uint8_t digest[SHA256_BYTES];
    size_t pcrs = (size_t)__builtin_popcount(mask);
    TRY(sha256(view_of(zeros, pcrs * SHA256_BYTES), digest));
    TRY(buf_put_u32(out, 0xff544347)); /* TPM_GENERATED_VALUE */
    TRY(buf_put_u16(out, 0x8018));     /* TPM_ST_ATTEST_QUOTE */
    TRY(buf_put_u16(out, 0));          /* qualifiedSigner */
    TRY(buf_put_u16(out, (uint16_t)nonce.len));
    TRY(buf_put(out, nonce));
    TRY(buf_put_u64(out, 1000)); /* clock */
    TRY(buf_put_u32(out, 1));    /* resetCount */
    TRY(buf_put_u32(out, 0));    /* restartCount */
    TRY(buf_put_u8(out, 1));     /* safe */
    TRY(buf_put_u64(out, 1));    /* firmwareVersion */
    TRY(buf_put_u32(out, 1));
    TRY(buf_put_u16(out, TPM_ALG_SHA256));
    TRY(buf_put_u8(out, 3));
    TRY(buf_put_u8(out, (uint8_t)mask));
    TRY(buf_put_u8(out, (uint8_t)(mask >> 8)));
    TRY(buf_put_u8(out, (uint8_t)(mask >> 16)));
    TRY(buf_put_u16(out, sizeof digest));
    return buf_put(out, view_of(digest, sizeof digest));
}

static ERRFN put_integer(const BIGNUM *number, struct buf *out)
{
    uint8_t bytes[COORDINATE];
    ENSURE(BN_bn2binpad(number, bytes, sizeof bytes) == sizeof bytes, CRYPTO);
    TRY(buf_put_u16(out, sizeof bytes));
    return buf_put(out, view_of(bytes, sizeof bytes));
}

static ERRFN put_signature(const uint8_t *der, size_t len, struct buf *out)
{
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);
    ENSURE(signature, CRYPTO);
    err_t put = buf_put_u16(out, TPM_ALG_ECDSA);
    put = IS_OK(put) ? buf_put_u16(out, TPM_ALG_SHA256) : put;
    put = IS_OK(put) ? put_integer(ECDSA_SIG_get0_r(signature), out) : put;
    put = IS_OK(put) ? put_integer(ECDSA_SIG_get0_s(signature), out) : put;
    ECDSA_SIG_free(signature);
    return put;
}

ERRFN soft_tpm_quote(const struct soft_tpm *tpm, struct view nonce, uint32_t mask, struct buf *out_attest,
                     struct buf *out_signature)
{
    uint8_t der[80];
    size_t len = sizeof der;
    TRY(put_attest(nonce, mask, out_attest));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool signed_ = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, tpm->ak) == 1 &&
                   EVP_DigestSign(ctx, der, &len, out_attest->data, out_attest->len) == 1;
    EVP_MD_CTX_free(ctx);
    ENSURE(signed_, CRYPTO);
    return put_signature(der, len, out_signature);
}
