/* What to do next, for whoever is woken up by a machine that may not have its configuration. */
#ifndef ITL_SIGNER_ADVICE_H
#define ITL_SIGNER_ADVICE_H

#include "signer/signer.h"

/* Sentences for the machine's state and, when `verdict` is given, for what fails in it. Errors: NO_MEMORY, TOO_LONG. */
ERRFN advice_list(struct call *call, const struct machine *machine, const struct policy_verdict *verdict, struct ipc_list *out_list);

#endif
