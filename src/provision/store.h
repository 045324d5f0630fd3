/* SoftHSM keeps a token in a folder that its configuration names (SOFTHSM2_CONF). Hardware tokens
 * have neither, and nothing happens here. */
#ifndef ITL_PROVISION_STORE_H
#define ITL_PROVISION_STORE_H

#include "provision/ceremony.h"

/* When the token's environment has SOFTHSM2_CONF: makes that file if it is missing and init_tokens
 * was asked for, and the folder it names, for this owner alone. `name` is the folder's in
 * <state>/tokens. */
ERRFN store_prepare(const struct ceremony *c, const struct config_token *token, const char *name,
                    struct owner owner);

#endif
