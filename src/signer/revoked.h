/* The revocation list in use. */
#ifndef ITL_SIGNER_REVOKED_H
#define ITL_SIGNER_REVOKED_H

#include "signer/signer.h"

/* Its DER, made anew when a revocation changed since, or half of its time is over. The view points into `storage`, which holds
 * REVOCATION_LIST_MAX_BYTES. Errors: CERTIFICATE_LIST_LIMIT, TOKEN_…. */
ERRFN revoked_list(struct call *call, struct buf *storage, struct view *out_der);

#endif
