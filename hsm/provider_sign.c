#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "hsm/provider.h"
#include "hsm/provider_state.h"

AUTO_DEFINE(EVP_MD_CTX, EVP_MD_CTX, EVP_MD_CTX_free);

/* With the provider's own library context, where SHA-384 and the token's ECDSA both are. */
static ERRFN start(struct hsm_provider *p, EVP_PKEY *key, EVP_MD_CTX **out_ctx)
{
    AUTO(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
    ENSURE(ctx, NO_MEMORY);
    ENSURE(EVP_DigestSignInit_ex(ctx, NULL, "SHA2-384", p->context, NULL, key, NULL) == 1,
           TOKEN_FAILED);
    *out_ctx = STEAL(ctx);
    return OK;
}

static ERRFN sign_message(EVP_MD_CTX *ctx, struct view message, struct buf *out_der)
{
    uint8_t signature[HSM_SIGNATURE_MAX_BYTES];
    size_t len = sizeof signature;
    ENSURE(EVP_DigestSign(ctx, signature, &len, message.data, message.len) == 1, TOKEN_FAILED);
    return buf_put(out_der, view_of(signature, len));
}

ERRFN hsm_provider_sign_sha384(struct hsm_provider *p, EVP_PKEY *key, struct view message,
                               struct buf *out_der)
{
    AUTO(EVP_MD_CTX) ctx = NULL;
    TRY(start(p, key, &ctx));
    deadline_arm(p->deadline);
    err_t err = sign_message(ctx, message, out_der);
    deadline_disarm(p->deadline);
    ERR_clear_error();
    return err;
}

static ERRFN finish(struct hsm_provider *p, int signature_len)
{
    deadline_disarm(p->deadline);
    ERR_clear_error();
    ENSURE(signature_len > 0, TOKEN_FAILED);
    return OK;
}

ERRFN hsm_provider_sign_certificate(struct hsm_provider *p, EVP_PKEY *key, X509 *certificate)
{
    AUTO(EVP_MD_CTX) ctx = NULL;
    TRY(start(p, key, &ctx));
    deadline_arm(p->deadline);
    return finish(p, X509_sign_ctx(certificate, ctx));
}

ERRFN hsm_provider_sign_request(struct hsm_provider *p, EVP_PKEY *key, X509_REQ *request)
{
    AUTO(EVP_MD_CTX) ctx = NULL;
    TRY(start(p, key, &ctx));
    deadline_arm(p->deadline);
    return finish(p, X509_REQ_sign_ctx(request, ctx));
}

ERRFN hsm_provider_sign_crl(struct hsm_provider *p, EVP_PKEY *key, X509_CRL *crl)
{
    AUTO(EVP_MD_CTX) ctx = NULL;
    TRY(start(p, key, &ctx));
    deadline_arm(p->deadline);
    return finish(p, X509_CRL_sign_ctx(crl, ctx));
}
