/* An end to token calls that do not come back. The p11-kit client reads its socket without a time
 * limit and ignores receive timeouts, and a call inside a vendor's module can't be interrupted at
 * all: a timer signal is what is left. */
#ifndef ITL_HSM_DEADLINE_H
#define ITL_HSM_DEADLINE_H

#include "base/err.h"
#include "base/own.h"

struct deadline;

/* Takes SIGALRM for the process, and has SIGPIPE ignored: the p11-kit client would die with its
 * server. `ms` is the longest time between arm and disarm. Errors: NO_MEMORY, IO. */
ERRFN deadline_new(unsigned ms, struct deadline **out_deadline);
void deadline_free(struct deadline *d);
AUTO_DEFINE(deadline, struct deadline, deadline_free);

/* Has the connections to P11_KIT_SERVER_ADDRESS that this process holds now shut down when time is
 * up. Without any, and when that did not help within the same time again, it exits with
 * HSM_EXIT_STUCK. */
void deadline_watch_connections(struct deadline *d);

/* Two system calls (timer_settime) for each guarded operation. Accepts NULL: then nothing is
 * guarded. */
void deadline_arm(struct deadline *d);
void deadline_disarm(struct deadline *d);

#endif
