/* The signer's loop: drain what waits, one durable batch, then the replies. */
#ifndef ITL_SIGNER_SERVE_H
#define ITL_SIGNER_SERVE_H

#include "signer/signer.h"

/* Serves until the supervisor is gone or a drain is done. Errors: PEER_GONE in the former case. */
ERRFN serve(struct signer *s);

#endif
