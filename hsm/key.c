#include <string.h>

#include <openssl/evp.h>

#include "base/random.h"
#include "hsm/rv.h"
#include "hsm/session.h"

enum { OBJECTS_MAX = 2, EC_POINT_MAX_BYTES = P384_POINT_BYTES + 2 /* a DER OCTET STRING's head */ };

/* Exactly one token object of this class and label. */
static ERRFN find_one(struct hsm *h, CK_OBJECT_CLASS class, const char *label,
                      CK_OBJECT_HANDLE *out_handle)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE wanted[] = {
        {CKA_CLASS, &class, sizeof class},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)},
    };
    CK_OBJECT_HANDLE found[OBJECTS_MAX];
    CK_ULONG count = 0;
    TRY(rv_err(h->module->C_FindObjectsInit(h->session, wanted, sizeof wanted / sizeof *wanted)));
    CK_RV rv = h->module->C_FindObjects(h->session, found, OBJECTS_MAX, &count);
    h->module->C_FindObjectsFinal(h->session);
    TRY(rv_err(rv));
    ENSURE(count != 0, TOKEN_KEY_MISSING);
    ENSURE(count == 1, TOKEN_KEY_AMBIGUOUS);
    *out_handle = found[0];
    return OK;
}

/* An attribute that the token does not know is absent. */
static bool read_attribute(struct hsm *h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                           void *out_value, size_t max, size_t *out_len)
{
    CK_ATTRIBUTE attribute = {type, out_value, max};
    if (h->module->C_GetAttributeValue(h->session, object, &attribute, 1) != CKR_OK ||
        attribute.ulValueLen > max) {
        return false;
    }
    *out_len = attribute.ulValueLen;
    return true;
}

static bool is_set(struct hsm *h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, CK_BBOOL wanted)
{
    CK_BBOOL value = CK_FALSE;
    size_t len = 0;
    return read_attribute(h, object, type, &value, sizeof value, &len) && len == sizeof value &&
           (value != CK_FALSE) == (wanted != CK_FALSE);
}

static ERRFN check_confined(struct hsm *h, CK_OBJECT_HANDLE object)
{
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        CK_BBOOL wanted;
    } rows[] = {
        {CKA_PRIVATE, CK_TRUE},           {CKA_SENSITIVE, CK_TRUE},
        {CKA_ALWAYS_SENSITIVE, CK_TRUE},  {CKA_EXTRACTABLE, CK_FALSE},
        {CKA_NEVER_EXTRACTABLE, CK_TRUE}, {CKA_LOCAL, CK_TRUE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ENSURE(is_set(h, object, rows[i].type, rows[i].wanted), TOKEN_KEY_EXTRACTABLE);
    }
    return OK;
}

static ERRFN check_usage(struct hsm *h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE allowed)
{
    static const CK_ATTRIBUTE_TYPE usages[] = {CKA_ENCRYPT,      CKA_DECRYPT, CKA_SIGN,
                                               CKA_SIGN_RECOVER, CKA_VERIFY,  CKA_WRAP,
                                               CKA_UNWRAP,       CKA_DERIVE};
    for (size_t i = 0; i < sizeof usages / sizeof *usages; i++) {
        bool can = is_set(h, object, usages[i], CK_TRUE);
        ENSURE(can == (usages[i] == allowed), TOKEN_KEY_USAGE);
    }
    return OK;
}

static ERRFN check_type(struct hsm *h, CK_OBJECT_HANDLE object, const struct role_shape *shape)
{
    CK_KEY_TYPE type = 0;
    size_t len = 0;
    ENSURE(read_attribute(h, object, CKA_KEY_TYPE, &type, sizeof type, &len) && len == sizeof type,
           TOKEN_KEY_TYPE);
    ENSURE(type == shape->type, TOKEN_KEY_TYPE);
    if (type == CKK_AES) {
        CK_ULONG bytes = 0;
        ENSURE(read_attribute(h, object, CKA_VALUE_LEN, &bytes, sizeof bytes, &len) &&
                   bytes == AES256_BYTES,
               TOKEN_KEY_TYPE);
        return OK;
    }
    uint8_t params[16]; /* a named curve's identifier is shorter; explicit parameters are refused */
    ENSURE(read_attribute(h, object, CKA_EC_PARAMS, params, sizeof params, &len), TOKEN_KEY_TYPE);
    ENSURE(view_equal(view_of(params, len), role_p384_params()), TOKEN_KEY_TYPE);
    return OK;
}

/* CKA_EC_POINT is a DER OCTET STRING (PKCS#11 v2.40 current mechanisms 2.3.3); some tokens leave
 * its head out. */
static ERRFN read_point(struct hsm *h, CK_OBJECT_HANDLE public_object,
                        uint8_t out_point[static P384_POINT_BYTES])
{
    uint8_t value[EC_POINT_MAX_BYTES];
    size_t len = 0;
    ENSURE(read_attribute(h, public_object, CKA_EC_POINT, value, sizeof value, &len),
           TOKEN_KEY_TYPE);
    const uint8_t *point = value;
    if (len == EC_POINT_MAX_BYTES && value[0] == 0x04 && value[1] == P384_POINT_BYTES) {
        point += 2;
        len -= 2;
    }
    ENSURE(len == P384_POINT_BYTES && point[0] == 0x04, TOKEN_KEY_TYPE);
    memcpy(out_point, point, P384_POINT_BYTES);
    return OK;
}

ERRFN key_load(struct hsm *h, enum hsm_role role, struct hsm_key *out_key)
{
    const struct role_shape *shape = role_shape(role);
    ENSURE(shape, BUG);
    struct hsm_key key = {.hsm = h, .role = role};
    TRY(find_one(h, shape->class, shape->label, &key.handle));
    TRY(check_type(h, key.handle, shape));
    TRY(check_confined(h, key.handle));
    TRY(check_usage(h, key.handle, shape->usage));
    if (shape->class == CKO_PRIVATE_KEY) {
        CK_OBJECT_HANDLE public_object;
        TRY(find_one(h, CKO_PUBLIC_KEY, shape->label, &public_object));
        TRY(check_type(h, public_object, shape));
        TRY(read_point(h, public_object, key.point));
    }
    *out_key = key;
    return OK;
}

/* The public object is not protected by the token; a signature shows that it belongs to the private
 * one. */
static ERRFN prove_signing_pair(struct hsm_key *key)
{
    uint8_t digest[HSM_DIGEST_BYTES];
    random_bytes(digest, sizeof digest);
    AUTO(buf) signature = NULL;
    TRY(buf_new(HSM_SIGNATURE_MAX_BYTES, &signature));
    TRY(hsm_sign_p384(key, digest, signature));
    EVP_PKEY *public_key = NULL;
    TRY(hsm_public_key(key, &public_key));
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(public_key, NULL);
    bool good = ctx && EVP_PKEY_verify_init(ctx) == 1 &&
                EVP_PKEY_verify(ctx, signature->data, signature->len, digest, sizeof digest) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(public_key);
    ENSURE(good, TOKEN_KEY_TYPE);
    return OK;
}

static ERRFN prove_vault(struct hsm_key *key)
{
    AUTO(buf) sealed = NULL;
    AUTO(secret) opened = NULL;
    TRY(buf_new(HSM_SEAL_OVERHEAD_BYTES + 1, &sealed));
    TRY(hsm_seal(key, VIEW_EMPTY, view_text("?"), sealed));
    return hsm_open_sealed(key, VIEW_EMPTY, buf_view(sealed), &opened);
}

ERRFN hsm_key_find(struct hsm *h, enum hsm_role role, struct hsm_key **out_key)
{
    ENSURE(role_shape(role), BUG);
    struct hsm_key *key = &h->keys[role];
    if (key->handle == 0) {
        deadline_arm(h->deadline);
        err_t err = key_load(h, role, key);
        deadline_disarm(h->deadline);
        TRY(err);
        err = role == HSM_ROLE_VAULT ? prove_vault(key) : prove_signing_pair(key);
        if (!IS_OK(err)) {
            key->handle = 0;
            return err;
        }
    }
    *out_key = key;
    return OK;
}
