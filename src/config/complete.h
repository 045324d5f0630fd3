/* What the table of settings can't say: defaults, values that follow from others, and settings that
 * contradict each other. */
#ifndef ITL_CONFIG_COMPLETE_H
#define ITL_CONFIG_COMPLETE_H

#include "config/config.h"

/* Defaults that do not depend on other settings; before the file is read. */
void config_defaults(struct config *config);

/* Defaults that do, and the checks across settings; after everything is read. Errors:
 * CONFIG_INVALID with out_problem filled in. */
ERRFN config_complete(struct config *config, char *const *environment,
                      struct config_problem *out_problem);

#endif
