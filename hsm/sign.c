#include <string.h>

#include <openssl/ecdsa.h>

#include "hsm/rv.h"
#include "hsm/session.h"

enum { COORDINATE_BYTES = 48, RAW_SIGNATURE_BYTES = 2 * COORDINATE_BYTES };

struct sign_context {
    const uint8_t *digest;
    uint8_t raw[RAW_SIGNATURE_BYTES]; /* r, s, each padded to the curve's size */
    CK_ULONG raw_len;
};

static CK_RV sign_once(struct hsm_key *key, void *context)
{
    struct sign_context *c = context;
    struct hsm *h = key->hsm;
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_RV rv = h->module->C_SignInit(h->session, &mechanism, key->handle);
    if (rv != CKR_OK) {
        return rv;
    }
    c->raw_len = sizeof c->raw;
    return h->module->C_Sign(h->session, (uint8_t *)(uintptr_t)c->digest, HSM_DIGEST_BYTES, c->raw,
                             &c->raw_len);
}

static ERRFN append_der(const uint8_t raw[static RAW_SIGNATURE_BYTES], struct buf *out_der)
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, COORDINATE_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(raw + COORDINATE_BYTES, COORDINATE_BYTES, NULL);
    if (!signature || !r || !s || ECDSA_SIG_set0(signature, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(signature);
        return E(NO_MEMORY);
    }
    unsigned char *der = NULL;
    int len = i2d_ECDSA_SIG(signature, &der);
    ECDSA_SIG_free(signature);
    ENSURE(len > 0, CRYPTO);
    err_t err = buf_put(out_der, view_of(der, (size_t)len));
    OPENSSL_free(der);
    return err;
}

ERRFN hsm_sign_p384(struct hsm_key *key, const uint8_t digest[static HSM_DIGEST_BYTES],
                    struct buf *out_der)
{
    ENSURE(key->role != HSM_ROLE_VAULT, BUG);
    struct sign_context context = {.digest = digest};
    TRY(session_run(key, sign_once, &context));
    ENSURE(context.raw_len == RAW_SIGNATURE_BYTES, TOKEN_FAILED);
    return append_der(context.raw, out_der);
}
