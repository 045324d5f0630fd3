/* PIN files: the user's PIN in the token's pin_file, the security officer's beside it, with
 * .officer appended. */
#ifndef ITL_PROVISION_PIN_H
#define ITL_PROVISION_PIN_H

#include "base/secret.h"
#include "provision/ceremony.h"

/* With make_pins makes the missing ones of 24 random characters (144 bits), 0600, owned by root. */
ERRFN pin_prepare(const struct ceremony *c, const struct config_token *token);

/* Reads one; says what is wrong. Errors: as secret_read_file. */
ERRFN pin_read(const struct config_token *token, struct secret **out_pin);
ERRFN pin_read_officer(const struct config_token *token, struct secret **out_pin);

#endif
