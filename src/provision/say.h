/* What itl-provision tells the operator: one line for each thing found, made or wrong. */
#ifndef ITL_PROVISION_SAY_H
#define ITL_PROVISION_SAY_H

#include "base/err.h"

/* "made    /var/lib/…" on standard output. */
void say(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "itl-provision: what: sentence [reason]" on standard error, with a hint for what to do next when
 * there is one for this error; hands the error back so that `return say_problem(…)` reads well. */
err_t say_problem(err_t err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
