/* Environment variables that override settings. */
#ifndef ITL_CONFIG_ENVIRONMENT_H
#define ITL_CONFIG_ENVIRONMENT_H

#include "config/config.h"

/* Applies every ITL_ variable of a NULL-terminated array of NAME=value. Errors: CONFIG_INVALID with
 * the variable's name as the problem's path; NO_MEMORY. */
ERRFN config_environment_apply(struct config *config, char *const *environment,
                               struct config_problem *out_problem);

/* The value of a variable, or NULL. */
const char *config_environment_find(char *const *environment, const char *name);

#endif
