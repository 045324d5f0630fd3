#include "tpm/quote.h"

#include "tpm/signature_form.h"
#include "tpm/spki.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

AUTO_DEFINE(md_ctx, EVP_MD_CTX, EVP_MD_CTX_free);
AUTO_DEFINE(ecdsa_sig, ECDSA_SIG, ECDSA_SIG_free);

static bool scheme_accepted(uint16_t scheme, bool rsa)
{
    return rsa ? scheme == TPM_ALG_RSASSA || scheme == TPM_ALG_RSAPSS : scheme == TPM_ALG_ECDSA;
}

/* A signature that says what it is must say what the AK is; the AK's own scheme and hash decide,
 * not the sender. */
static ERRFN check_claim(const struct signature_form *sig, uint16_t scheme, uint16_t hash_alg)
{
    if (sig->scheme == TPM_ALG_NONE) {
        return OK;
    }
    ENSURE(scheme_accepted(sig->scheme, true) || scheme_accepted(sig->scheme, false), QUOTE_SCHEME);
    ENSURE(tpm_hash_md(sig->hash_alg), QUOTE_HASH);
    ENSURE(sig->scheme == scheme && sig->hash_alg == hash_alg, QUOTE_SIGNATURE);
    return OK;
}

static ERRFN ecdsa_to_der(const struct signature_form *sig, uint8_t *out_der, size_t size,
                          size_t *out_len)
{
    AUTO(ecdsa_sig) made = ECDSA_SIG_new();
    ENSURE(made, NO_MEMORY);
    BIGNUM *r = BN_bin2bn(sig->r.data, (int)sig->r.len, NULL);
    BIGNUM *s = BN_bin2bn(sig->s.data, (int)sig->s.len, NULL);
    if (!r || !s || ECDSA_SIG_set0(made, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return E(NO_MEMORY);
    }
    int len = i2d_ECDSA_SIG(made, NULL);
    ENSURE(len > 0 && (size_t)len <= size, BUG);
    ENSURE(i2d_ECDSA_SIG(made, &out_der) == len, CRYPTO);
    *out_len = (size_t)len;
    return OK;
}

/* TPMs salt RSAPSS with as many bytes as the digest has, or with as many as fit (Part 1 annex B.7),
 * so any length is taken. */
static ERRFN set_padding(EVP_PKEY_CTX *ctx, uint16_t scheme)
{
    int padding = scheme == TPM_ALG_RSAPSS ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    ENSURE(EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1, CRYPTO);
    if (scheme == TPM_ALG_RSAPSS) {
        ENSURE(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_AUTO) == 1, CRYPTO);
    }
    return OK;
}

static ERRFN verify(EVP_PKEY *key, uint16_t scheme, const EVP_MD *hash, struct view attest,
                    struct view signature)
{
    AUTO(md_ctx) ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx = NULL; /* ctx owns it */
    ENSURE(ctx, NO_MEMORY);
    ENSURE(EVP_DigestVerifyInit(ctx, &key_ctx, hash, NULL, key) == 1, CRYPTO);
    if (scheme != TPM_ALG_ECDSA) {
        TRY(set_padding(key_ctx, scheme));
    }
    ENSURE(EVP_DigestVerify(ctx, signature.data, signature.len, attest.data, attest.len) == 1,
           QUOTE_SIGNATURE);
    return OK;
}

/* In whichever form the numbers are. */
static ERRFN verify_form(EVP_PKEY *key, uint16_t scheme, const EVP_MD *hash, struct view attest,
                         const struct signature_form *sig)
{
    ENSURE(!sig->foreign, QUOTE_SIGNATURE);
    if (sig->rsa.len > 0 || sig->der.len > 0) {
        return verify(key, scheme, hash, attest, sig->rsa.len > 0 ? sig->rsa : sig->der);
    }
    ENSURE(scheme == TPM_ALG_ECDSA, QUOTE_SIGNATURE);
    uint8_t der[2 * TPM_ECC_MAX_BYTES + 16];
    size_t len = 0;
    TRY(ecdsa_to_der(sig, der, sizeof der, &len));
    return verify(key, scheme, hash, attest, view_of(der, len));
}

static ERRFN check(EVP_PKEY *key, uint16_t scheme, uint16_t hash_alg, struct view attest,
                   struct view signature)
{
    struct signature_form sig;
    size_t offset;
    TRY(signature_form_read(signature, key, &sig, &offset));
    TRY(check_claim(&sig, scheme, hash_alg));
    ENSURE(tpm_hash_md(hash_alg), QUOTE_HASH);
    ENSURE(scheme_accepted(scheme, EVP_PKEY_is_a(key, "RSA")), QUOTE_SIGNATURE);
    return verify_form(key, scheme, tpm_hash_md(hash_alg), attest, &sig);
}

ERRFN quote_check_signature_key(EVP_PKEY *key, uint16_t scheme, uint16_t hash_alg,
                                struct view attest, struct view signature)
{
    ERR_set_mark();
    err_t checked = check(key, scheme, hash_alg, attest, signature);
    ERR_pop_to_mark();
    return checked;
}

ERRFN quote_check_signature(const struct ak *ak, struct view attest, struct view signature)
{
    return quote_check_signature_key(ak->key, ak->scheme, ak->hash_alg, attest, signature);
}

ERRFN quote_signature_claim(struct view signature, const EVP_PKEY *key, uint16_t *out_scheme,
                            uint16_t *out_hash_alg, size_t *out_offset)
{
    struct signature_form sig;
    ERR_set_mark();
    err_t read = signature_form_read(signature, key, &sig, out_offset);
    ERR_pop_to_mark();
    TRY(read);
    *out_scheme = sig.scheme;
    *out_hash_alg = sig.hash_alg;
    return OK;
}

bool quote_signature_is_sha1(EVP_PKEY *key, struct view attest, struct view signature)
{
    struct signature_form sig;
    size_t offset;
    uint16_t scheme = EVP_PKEY_is_a(key, "RSA") ? TPM_ALG_RSASSA : TPM_ALG_ECDSA;
    ERR_set_mark();
    err_t checked = signature_form_read(signature, key, &sig, &offset);
    checked = IS_OK(checked) ? verify_form(key, scheme, EVP_sha1(), attest, &sig) : checked;
    ERR_pop_to_mark();
    return IS_OK(checked);
}
