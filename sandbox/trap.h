/* Development only (ITL_SANDBOX_TRAP): names the call that was refused, then ends the process. */
#ifndef ITL_SANDBOX_TRAP_H
#define ITL_SANDBOX_TRAP_H

#include "base/err.h"

/* Takes SIGSYS. Errors: SANDBOX. */
ERRFN trap_install(void);

#endif
