#include "hsm/rv.h"

ERRFN rv_err(CK_RV rv)
{
    switch (rv) {
    case CKR_OK:
        return OK;
    case CKR_HOST_MEMORY:
        return E(NO_MEMORY);
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_EXPIRED:
        return E(TOKEN_PIN);
    case CKR_PIN_LOCKED:
        return E(TOKEN_PIN_LOCKED);
    case CKR_SLOT_ID_INVALID:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_DEVICE_REMOVED:
        return E(TOKEN_REMOVED);
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
        return E(TOKEN_MECHANISM);
    case CKR_KEY_TYPE_INCONSISTENT:
    case CKR_KEY_SIZE_RANGE:
        return E(TOKEN_KEY_TYPE);
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
        return E(TOKEN_KEY_USAGE);
    default:
        return E(TOKEN_FAILED);
    }
}

bool rv_session_lost(CK_RV rv)
{
    switch (rv) {
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_SLOT_ID_INVALID:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_DEVICE_REMOVED:
    case CKR_DEVICE_ERROR: /* what a p11-kit connection says once its server is gone */
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_CRYPTOKI_NOT_INITIALIZED:
        return true;
    default:
        return false;
    }
}
