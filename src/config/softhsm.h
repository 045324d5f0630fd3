/* Where SoftHSM keeps a token. Its settings file, named by SOFTHSM2_CONF in the token's environment, says so; other modules have none. */
#ifndef ITL_CONFIG_SOFTHSM_H
#define ITL_CONFIG_SOFTHSM_H

#include "config/config.h"

/* The path of the token's settings file, or NULL when the module is not SoftHSM. */
const char *softhsm_settings_path(const struct config_token *token);

/* The folder that the settings file's directories.tokendir names; "" when the module is not SoftHSM. Errors: CONFIG_UNREADABLE,
 * TOO_LONG (the file), CONFIG_INVALID (it names no folder, or one with a path too long). */
ERRFN softhsm_token_directory(const struct config_token *token, char out_path[static CONFIG_PATH_SIZE]);

#endif
