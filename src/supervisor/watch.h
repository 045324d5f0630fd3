/* What happens to children: ready, dead, replaced; and what they say on their control channels. */
#ifndef ITL_SUPERVISOR_WATCH_H
#define ITL_SUPERVISOR_WATCH_H

#include "supervisor/supervisor.h"

/* Starts what may start now, ends what has been starting for too long. */
void watch_advance(struct supervisor *s);

/* Collects dead children. */
void watch_reap(struct supervisor *s);

/* Handles what a child sent. */
void watch_read(struct supervisor *s, struct child *child);

/* Begins an orderly stop: the front first, so that nothing new comes in. */
void watch_stop(struct supervisor *s);

/* Whether every child has gone. */
bool watch_all_gone(const struct supervisor *s);

/* Sends a request to a running child and waits for its answer, handling whatever else that child says. The caller frees child->answer by
 * buf_free(STEAL(…)). Errors: the child's own, TIMEOUT, PEER_GONE when it is not running. */
ERRFN watch_ask(struct supervisor *s, enum child_kind kind, enum ipc_type type, struct view body, uint32_t deadline_ms);

#endif
