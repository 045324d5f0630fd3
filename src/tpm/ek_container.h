/* Finds the certificates in what a node sends: what NV memory, vendors and tools wrap around it. */
#ifndef ITL_TPM_EK_CONTAINER_H
#define ITL_TPM_EK_CONTAINER_H

#include "base/bytes.h"

/* The DER of the certificates, unchanged and one behind the other, and the EK_QUIRK_ bits of what
 * was around them. Of a PEM bundle, blocks that are no certificate are passed over behind the
 * first. Errors: EK_UNREADABLE, TOO_LONG when more than EK_CHAIN_MAX follow the first, NO_MEMORY.
 */
ERRFN ek_container_certificates(struct view sent, struct buf **out_ders, uint32_t *out_quirks);

/* The body of the first PEM block, whose label must be one of the two. Errors: EK_UNREADABLE,
 * NO_MEMORY. */
ERRFN ek_container_pem(struct view sent, const char *label, const char *other_label,
                       struct buf **out_der);

#endif
