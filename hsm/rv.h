/* CK_RV to err_t: the one place of this library. */
#ifndef ITL_HSM_RV_H
#define ITL_HSM_RV_H

#include <p11-kit/pkcs11.h>

#include "base/err.h"

ERRFN rv_err(CK_RV rv);

/* A new session and login may help: the session, the login or the device went away under us. */
bool rv_session_lost(CK_RV rv);

#endif
