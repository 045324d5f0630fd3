/* Making tokens and keys: what itl-provision does, and nothing that runs in the service. */
#ifndef ITL_HSM_CEREMONY_H
#define ITL_HSM_CEREMONY_H

#include "hsm/hsm.h"

/* Whether the module has exactly one token with the label. No login. Errors: as hsm_open but for
 * the PIN's. */
ERRFN hsm_token_exists(const struct hsm_settings *settings, bool *out_exists);

/* Initialises a free slot's token with label and security officer's PIN (C_InitToken), then sets
 * the user's PIN of the settings (C_InitPIN). For software tokens; a hardware token is initialised
 * with its vendor's tool. Errors: TOKEN_EXISTS when one has the label already, TOKEN_ABSENT when no
 * slot is free, TOKEN_PIN, TOKEN_FAILED. */
ERRFN hsm_token_create(const struct hsm_settings *settings, struct view so_pin);

/* As hsm_open, with sessions that may write. */
ERRFN hsm_open_for_ceremony(const struct hsm_settings *settings, struct hsm **out_hsm);

/* Makes the role's key in the token: token object, private, sensitive, not extractable, one usage,
 * not to be changed afterwards. Nothing is overwritten. Errors: TOKEN_EXISTS when any object has
 * the label, TOKEN_MECHANISM, TOKEN_FAILED. */
ERRFN hsm_key_create(struct hsm *h, enum hsm_role role);

#endif
