#include "hsm/ceremony.h"

#include <string.h>

#include "base/random.h"
#include "hsm/module.h"
#include "hsm/rv.h"
#include "hsm/session.h"

enum { KEY_ID_BYTES = 16, TEMPLATE_MAX = 20 };

struct template
{
    CK_ATTRIBUTE rows[TEMPLATE_MAX];
    CK_ULONG count;
};

static void add(struct template *t, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
    t->rows[t->count++] = (CK_ATTRIBUTE){type, (void *)(uintptr_t)value, len};
}

static void add_flag(struct template *t, CK_ATTRIBUTE_TYPE type, bool on)
{
    static const CK_BBOOL yes = CK_TRUE;
    static const CK_BBOOL no = CK_FALSE;
    add(t, type, on ? &yes : &no, sizeof yes);
}

ERRFN hsm_token_exists(const struct hsm_settings *settings, bool *out_exists)
{
    ENSURE(settings->token_label && strlen(settings->token_label) <= TOKEN_LABEL_BYTES,
           CONFIG_INVALID);
    CK_FUNCTION_LIST *module = NULL;
    TRY(module_open(settings->module, &module));
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
    err_t err = module_find_token(module, settings->token_label, &slot, &info);
    module_close(module);
    if (IS_E(err, TOKEN_ABSENT)) {
        *out_exists = false;
        return OK;
    }
    TRY(err);
    *out_exists = true;
    return OK;
}

static ERRFN set_user_pin(CK_FUNCTION_LIST *module, CK_SLOT_ID slot, struct view so_pin,
                          struct view pin)
{
    CK_SESSION_HANDLE session;
    TRY(rv_err(
        module->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session)));
    CK_RV rv = module->C_Login(session, CKU_SO, (uint8_t *)(uintptr_t)so_pin.data, so_pin.len);
    if (rv == CKR_OK) {
        rv = module->C_InitPIN(session, (uint8_t *)(uintptr_t)pin.data, pin.len);
        module->C_Logout(session);
    }
    module->C_CloseSession(session);
    return rv_err(rv);
}

static ERRFN initialise_free_slot(CK_FUNCTION_LIST *module, const struct hsm_settings *settings,
                                  struct view so_pin)
{
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
    err_t err = module_find_token(module, settings->token_label, &slot, &info);
    ENSURE(!IS_OK(err), TOKEN_EXISTS);
    if (!IS_E(err, TOKEN_ABSENT)) {
        return err;
    }
    TRY(module_find_free(module, &slot));
    uint8_t label[TOKEN_LABEL_BYTES];
    memset(label, ' ', sizeof label);
    memcpy(label, settings->token_label, strlen(settings->token_label));
    TRY(rv_err(module->C_InitToken(slot, (uint8_t *)(uintptr_t)so_pin.data, so_pin.len, label)));
    TRY(module_find_token(module, settings->token_label, &slot,
                          &info)); /* SoftHSM gives it another slot number */
    return set_user_pin(module, slot, so_pin, settings->pin);
}

ERRFN hsm_token_create(const struct hsm_settings *settings, struct view so_pin)
{
    ENSURE(settings->token_label && strlen(settings->token_label) <= TOKEN_LABEL_BYTES,
           CONFIG_INVALID);
    CK_FUNCTION_LIST *module = NULL;
    TRY(module_open(settings->module, &module));
    err_t err = initialise_free_slot(module, settings, so_pin);
    module_close(module);
    return err;
}

ERRFN hsm_open_for_ceremony(const struct hsm_settings *settings, struct hsm **out_hsm)
{
    return session_open(settings, true, out_hsm);
}

static ERRFN ensure_label_free(struct hsm *h, const char *label)
{
    CK_ATTRIBUTE wanted = {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)};
    CK_OBJECT_HANDLE found;
    CK_ULONG count = 0;
    TRY(rv_err(h->module->C_FindObjectsInit(h->session, &wanted, 1)));
    CK_RV rv = h->module->C_FindObjects(h->session, &found, 1, &count);
    h->module->C_FindObjectsFinal(h->session);
    TRY(rv_err(rv));
    ENSURE(count == 0, TOKEN_EXISTS);
    return OK;
}

/* What every secret half has, whatever it is for. */
static void add_confined(struct template *t, const struct role_shape *shape, const uint8_t *id)
{
    add(t, CKA_LABEL, shape->label, strlen(shape->label));
    add(t, CKA_ID, id, KEY_ID_BYTES);
    add_flag(t, CKA_TOKEN, true);
    add_flag(t, CKA_PRIVATE, true);
    add_flag(t, CKA_SENSITIVE, true);
    add_flag(t, CKA_EXTRACTABLE, false);
    add_flag(t, CKA_MODIFIABLE, false);
    add_flag(t, CKA_SIGN, shape->usage == CKA_SIGN);
    add_flag(t, CKA_DECRYPT, false);
    add_flag(t, CKA_UNWRAP, false);
    add_flag(t, CKA_DERIVE, false);
}

static CK_RV generate_pair(struct hsm *h, const struct role_shape *shape, const uint8_t *id)
{
    struct template public_half = {.count = 0};
    struct template private_half = {.count = 0};
    struct view curve = role_p384_params();
    add(&public_half, CKA_EC_PARAMS, curve.data, curve.len);
    add(&public_half, CKA_LABEL, shape->label, strlen(shape->label));
    add(&public_half, CKA_ID, id, KEY_ID_BYTES);
    add_flag(&public_half, CKA_TOKEN, true);
    add_flag(&public_half, CKA_PRIVATE, false);
    add_flag(&public_half, CKA_MODIFIABLE, false);
    add_flag(&public_half, CKA_VERIFY, true);
    add_flag(&public_half, CKA_ENCRYPT, false);
    add_flag(&public_half, CKA_WRAP, false);
    add_confined(&private_half, shape, id);
    add_flag(&private_half, CKA_SIGN_RECOVER, false);

    CK_MECHANISM mechanism = {shape->generate.type, NULL, 0};
    CK_OBJECT_HANDLE made_public;
    CK_OBJECT_HANDLE made_private;
    return h->module->C_GenerateKeyPair(h->session, &mechanism, public_half.rows, public_half.count,
                                        private_half.rows, private_half.count, &made_public,
                                        &made_private);
}

static CK_RV generate_secret(struct hsm *h, const struct role_shape *shape, const uint8_t *id)
{
    static const CK_ULONG bytes = AES256_BYTES;
    struct template secret = {.count = 0};
    add(&secret, CKA_VALUE_LEN, &bytes, sizeof bytes);
    add_confined(&secret, shape, id);
    add_flag(&secret, CKA_ENCRYPT, true);
    add_flag(&secret, CKA_VERIFY, false);
    add_flag(&secret, CKA_WRAP, false);

    CK_MECHANISM mechanism = {shape->generate.type, NULL, 0};
    CK_OBJECT_HANDLE made;
    return h->module->C_GenerateKey(h->session, &mechanism, secret.rows, secret.count, &made);
}

ERRFN hsm_key_create(struct hsm *h, enum hsm_role role)
{
    const struct role_shape *shape = role_shape(role);
    ENSURE(shape && h->writable, BUG);
    TRY(ensure_label_free(h, shape->label));
    uint8_t id[KEY_ID_BYTES];
    random_bytes(id, sizeof id);
    deadline_arm(h->deadline);
    CK_RV rv = shape->class == CKO_SECRET_KEY ? generate_secret(h, shape, id)
                                              : generate_pair(h, shape, id);
    deadline_disarm(h->deadline);
    return rv_err(rv);
}
