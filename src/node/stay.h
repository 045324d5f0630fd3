/* An agent that stays: attests again when policy asks for it, and keeps certificates fresh in
 * between, each by its own end. */
#ifndef ITL_NODE_STAY_H
#define ITL_NODE_STAY_H

#include "node/attempt.h"

/* Whether another attempt would change nothing: the machine is revoked or rejected. */
bool outcome_is_final(enum agent_outcome outcome, const struct attempt *attempt);

/* Goes on until an outcome is final, or a signal ends it (pause.h); then it is the last one. */
enum agent_outcome stay(struct attempt *attempt);

#endif
