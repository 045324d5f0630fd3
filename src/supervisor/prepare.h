/* Everything before the first child: checks, sockets, accounts, the supervisor's own sandbox. */
#ifndef ITL_SUPERVISOR_PREPARE_H
#define ITL_SUPERVISOR_PREPARE_H

#include "supervisor/supervisor.h"

/* False when the appliance can't start; what to do has then been said on standard error. */
bool prepare(struct supervisor *s);

#endif
