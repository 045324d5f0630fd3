#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#include "faulty.h"

struct faulty faulty_state;

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST ours;

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = real->C_GetTokenInfo(slot, info);
    if (rv == CKR_OK && faulty_state.fault == FAULT_PIN_LOCKED) {
        info->flags |= CKF_USER_PIN_LOCKED;
    }
    if (rv == CKR_OK && faulty_state.fault == FAULT_PIN_FINAL) {
        info->flags |= CKF_USER_PIN_FINAL_TRY;
    }
    return rv;
}

static CK_RV get_mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
    return faulty_state.fault == FAULT_NO_MECHANISM ? CKR_MECHANISM_INVALID
                                                    : real->C_GetMechanismInfo(slot, type, info);
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG pin_len)
{
    faulty_state.logins++;
    switch (faulty_state.fault) {
    case FAULT_LOGIN_LOCKED:
        return CKR_PIN_LOCKED;
    case FAULT_LOGIN_REFUSED:
        return CKR_PIN_INCORRECT;
    default:
        return real->C_Login(session, user, pin, pin_len);
    }
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    faulty_state.signs++;
    switch (faulty_state.fault) {
    case FAULT_SIGN_REMOVED:
        faulty_state.fault = FAULT_NONE;
        real->C_Logout(session);
        return CKR_DEVICE_REMOVED;
    case FAULT_SIGN_BROKEN:
        return CKR_FUNCTION_FAILED;
    case FAULT_SIGN_HANGS:
        for (;;) {
            pause();
        }
    default:
        return real->C_SignInit(session, mechanism, key);
    }
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature,
                  CK_ULONG *signature_len)
{
    CK_RV rv = real->C_Sign(session, data, data_len, signature, signature_len);
    if (rv == CKR_OK && faulty_state.fault == FAULT_SIGN_SHORT) {
        *signature_len -= 2;
    }
    return rv;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    void *module = dlopen(getenv("ITL_FAULTY_REAL"), RTLD_NOW | RTLD_LOCAL);
    CK_RV (*get)(CK_FUNCTION_LIST **) = NULL;
    if (!module) {
        return CKR_GENERAL_ERROR;
    }
    *(void **)&get = dlsym(module, "C_GetFunctionList");
    CK_RV rv = get(&real);
    if (rv != CKR_OK) {
        return rv;
    }
    ours = *real;
    ours.C_GetTokenInfo = get_token_info;
    ours.C_GetMechanismInfo = get_mechanism_info;
    ours.C_Login = login;
    ours.C_SignInit = sign_init;
    ours.C_Sign = sign;
    *list = &ours;
    return CKR_OK;
}
