/* The provider's key: a public point, which claims to be private. */
#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "front/tls_provider_parts.h"

static void *key_new(void *provider)
{
    (void)provider;
    return calloc(1, sizeof(struct tls_provider_key));
}

static void key_free(void *key)
{
    free(key);
}

static int key_has(const void *keydata, int selection)
{
    (void)selection; /* also the private part, or libssl would not use it */
    const struct tls_provider_key *key = keydata;
    return key && key->set;
}

static int key_match(const void *keydata1, const void *keydata2, int selection)
{
    (void)selection;
    const struct tls_provider_key *a = keydata1;
    const struct tls_provider_key *b = keydata2;
    return a->set && b->set && memcmp(a->point, b->point, TLS_PROVIDER_POINT_BYTES) == 0;
}

static int key_import(void *keydata, int selection, const OSSL_PARAM params[])
{
    (void)selection; /* public keys come in when libcrypto compares with a certificate */
    struct tls_provider_key *key = keydata;
    const OSSL_PARAM *group = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_GROUP_NAME);
    const OSSL_PARAM *point = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PUB_KEY);
    const char *name = NULL;
    const void *bytes = NULL;
    size_t len = 0;
    if (!group || !point || !OSSL_PARAM_get_utf8_string_ptr(group, &name) ||
        strcmp(name, TLS_PROVIDER_GROUP) != 0 ||
        !OSSL_PARAM_get_octet_string_ptr(point, &bytes, &len) || len != TLS_PROVIDER_POINT_BYTES) {
        return 0;
    }
    memcpy(key->point, bytes, TLS_PROVIDER_POINT_BYTES);
    key->set = true;
    return 1;
}

/* A private part would be copied into the default provider, which then signs with nothing; so
 * there is none to export. */
static int key_export(void *keydata, int selection, OSSL_CALLBACK *give, void *give_context)
{
    struct tls_provider_key *key = keydata;
    if (!key->set || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY)) {
        return 0;
    }
    char group[] = TLS_PROVIDER_GROUP;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, key->point,
                                          TLS_PROVIDER_POINT_BYTES),
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
    return set_int(params, OSSL_PKEY_PARAM_BITS, 384) &&
           set_int(params, OSSL_PKEY_PARAM_SECURITY_BITS, 192) &&
           set_int(params, OSSL_PKEY_PARAM_MAX_SIZE, TLS_PROVIDER_SIGNATURE_MAX_BYTES) &&
           (!group || OSSL_PARAM_set_utf8_string(group, TLS_PROVIDER_GROUP));
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

const OSSL_DISPATCH tls_provider_key_functions[] = {
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_NEW, key_new),
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_FREE, key_free),
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_HAS, key_has),
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, key_match),
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, key_import),
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_types),
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, key_export),
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_types),
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable),
    TLS_PROVIDER_FUNCTION(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, key_operation_name),
    {0, NULL},
};
