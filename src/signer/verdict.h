/* Policy's words as the numbers that travel and are stored. */
#ifndef ITL_SIGNER_VERDICT_H
#define ITL_SIGNER_VERDICT_H

#include "signer/signer.h"

uint8_t verdict_on_wire(enum policy_result result);

/* NOT_EVALUATED, PASS, FAIL, as policy numbers them. */
uint8_t outcome_on_wire(int outcome);

/* The rules that failed. Errors: NO_MEMORY. */
ERRFN verdict_failures(struct call *call, const struct policy_verdict *verdict, struct ipc_list *out_list);

#endif
