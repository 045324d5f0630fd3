/* Group commit: many requests, one durable transaction, and no reply before it. */
#ifndef ITL_SIGNER_BATCH_H
#define ITL_SIGNER_BATCH_H

#include "signer/signer.h"

/* Takes what has come on the API channel, up to a bound, handles it and replies. Errors: PEER_GONE, and WIRE, WIRE_STATE or BUSY when the
 * front did what only a compromised one does. */
ERRFN batch_run(struct signer *s);

/* Whether the last batch stopped at its bound with requests left. */
bool batch_waits(const struct signer *s);

#endif
