/* The supervisor's orders to the signer: resets, break-glass, audit events, drain. */
#ifndef ITL_SIGNER_CONTROL_H
#define ITL_SIGNER_CONTROL_H

#include "signer/signer.h"

/* Errors: PEER_GONE when the supervisor is gone. */
ERRFN control_obey(struct signer *s);

#endif
