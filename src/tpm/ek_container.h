/* Finds the certificate in what a node sends: what NV memory, vendors and tools wrap around it. */
#ifndef ITL_TPM_EK_CONTAINER_H
#define ITL_TPM_EK_CONTAINER_H

#include "base/bytes.h"

/* A copy of the certificate's DER, unchanged, and the EK_QUIRK_ bits of what was around it. Errors:
 * EK_UNREADABLE, NO_MEMORY. */
ERRFN ek_container_certificate(struct view sent, struct buf **out_der, uint32_t *out_quirks);

/* Takes the next certificate off the front of an NV area, and adds the bits of what was around it.
 * Errors: NOT_FOUND when nothing but padding is left; EK_UNREADABLE, `area` then begins where
 * reading stopped. */
ERRFN ek_container_next(struct view *area, struct view *out_der, uint32_t *quirks);

/* The body of the first PEM block, whose label must be one of the two. Errors: EK_UNREADABLE,
 * NO_MEMORY. */
ERRFN ek_container_pem(struct view sent, const char *label, const char *other_label,
                       struct buf **out_der);

#endif
