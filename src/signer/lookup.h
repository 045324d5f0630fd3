/* A machine by what an operator's request calls it. */
#ifndef ITL_SIGNER_LOOKUP_H
#define ITL_SIGNER_LOOKUP_H

#include "signer/signer.h"

/* Notes the machine for the audit row. Errors: MACHINE_UNKNOWN, TOO_LONG. */
ERRFN lookup_machine(struct call *call, struct view id, struct machine *out_machine);

#endif
