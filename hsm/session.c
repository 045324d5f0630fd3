#include "hsm/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hsm/module.h"
#include "hsm/rv.h"

static ERRFN pin_state(const CK_TOKEN_INFO *info)
{
    ENSURE(!(info->flags & CKF_USER_PIN_LOCKED), TOKEN_PIN_LOCKED);
    ENSURE(!(info->flags & CKF_USER_PIN_FINAL_TRY), TOKEN_PIN_FINAL);
    return OK;
}

static ERRFN log_in(struct hsm *h)
{
    CK_RV rv = h->module->C_Login(h->session, CKU_USER, h->pin->data, h->pin->len);
    if (rv == CKR_USER_ALREADY_LOGGED_IN) {
        return OK;
    }
    err_t err = rv_err(rv);
    h->pin_refused = IS_E(err, TOKEN_PIN) || IS_E(err, TOKEN_PIN_LOCKED);
    return err;
}

static void leave_session(struct hsm *h)
{
    if (h->has_session) {
        h->module->C_CloseSession(h->session);
        h->has_session = false;
    }
}

static ERRFN enter_session(struct hsm *h)
{
    ENSURE(!h->pin_refused, TOKEN_PIN);
    CK_TOKEN_INFO info;
    TRY(module_find_token(h->module, h->token_label, &h->slot, &info));
    CK_FLAGS flags = CKF_SERIAL_SESSION | (h->writable ? CKF_RW_SESSION : 0);
    TRY(rv_err(h->module->C_OpenSession(h->slot, flags, NULL, NULL, &h->session)));
    h->has_session = true;
    TRY(pin_state(&info));
    return log_in(h);
}

static ERRFN reload_keys(struct hsm *h)
{
    for (enum hsm_role role = HSM_ROLE_NONE + 1; role < HSM_ROLE_COUNT; role++) {
        if (h->keys[role].handle != 0) {
            TRY(key_load(h, role, &h->keys[role]));
        }
    }
    return OK;
}

/* A token that does not come back is gone, whatever it says; only the PIN's state is worth telling
 * apart. */
static ERRFN renew_session(struct hsm *h)
{
    leave_session(h);
    deadline_arm(h->deadline);
    err_t err = enter_session(h);
    if (IS_OK(err)) {
        err = reload_keys(h);
    }
    deadline_disarm(h->deadline);
    if (IS_E(err, TOKEN_ABSENT) || IS_E(err, TOKEN_FAILED) || IS_E(err, TOKEN_KEY_MISSING)) {
        return E(TOKEN_REMOVED);
    }
    return err;
}

static CK_RV run_guarded(struct hsm_key *key, session_operation operation, void *context)
{
    deadline_arm(key->hsm->deadline);
    CK_RV rv = operation(key, context);
    deadline_disarm(key->hsm->deadline);
    return rv;
}

ERRFN session_run(struct hsm_key *key, session_operation operation, void *context)
{
    CK_RV rv = run_guarded(key, operation, context);
    if (rv_session_lost(rv)) {
        TRY(renew_session(key->hsm));
        rv = run_guarded(key, operation, context);
        ENSURE(!rv_session_lost(rv), TOKEN_REMOVED);
    }
    return rv_err(rv);
}

static ERRFN accept_settings(const struct hsm_settings *settings, struct hsm *h)
{
    ENSURE(settings->module && settings->module[0] == '/', TOKEN_MODULE);
    ENSURE(settings->token_label && settings->token_label[0] != '\0', CONFIG_INVALID);
    ENSURE(strlen(settings->token_label) <= TOKEN_LABEL_BYTES, CONFIG_INVALID);
    ENSURE(settings->pin.len <= HSM_PIN_MAX_BYTES, CONFIG_INVALID);
    snprintf(h->token_label, sizeof h->token_label, "%s", settings->token_label);
    TRY(secret_copy(settings->pin, &h->pin));
    return deadline_new(settings->deadline_ms ? settings->deadline_ms : HSM_DEADLINE_DEFAULT_MS,
                        &h->deadline);
}

ERRFN session_open(const struct hsm_settings *settings, bool writable, struct hsm **out_hsm)
{
    AUTO(hsm) h = calloc(1, sizeof *h);
    ENSURE(h, NO_MEMORY);
    h->writable = writable;
    TRY(accept_settings(settings, h));
    deadline_arm(h->deadline);
    err_t err = module_open(settings->module, &h->module);
    if (IS_OK(err)) {
        deadline_watch_connections(h->deadline);
        err = enter_session(h);
    }
    deadline_disarm(h->deadline);
    TRY(err);
    *out_hsm = STEAL(h);
    return OK;
}

ERRFN hsm_open(const struct hsm_settings *settings, struct hsm **out_hsm)
{
    return session_open(settings, false, out_hsm);
}

void hsm_close(struct hsm *h)
{
    if (!h) {
        return;
    }
    deadline_arm(h->deadline);
    if (h->has_session) {
        h->module->C_Logout(h->session);
    }
    leave_session(h);
    module_close(h->module);
    deadline_disarm(h->deadline);
    deadline_free(h->deadline);
    secret_free(h->pin);
    free(h);
}

ERRFN hsm_ready(struct hsm *h)
{
    CK_SESSION_INFO info = {0};
    CK_RV rv = CKR_SESSION_HANDLE_INVALID;
    if (h->has_session) {
        deadline_arm(h->deadline);
        rv = h->module->C_GetSessionInfo(h->session, &info);
        deadline_disarm(h->deadline);
    }
    bool logged_in = info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS;
    if (rv_session_lost(rv) || (rv == CKR_OK && !logged_in)) {
        return renew_session(h);
    }
    return rv_err(rv);
}
