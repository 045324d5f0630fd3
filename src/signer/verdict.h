/* Policy's words as the numbers that travel and are stored. */
#ifndef ITL_SIGNER_VERDICT_H
#define ITL_SIGNER_VERDICT_H

#include "signer/signer.h"

uint8_t verdict_on_wire(enum policy_result result);

uint8_t outcome_on_wire(enum policy_outcome outcome);

/* Why it fails: the first of chain, replay and policy that does. */
err_t verdict_reason(const struct policy_verdict *verdict);

/* enum ipc_gate bits. Classes of secrets have none: whoever hands those out asks the verdict itself. */
uint32_t verdict_gates(const struct policy_verdict *verdict);

/* What the evidence opens from now on, and for how long; a failure closes and prolongs nothing. The caller writes the machine. */
void verdict_take(const struct policy_verdict *verdict, uint64_t now_ms, struct machine *machine);

/* The rules that failed. Errors: NO_MEMORY. */
ERRFN verdict_failures(struct call *call, const struct policy_verdict *verdict, struct ipc_list *out_list);

#endif
