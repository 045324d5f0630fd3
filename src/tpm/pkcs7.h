/* PKCS#7 as a bag of certificates: SignedData (RFC 2315 section 9), with or without signers, which
 * is how vendors hand out chains (.p7b, .p7c). No signature in it is looked at. */
#ifndef ITL_TPM_PKCS7_H
#define ITL_TPM_PKCS7_H

#include "base/bytes.h"

enum { PKCS7_MAX_BYTES = 4 * 1024 * 1024 }; /* a bundle of all vendors takes one */

/* The DER of its certificates one behind the other. Errors: FIELD_INVALID when it is no such
 * structure, or one without certificates; TOO_LONG, NO_MEMORY. */
ERRFN pkcs7_certificates(struct view sent, struct buf **out_ders);

#endif
