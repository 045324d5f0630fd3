/* What each role's key must be: one table for making keys, for checking them and for probing the
 * token. */
#ifndef ITL_HSM_ROLE_H
#define ITL_HSM_ROLE_H

#include <p11-kit/pkcs11.h>

#include "hsm/hsm.h"

#define HSM_ROLE_COUNT ((enum hsm_role)(HSM_ROLE_TLS + 1))
enum { AES256_BYTES = 32, P384_BITS = 384 };

struct role_mechanism {
    CK_MECHANISM_TYPE type;
    CK_FLAGS flags; /* operations it must offer */
    CK_ULONG
    key_size; /* in the unit PKCS#11 gives it for the mechanism: bits for EC, bytes for AES */
};

struct role_shape {
    const char *label;
    CK_OBJECT_CLASS class;
    CK_KEY_TYPE type;
    CK_ATTRIBUTE_TYPE usage; /* the one thing it may do */
    struct role_mechanism use;
    struct role_mechanism generate;
};

/* NULL for HSM_ROLE_NONE and values that are no role. */
const struct role_shape *role_shape(enum hsm_role role);

/* DER of the object identifier secp384r1 (RFC 5480 section 2.1.1.1), which is CKA_EC_PARAMS. */
struct view role_p384_params(void);

#endif
