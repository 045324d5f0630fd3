/* The provider's signature: one shot over the whole content, SHA-384 only. */
#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include "front/tls_provider_parts.h"

/* OpenSSL gives a built-in provider no argument of its caller's. */
static struct tls_signer signer;

void tls_provider_set_signer(const struct tls_signer *tls_signer)
{
    signer = *tls_signer;
}

static void *signature_new(void *provider, const char *properties)
{
    (void)provider;
    (void)properties;
    return calloc(1, 1); /* nothing to keep, but NULL would mean failure */
}

static void signature_free(void *context)
{
    free(context);
}

static int signature_init(void *context, const char *digest, void *keydata,
                          const OSSL_PARAM params[])
{
    (void)context;
    (void)params;
    const struct tls_provider_key *key = keydata;
    bool sha384 = digest && (OPENSSL_strcasecmp(digest, "SHA384") == 0 ||
                             OPENSSL_strcasecmp(digest, "SHA2-384") == 0);
    return key && key->set && sha384;
}

static int signature_sign(void *context, unsigned char *out, size_t *out_len, size_t size,
                          const unsigned char *content, size_t content_len)
{
    (void)context;
    if (!out) {
        *out_len = TLS_PROVIDER_SIGNATURE_MAX_BYTES;
        return 1;
    }
    AUTO(buf) signature = NULL;
    if (!IS_OK(buf_new(TLS_PROVIDER_SIGNATURE_MAX_BYTES, &signature)) ||
        !IS_OK(signer.sign(signer.context, view_of(content, content_len), signature)) ||
        signature->len > size) {
        return 0;
    }
    memcpy(out, signature->data, signature->len);
    *out_len = signature->len;
    return 1;
}

const OSSL_DISPATCH tls_provider_signature_functions[] = {
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, signature_new),
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, signature_free),
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, signature_init),
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, signature_sign),
    {0, NULL},
};
