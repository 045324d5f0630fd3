/* Whether tables and paths are applied. Always, except in the library that the tests build to see
 * themselves fail. */
#ifndef ITL_SANDBOX_ENFORCED_H
#define ITL_SANDBOX_ENFORCED_H

#include <stdbool.h>

#ifdef SANDBOX_EMPTIED
static const bool SANDBOX_ENFORCED = false;
#else
static const bool SANDBOX_ENFORCED = true;
#endif

#endif
