/* How EK material is taken out of bytes and out of PEM. For the files of evidence_ek_read.h only:
 * each adds what it finds to `evidence`, or leaves it as it was and, after EK_UNREADABLE, says why
 * in evidence->fault. Errors: as ek_evidence_read. */
#ifndef ITL_CLI_EVIDENCE_EK_PARTS_H
#define ITL_CLI_EVIDENCE_EK_PARTS_H

#include "cli/evidence_ek_read.h"

/* DER certificates as NV memory holds them, a PKCS#7 bag, or a public key. */
ERRFN ek_evidence_from_bytes(struct view sent, struct ek_evidence *evidence);

/* PEM with any of these in its blocks. Blocks of other labels are passed over where something else
 * is found. */
ERRFN ek_evidence_from_pem(struct view text, struct ek_evidence *evidence);

#endif
