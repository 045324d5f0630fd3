#include "pki/wrap.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/random.h"
#include "base/secret.h"
#include "pki/x509_parts.h"

enum { OAEP_OVERHEAD_BYTES = 2 * 32 + 2 /* RFC 8017 section 7.1.1 with SHA-256 */ };

AUTO_DEFINE(EVP_PKEY_CTX, EVP_PKEY_CTX, EVP_PKEY_CTX_free);

void wrapped_key_clear(struct wrapped_key *wrapped)
{
    buf_free(STEAL(wrapped->ciphertext));
    buf_free(STEAL(wrapped->wrapped_key));
}

/* The text's own memory is wiped before it is freed. */
static ERRFN write_pem(EVP_PKEY *key, struct secret **out_text)
{
    AUTO(BIO) bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    ENSURE(bio, NO_MEMORY);
    bool written = PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
    long len = BIO_get_mem_data(bio, &text);
    err_t copied = written && len > 0 && len <= WRAP_TEXT_MAX_BYTES ? secret_copy(view_of(text, (size_t)len), out_text) : E(CRYPTO);
    if (len > 0) {
        bytes_wipe(text, (size_t)len);
    }
    return copied;
}

static ERRFN oaep(EVP_PKEY *key, struct view plaintext, struct buf **out_ciphertext)
{
    AUTO(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new(key, NULL);
    AUTO(buf) ciphertext = NULL;
    uint8_t bytes[WRAP_RSA_MAX_BYTES];
    size_t len = sizeof bytes;
    bool done = ctx && EVP_PKEY_encrypt_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
                EVP_PKEY_encrypt(ctx, bytes, &len, plaintext.data, plaintext.len) == 1;
    ERR_clear_error();
    ENSURE(done, CRYPTO);
    TRY(buf_copy(view_of(bytes, len), &ciphertext));
    *out_ciphertext = STEAL(ciphertext);
    return OK;
}

static ERRFN hybrid(EVP_PKEY *key, struct view text, struct wrapped_key *out)
{
    AUTO(secret) aes = NULL;
    uint8_t tag[GCM_TAG_BYTES];
    TRY(secret_random(GCM_KEY_BYTES, &aes));
    random_bytes(out->iv, sizeof out->iv);
    TRY(buf_new(WRAP_TEXT_MAX_BYTES + GCM_TAG_BYTES, &out->ciphertext));
    TRY(gcm_seal(secret_view(aes), view_of(out->iv, sizeof out->iv), VIEW_EMPTY, text, out->ciphertext, tag));
    TRY(buf_put(out->ciphertext, view_of(tag, sizeof tag)));
    return oaep(key, secret_view(aes), &out->wrapped_key);
}

static ERRFN take_public(EVP_PKEY *key, struct buf **out_spki)
{
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    ENSURE(len > 0, CRYPTO);
    err_t copied = buf_copy(view_of(der, (size_t)len), out_spki);
    OPENSSL_free(der);
    return copied;
}

ERRFN wrapped_key_make(EVP_PKEY *wrapping_key, struct buf **out_spki, struct wrapped_key *out_wrapped)
{
    AUTO(EVP_PKEY) key = EVP_EC_gen("P-384");
    AUTO(secret) text = NULL;
    struct wrapped_key wrapped = {0};
    ENSURE(key, CRYPTO);
    TRY(write_pem(key, &text));
    bool fits = text->len + OAEP_OVERHEAD_BYTES <= (size_t)EVP_PKEY_get_size(wrapping_key);
    err_t done = fits ? oaep(wrapping_key, secret_view(text), &wrapped.ciphertext) : hybrid(wrapping_key, secret_view(text), &wrapped);
    done = IS_OK(done) ? take_public(key, out_spki) : done;
    if (!IS_OK(done)) {
        wrapped_key_clear(&wrapped);
        return done;
    }
    *out_wrapped = wrapped;
    return OK;
}
