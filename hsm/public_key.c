#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include "hsm/session.h"

ERRFN hsm_public_key(const struct hsm_key *key, EVP_PKEY **out_key)
{
    ENSURE(key->role != HSM_ROLE_VAULT, BUG);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char[]){"P-384"}, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)key->point,
                                          P384_POINT_BYTES),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *made = NULL;
    bool done = ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
                EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_PUBLIC_KEY, params) == 1;
    EVP_PKEY_CTX_free(ctx);
    ENSURE(done, CRYPTO);
    *out_key = made;
    return OK;
}

ERRFN hsm_public_key_der(const struct hsm_key *key, struct buf *out_spki)
{
    EVP_PKEY *public_key = NULL;
    TRY(hsm_public_key(key, &public_key));
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(public_key, &der);
    EVP_PKEY_free(public_key);
    ENSURE(len > 0, CRYPTO);
    err_t err = buf_put(out_spki, view_of(der, (size_t)len));
    OPENSSL_free(der);
    return err;
}
