/* Asks before an act that grants. */
#ifndef ITL_CLI_CONFIRM_H
#define ITL_CLI_CONFIRM_H

#include "base/err.h"

/* Puts the question on standard error and wants "yes". Errors: NOT_CONFIRMED, also without a terminal. */
ERRFN confirm_at_terminal(const char *question);

#endif
