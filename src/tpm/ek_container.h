/* Finds the certificate in what a node sends: what NV memory, vendors and tools wrap around it. */
#ifndef ITL_TPM_EK_CONTAINER_H
#define ITL_TPM_EK_CONTAINER_H

#include "base/bytes.h"

/* A copy of the certificate's DER, unchanged, and the EK_QUIRK_ bits of what was around it. Errors:
 * EK_UNREADABLE, NO_MEMORY. */
ERRFN ek_container_certificate(struct view sent, struct buf **out_der, uint32_t *out_quirks);

/* The body of the first PEM block, whose label must be one of the two. Errors: EK_UNREADABLE,
 * NO_MEMORY. */
ERRFN ek_container_pem(struct view sent, const char *label, const char *other_label,
                       struct buf **out_der);

#endif
