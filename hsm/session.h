/* The open token: module, slot, one logged-in session, cached keys. Private to this folder. */
#ifndef ITL_HSM_SESSION_H
#define ITL_HSM_SESSION_H

#include <p11-kit/pkcs11.h>

#include "hsm/deadline.h"
#include "hsm/hsm.h"
#include "hsm/role.h"

enum { TOKEN_LABEL_BYTES = 32, P384_POINT_BYTES = 97 };

struct hsm_key {
    struct hsm *hsm;
    enum hsm_role role;
    CK_OBJECT_HANDLE handle;
    uint8_t point[P384_POINT_BYTES]; /* 0x04, x, y; signing keys only */
};

struct hsm {
    CK_FUNCTION_LIST *module;
    struct deadline *deadline;
    char token_label[TOKEN_LABEL_BYTES + 1];
    struct secret *pin;
    bool pin_refused; /* never tried again by this process: tokens lock */
    bool writable;    /* sessions are opened read-write: the ceremony only */
    bool has_session;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    struct hsm_key keys[HSM_ROLE_COUNT]; /* handle 0: not found yet */
};

/* As hsm_open; `writable` for making keys. */
ERRFN session_open(const struct hsm_settings *settings, bool writable, struct hsm **out_hsm);

/* One token operation on a key, with the deadline; when the session was lost, once more after a new
 * login. */
typedef CK_RV (*session_operation)(struct hsm_key *key, void *context);
ERRFN session_run(struct hsm_key *key, session_operation operation, void *context);

/* Finds the role's object again after a new login and checks it as hsm_key_find does. */
ERRFN key_load(struct hsm *h, enum hsm_role role, struct hsm_key *out_key);

#endif
