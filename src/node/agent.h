/* One machine's way from power-on to its configuration. */
#ifndef ITL_NODE_AGENT_H
#define ITL_NODE_AGENT_H

#include "node/options.h"

/* Exit statuses of itl-tpm-register; other programs depend on them. */
enum agent_outcome {
    AGENT_ATTESTED = 0, /* and the configuration was applied */
    AGENT_FAILED = 1,
    AGENT_USAGE = 2,
    AGENT_PENDING = 10,
    AGENT_LOCKED = 11,
    AGENT_REVOKED = 12, /* also: wipe this machine */
    AGENT_REFUSED = 13
};

/* Does what the options ask, telling on standard error how it goes. Ends early and tidily after
 * agent_stop. */
enum agent_outcome agent_run(const struct options *options);

/* Async-signal-safe: makes agent_run return soon. */
void agent_stop(void);

#endif
