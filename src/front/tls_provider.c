#include "front/tls_provider.h"

#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "front/tls_provider_parts.h"

#define PROVIDER_NAME "itl-keyless"

static const OSSL_ALGORITHM keys[] = {
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", "provider=" PROVIDER_NAME, tls_provider_key_functions,
     "P-384 key held elsewhere"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM signatures[] = {
    {"ECDSA", "provider=" PROVIDER_NAME, tls_provider_signature_functions, "ECDSA done elsewhere"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM *offer(void *provider, int operation, int *no_cache)
{
    (void)provider;
    *no_cache = 0;
    return operation == OSSL_OP_KEYMGMT ? keys : operation == OSSL_OP_SIGNATURE ? signatures : NULL;
}

static const OSSL_DISPATCH provider_functions[] = {
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, offer),
    {0, NULL},
};

static int start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
                 void **out_context)
{
    (void)in;
    *out = provider_functions;
    *out_context = (void *)(uintptr_t)handle;
    return 1;
}

ERRFN tls_provider_load(const struct tls_signer *tls_signer)
{
    tls_provider_set_signer(tls_signer);
    /* Loading any provider by name ends the automatic loading of the default one. It is loaded
     * first and preferred, so that ephemeral keys and certificate checks are its own. */
    ENSURE(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1, CRYPTO);
    ENSURE(OSSL_PROVIDER_load(NULL, "default"), CRYPTO);
    ENSURE(OSSL_PROVIDER_add_builtin(NULL, PROVIDER_NAME, start) == 1, CRYPTO);
    ENSURE(OSSL_PROVIDER_load(NULL, PROVIDER_NAME), CRYPTO);
    ENSURE(EVP_set_default_properties(NULL, "?provider=default") == 1, CRYPTO);
    return OK;
}

static ERRFN point_of(EVP_PKEY *public_key, uint8_t out_point[static TLS_PROVIDER_POINT_BYTES])
{
    char group[32];
    size_t len = 0;
    ENSURE(EVP_PKEY_is_a(public_key, "EC"), TLS_CERTIFICATE);
    ENSURE(EVP_PKEY_get_group_name(public_key, group, sizeof group, &len) == 1, TLS_CERTIFICATE);
    ENSURE(strcmp(group, TLS_PROVIDER_GROUP) == 0, TLS_CERTIFICATE);
    ENSURE(EVP_PKEY_get_octet_string_param(public_key, OSSL_PKEY_PARAM_PUB_KEY, out_point,
                                           TLS_PROVIDER_POINT_BYTES, &len) == 1 &&
               len == TLS_PROVIDER_POINT_BYTES,
           TLS_CERTIFICATE);
    return OK;
}

ERRFN tls_provider_key(EVP_PKEY *public_key, EVP_PKEY **out_key)
{
    uint8_t point[TLS_PROVIDER_POINT_BYTES];
    char group[] = TLS_PROVIDER_GROUP;
    err_t read = point_of(public_key, point);
    ERR_clear_error();
    TRY(read);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", "provider=" PROVIDER_NAME);
    EVP_PKEY *key = NULL;
    bool made = context && EVP_PKEY_fromdata_init(context) == 1 &&
                EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) == 1;
    EVP_PKEY_CTX_free(context);
    ENSURE(made, CRYPTO);
    *out_key = key;
    return OK;
}
