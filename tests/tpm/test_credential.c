#include "area.h"
#include "cmocka_all.h"
#include "issue.h"

#include "tpm/ak.h"
#include "tpm/credential.h"

#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <string.h>

/* What a TPM does with the blob (TPM2_ActivateCredential), written down a second time with the
 * private key at hand. */
struct blob {
    struct view mac;
    struct view sealed;
    struct view secret;
};

static struct blob split(const struct buf *id_object, const struct buf *encrypted)
{
    struct blob b;
    struct view v = buf_view(id_object);
    uint16_t len;
    assert_ok(view_get_u16(&v, &len, E(BUG)));
    assert_int_equal(len, v.len);
    assert_ok(view_get_u16(&v, &len, E(BUG)));
    assert_ok(view_get_bytes(&v, len, &b.mac, E(BUG)));
    b.sealed = v;
    v = buf_view(encrypted);
    assert_ok(view_get_u16(&v, &len, E(BUG)));
    assert_int_equal(len, v.len);
    b.secret = v;
    return b;
}

static void seed_of_rsa(EVP_PKEY *key, const EVP_MD *md, struct view sealed, uint8_t *seed)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md), 1);
    assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_memdup("IDENTITY", 9), 9), 1);
    uint8_t plain[512];
    size_t len = sizeof plain;
    assert_int_equal(EVP_PKEY_decrypt(ctx, plain, &len, sealed.data, sealed.len), 1);
    assert_int_equal(len, EVP_MD_get_size(md));
    memcpy(seed, plain, len);
    EVP_PKEY_CTX_free(ctx);
}

static EVP_PKEY *peer_of(const char *group, struct view x, struct view y)
{
    uint8_t point[133] = {4};
    memcpy(point + 1, x.data, x.len);
    memcpy(point + 1 + x.len, y.data, y.len);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + x.len + y.len),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *peer = NULL;
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &peer, EVP_PKEY_PUBLIC_KEY, params), 1);
    EVP_PKEY_CTX_free(ctx);
    return peer;
}

/* SHA-x(0x00000001 || z || "IDENTITY\0" || ephemeral x || static x) */
static void seed_of_ecc(EVP_PKEY *key, const char *group, size_t width, const EVP_MD *md,
                        struct view point, uint8_t *seed)
{
    struct view x;
    struct view y;
    uint16_t len;
    assert_ok(view_get_u16(&point, &len, E(BUG)));
    assert_int_equal(len, width); /* leading zeros stay */
    assert_ok(view_get_bytes(&point, len, &x, E(BUG)));
    assert_ok(view_get_u16(&point, &len, E(BUG)));
    assert_int_equal(len, width);
    assert_ok(view_get_bytes(&point, len, &y, E(BUG)));
    assert_int_equal(point.len, 0);
    EVP_PKEY *peer = peer_of(group, x, y);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    uint8_t z[66];
    size_t z_len = sizeof z;
    assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
    assert_int_equal(EVP_PKEY_derive_set_peer(ctx, peer), 1);
    assert_int_equal(EVP_PKEY_derive(ctx, z, &z_len), 1);
    assert_int_equal(z_len, width);
    uint8_t public_point[133];
    size_t public_len;
    assert_int_equal(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, public_point,
                                                     sizeof public_point, &public_len),
                     1);
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    EVP_DigestInit_ex(hash, md, NULL);
    EVP_DigestUpdate(hash, "\0\0\0\1", 4);
    EVP_DigestUpdate(hash, z, z_len);
    EVP_DigestUpdate(hash, "IDENTITY", 9);
    EVP_DigestUpdate(hash, x.data, x.len);
    EVP_DigestUpdate(hash, public_point + 1, width);
    EVP_DigestFinal_ex(hash, seed, NULL);
    EVP_MD_CTX_free(hash);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
}

/* HMAC(seed, 0x00000001 || label || 0 || context || bits) */
static void derive(const EVP_MD *md, const uint8_t *seed, const char *label, struct view context,
                   uint32_t bits, uint8_t *out)
{
    AUTO(buf) in = NULL;
    assert_ok(buf_new(512, &in));
    assert_ok(buf_put_u32(in, 1));
    assert_ok(buf_put(in, view_of(label, strlen(label) + 1)));
    assert_ok(buf_put(in, context));
    assert_ok(buf_put_u32(in, bits));
    assert_non_null(HMAC(md, seed, EVP_MD_get_size(md), in->data, in->len, out, NULL));
}

/* False when the integrity check fails, as it does for another name. */
static bool open_blob(const EVP_MD *md, const uint8_t *seed, unsigned bits, struct view name,
                      const struct blob *b, uint8_t *out_secret, size_t *out_len)
{
    uint8_t key[64];
    uint8_t mac[64];
    derive(md, seed, "INTEGRITY", VIEW_EMPTY, (uint32_t)EVP_MD_get_size(md) * 8, key);
    AUTO(buf) covered = NULL;
    assert_ok(buf_new(512, &covered));
    assert_ok(buf_put(covered, b->sealed));
    assert_ok(buf_put(covered, name));
    assert_non_null(HMAC(md, key, EVP_MD_get_size(md), covered->data, covered->len, mac, NULL));
    if (!view_equal(view_of(mac, (size_t)EVP_MD_get_size(md)), b->mac)) {
        return false;
    }
    derive(md, seed, "STORAGE", name, bits, key);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    const uint8_t iv[16] = {0};
    uint8_t plain[128];
    int len = 0;
    EVP_DecryptInit_ex(ctx, bits == 256 ? EVP_aes_256_cfb128() : EVP_aes_128_cfb128(), NULL, key,
                       iv);
    EVP_DecryptUpdate(ctx, plain, &len, b->sealed.data, (int)b->sealed.len);
    EVP_CIPHER_CTX_free(ctx);
    assert_int_equal(plain[0] << 8 | plain[1], len - 2);
    memcpy(out_secret, plain + 2, (size_t)len - 2);
    *out_len = (size_t)len - 2;
    return true;
}

static const struct {
    const char *group; /* NULL for RSA */
    unsigned rsa_bits;
    size_t width;
} keys[] = {{NULL, 2048, 0},  {NULL, 3072, 0},  {NULL, 4096, 0},
            {"P-256", 0, 32}, {"P-384", 0, 48}, {"P-521", 0, 66}};

static const struct {
    uint16_t alg;
    const EVP_MD *(*md)(void);
} hashes[] = {
    {TPM_ALG_SHA256, EVP_sha256}, {TPM_ALG_SHA384, EVP_sha384}, {TPM_ALG_SHA512, EVP_sha512}};

static struct ek *ek_for(EVP_PKEY *key, uint16_t name_alg, uint16_t bits)
{
    struct area_spec spec = area_ek(key, name_alg, bits);
    AUTO(buf) area = area_tpm2b(&spec);
    struct ek *ek = NULL;
    assert_ok(ek_parse(buf_view(area), EK_SOURCE_PUB, &ek));
    return ek;
}

static void check_round_trip(EVP_PKEY *key, size_t k, size_t h, uint16_t bits, size_t secret_len)
{
    AUTO(ek) ek = ek_for(key, hashes[h].alg, bits);
    const EVP_MD *md = hashes[h].md();
    struct view name = view_of("\0\x0bthe name of the object", 24);
    uint8_t secret[64];
    memset(secret, 0xa5, sizeof secret);
    AUTO(buf) id_object = NULL;
    AUTO(buf) encrypted = NULL;
    assert_ok(buf_new(CREDENTIAL_ID_OBJECT_MAX_BYTES, &id_object));
    assert_ok(buf_new(CREDENTIAL_ENCRYPTED_SECRET_MAX_BYTES, &encrypted));
    assert_ok(credential_make(ek, name, view_of(secret, secret_len), id_object, encrypted));
    struct blob blob = split(id_object, encrypted);
    uint8_t seed[64];
    if (keys[k].group) {
        seed_of_ecc(key, keys[k].group, keys[k].width, md, blob.secret, seed);
    } else {
        seed_of_rsa(key, md, blob.secret, seed);
    }
    uint8_t opened[64];
    size_t len = 0;
    assert_true(open_blob(md, seed, bits, name, &blob, opened, &len));
    assert_int_equal(len, secret_len);
    assert_memory_equal(opened, secret, len);
    struct view other = view_of("\0\x0bthe name of another one", 25);
    assert_false(open_blob(md, seed, bits, other, &blob, opened, &len));
}

static void only_the_private_key_and_the_name_open_it(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        EVP_PKEY *key = keys[k].group ? issue_ec(keys[k].group) : issue_rsa(keys[k].rsa_bits);
        for (size_t h = 0; h < 3; h++) {
            check_round_trip(key, k, h, 128, 1);
            check_round_trip(key, k, h, 256, tpm_hash_size(hashes[h].alg));
        }
        EVP_PKEY_free(key);
    }
}

/* One in 256 coordinates and shared secrets begins with a zero, for P-521 every second one; all
 * must keep their length. */
static void leading_zeros_are_kept(void **state)
{
    (void)state;
    EVP_PKEY *key = issue_ec("P-521");
    for (size_t i = 0; i < 20; i++) {
        check_round_trip(key, 5, 2, 256, 32);
    }
    EVP_PKEY_free(key);
    key = issue_ec("P-256");
    for (size_t i = 0; i < 1500; i++) {
        check_round_trip(key, 3, 0, 128, 32);
    }
    EVP_PKEY_free(key);
}

static void two_credentials_share_nothing(void **state)
{
    (void)state;
    EVP_PKEY *key = issue_ec("P-256");
    AUTO(ek) ek = ek_for(key, TPM_ALG_SHA256, 128);
    struct buf *ids[2];
    struct buf *secrets[2];
    for (size_t i = 0; i < 2; i++) {
        assert_ok(buf_new(512, &ids[i]));
        assert_ok(buf_new(1024, &secrets[i]));
        assert_ok(credential_make(ek, view_text("name"), view_text("secret"), ids[i], secrets[i]));
    }
    assert_false(view_equal(buf_view(ids[0]), buf_view(ids[1])));
    assert_false(view_equal(buf_view(secrets[0]), buf_view(secrets[1])));
    for (size_t i = 0; i < 2; i++) {
        buf_free(ids[i]);
        buf_free(secrets[i]);
    }
    EVP_PKEY_free(key);
}

static void what_does_not_fit_is_refused_and_leaves_nothing(void **state)
{
    (void)state;
    EVP_PKEY *key = issue_ec("P-256");
    AUTO(ek) ek = ek_for(key, TPM_ALG_SHA256, 128);
    AUTO(buf) id_object = NULL;
    AUTO(buf) encrypted = NULL;
    AUTO(buf) tiny = NULL;
    uint8_t long_bytes[AK_NAME_MAX_BYTES + 1] = {1};
    assert_ok(buf_new(512, &id_object));
    assert_ok(buf_new(1024, &encrypted));
    assert_ok(buf_new(40, &tiny));
    assert_ok(buf_put_text(id_object, "before"));
    assert_ok(buf_put_text(encrypted, "before"));
    struct view name = view_text("name");
    struct view secret = view_text("secret");
    assert_err(credential_make(ek, name, view_of(long_bytes, 33), id_object, encrypted), TOO_LONG);
    assert_err(credential_make(ek, name, VIEW_EMPTY, id_object, encrypted), FIELD_INVALID);
    assert_err(credential_make(ek, VIEW_EMPTY, secret, id_object, encrypted), FIELD_INVALID);
    assert_err(
        credential_make(ek, view_of(long_bytes, sizeof long_bytes), secret, id_object, encrypted),
        TOO_LONG);
    assert_err(credential_make(ek, name, secret, tiny, encrypted), TOO_LONG);
    assert_err(credential_make(ek, name, secret, id_object, tiny), TOO_LONG);
    assert_true(view_is(buf_view(id_object), "before"));
    assert_true(view_is(buf_view(encrypted), "before"));
    assert_int_equal(tiny->len, 0);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_private_key_and_the_name_open_it),
        cmocka_unit_test(leading_zeros_are_kept),
        cmocka_unit_test(two_credentials_share_nothing),
        cmocka_unit_test(what_does_not_fit_is_refused_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
