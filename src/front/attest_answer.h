/* What an attestation, and an enrollment, are answered with: R's eight keys and ours (contract A.3). */
#ifndef ITL_FRONT_ATTEST_ANSWER_H
#define ITL_FRONT_ATTEST_ANSWER_H

#include "front/exchange.h"

/* Leaves out what the caller may not know before it proved that it holds the EK. Errors: TOO_LONG, NO_MEMORY. */
ERRFN attest_answer(struct exchange *x, const struct ipc_attest_reply *reply, const char *message);

#endif
