/* Asks before an act that is not easily undone. */
#ifndef ITL_CLI_CONFIRM_H
#define ITL_CLI_CONFIRM_H

#include "cli/options.h"

/* Whether there will be a question: no --yes, and a terminal to ask at. */
bool confirm_is_asked(const struct options *options);

/* Puts the question on standard error and wants "yes"; without a terminal only --yes will do. Errors: NOT_CONFIRMED. */
ERRFN confirm(const struct options *options, const char *question);

#endif
