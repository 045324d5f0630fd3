/* What a machine proved once, on the wire. */
#ifndef ITL_SIGNER_EVIDENCE_RECORD_H
#define ITL_SIGNER_EVIDENCE_RECORD_H

#include "ipc/messages.h"
#include "sql/proof.h"

enum { EVIDENCE_RECORD_MAX_BYTES = 256 /* encoded */ };

/* Views point into the evidence. */
struct ipc_evidence_record evidence_on_wire(const struct evidence_record *evidence);

#endif
