/* Machines by id, and as an answer shows them. */
#ifndef ITL_SIGNER_MACHINE_REPLY_H
#define ITL_SIGNER_MACHINE_REPLY_H

#include "signer/signer.h"

/* Notes it for the audit row. Errors: MACHINE_UNKNOWN. */
ERRFN machine_find(struct call *call, struct view id, struct machine *out_machine);

/* Views point into the machine. */
struct ipc_machine_record machine_record(const struct machine *machine, uint64_t now_ms);

/* A list of this one machine, which lives as long as the call. */
ERRFN machine_reply(struct call *call, const struct machine *machine, struct ipc_list *out_list);

/* Its EKs, the oldest first; the list lives as long as the call. */
ERRFN machine_eks_reply(struct call *call, const struct machine *machine, struct ipc_list *out_list);

#endif
