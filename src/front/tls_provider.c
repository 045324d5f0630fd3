#include "front/tls_provider.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#define PROVIDER_NAME "itl-keyless"
#define GROUP         "secp384r1"

enum {
    POINT_BYTES = 97, /* uncompressed point of P-384 (SEC 1 section 2.3.3) */
    SIGNATURE_MAX_BYTES = 104
};

/* OpenSSL gives a built-in provider no argument of its caller's. */
static struct tls_signer signer;

/* -- the key: a public point, which claims to be private -------------------------------------------------------- */

struct key {
    uint8_t point[POINT_BYTES];
    bool set;
};

static void *key_new(void *provider)
{
    (void)provider;
    return calloc(1, sizeof(struct key));
}

static void key_free(void *key)
{
    free(key);
}

static int key_has(const void *keydata, int selection)
{
    (void)selection; /* also the private part, or libssl would not use it */
    const struct key *key = keydata;
    return key && key->set;
}

static int key_match(const void *keydata1, const void *keydata2, int selection)
{
    (void)selection;
    const struct key *a = keydata1;
    const struct key *b = keydata2;
    return a->set && b->set && memcmp(a->point, b->point, POINT_BYTES) == 0;
}

static int key_import(void *keydata, int selection, const OSSL_PARAM params[])
{
    (void)selection; /* public keys come in when libcrypto compares with a certificate */
    struct key *key = keydata;
    const OSSL_PARAM *group = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_GROUP_NAME);
    const OSSL_PARAM *point = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PUB_KEY);
    const char *name = NULL;
    const void *bytes = NULL;
    size_t len = 0;
    if (!group || !point || !OSSL_PARAM_get_utf8_string_ptr(group, &name) || strcmp(name, GROUP) != 0 ||
        !OSSL_PARAM_get_octet_string_ptr(point, &bytes, &len) || len != POINT_BYTES) {
        return 0;
    }
    memcpy(key->point, bytes, POINT_BYTES);
    key->set = true;
    return 1;
}

/* A private part would be copied into the default provider, which then signs with nothing; so there is none to export. */
static int key_export(void *keydata, int selection, OSSL_CALLBACK *give, void *give_context)
{
    struct key *key = keydata;
    if (!key->set || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY)) {
        return 0;
    }
    char group[] = GROUP;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, key->point, POINT_BYTES),
        OSSL_PARAM_construct_end(),
    };
    return give(params, give_context);
}

static const OSSL_PARAM *key_types(int selection)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)selection;
    return types;
}

static int set_int(OSSL_PARAM params[], const char *name, int value)
{
    OSSL_PARAM *p = OSSL_PARAM_locate(params, name);
    return !p || OSSL_PARAM_set_int(p, value);
}

static int key_get_params(void *keydata, OSSL_PARAM params[])
{
    (void)keydata;
    OSSL_PARAM *group = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_GROUP_NAME);
    return set_int(params, OSSL_PKEY_PARAM_BITS, 384) && set_int(params, OSSL_PKEY_PARAM_SECURITY_BITS, 192) &&
           set_int(params, OSSL_PKEY_PARAM_MAX_SIZE, SIGNATURE_MAX_BYTES) &&
           (!group || OSSL_PARAM_set_utf8_string(group, GROUP));
}

static const OSSL_PARAM *key_gettable(void *provider)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)provider;
    return gettable;
}

static const char *key_operation_name(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

/* -- the signature: one shot over the whole content, SHA-384 only ------------------------------------------------ */

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

static int signature_init(void *context, const char *digest, void *keydata, const OSSL_PARAM params[])
{
    (void)context;
    (void)params;
    const struct key *key = keydata;
    bool sha384 = digest && (OPENSSL_strcasecmp(digest, "SHA384") == 0 || OPENSSL_strcasecmp(digest, "SHA2-384") == 0);
    return key && key->set && sha384;
}

static int signature_sign(void *context, unsigned char *out, size_t *out_len, size_t size, const unsigned char *content,
                          size_t content_len)
{
    (void)context;
    if (!out) {
        *out_len = SIGNATURE_MAX_BYTES;
        return 1;
    }
    AUTO(buf) signature = NULL;
    if (!IS_OK(buf_new(SIGNATURE_MAX_BYTES, &signature)) ||
        !IS_OK(signer.sign(signer.context, view_of(content, content_len), signature)) || signature->len > size) {
        return 0;
    }
    memcpy(out, signature->data, signature->len);
    *out_len = signature->len;
    return 1;
}

/* -- what the provider offers ------------------------------------------------------------------------------------- */

#define FUNCTION(id, function) {id, (void (*)(void))(function)}

static const OSSL_DISPATCH key_functions[] = {
    FUNCTION(OSSL_FUNC_KEYMGMT_NEW, key_new),
    FUNCTION(OSSL_FUNC_KEYMGMT_FREE, key_free),
    FUNCTION(OSSL_FUNC_KEYMGMT_HAS, key_has),
    FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, key_match),
    FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, key_import),
    FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_types),
    FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, key_export),
    FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_types),
    FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),
    FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable),
    FUNCTION(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, key_operation_name),
    {0, NULL},
};

static const OSSL_DISPATCH signature_functions[] = {
    FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, signature_new),
    FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, signature_free),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, signature_init),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, signature_sign),
    {0, NULL},
};

static const OSSL_ALGORITHM keys[] = {
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", "provider=" PROVIDER_NAME, key_functions, "P-384 key held elsewhere"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM signatures[] = {
    {"ECDSA", "provider=" PROVIDER_NAME, signature_functions, "ECDSA done elsewhere"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM *offer(void *provider, int operation, int *no_cache)
{
    (void)provider;
    *no_cache = 0;
    return operation == OSSL_OP_KEYMGMT ? keys : operation == OSSL_OP_SIGNATURE ? signatures : NULL;
}

static const OSSL_DISPATCH provider_functions[] = {
    FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, offer),
    {0, NULL},
};

static int start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **out_context)
{
    (void)in;
    *out = provider_functions;
    *out_context = (void *)(uintptr_t)handle;
    return 1;
}

ERRFN tls_provider_load(const struct tls_signer *tls_signer)
{
    signer = *tls_signer;
    /* Loading any provider by name ends the automatic loading of the default one. It is loaded first and preferred, so that ephemeral
     * keys and certificate checks are its own. */
    ENSURE(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1, CRYPTO);
    ENSURE(OSSL_PROVIDER_load(NULL, "default"), CRYPTO);
    ENSURE(OSSL_PROVIDER_add_builtin(NULL, PROVIDER_NAME, start) == 1, CRYPTO);
    ENSURE(OSSL_PROVIDER_load(NULL, PROVIDER_NAME), CRYPTO);
    ENSURE(EVP_set_default_properties(NULL, "?provider=default") == 1, CRYPTO);
    return OK;
}

static ERRFN point_of(EVP_PKEY *public_key, uint8_t out_point[static POINT_BYTES])
{
    char group[32];
    size_t len = 0;
    ENSURE(EVP_PKEY_is_a(public_key, "EC"), TLS_CERTIFICATE);
    ENSURE(EVP_PKEY_get_group_name(public_key, group, sizeof group, &len) == 1, TLS_CERTIFICATE);
    ENSURE(strcmp(group, GROUP) == 0, TLS_CERTIFICATE);
    ENSURE(EVP_PKEY_get_octet_string_param(public_key, OSSL_PKEY_PARAM_PUB_KEY, out_point, POINT_BYTES, &len) == 1 &&
               len == POINT_BYTES,
           TLS_CERTIFICATE);
    return OK;
}

ERRFN tls_provider_key(EVP_PKEY *public_key, EVP_PKEY **out_key)
{
    uint8_t point[POINT_BYTES];
    char group[] = GROUP;
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
