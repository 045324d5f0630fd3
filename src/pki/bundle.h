/* The SPIFFE bundle (SPIFFE Trust Domain and Bundle 1.0, section 4): a JWK set with the CA for X.509-SVIDs. */
#ifndef ITL_PKI_BUNDLE_H
#define ITL_PKI_BUNDLE_H

#include "pki/ca.h"

enum {
    BUNDLE_MAX_BYTES = 8192,
    BUNDLE_REFRESH_S = 3600 /* how often a relying party should look: the CA changes once in years */
};

/* Appends the JSON. The sequence is when the CA's certificate began, so that it grows with each new one. Errors: CRYPTO, TOO_LONG. */
ERRFN bundle_make(const struct ca *ca, struct buf *out_json);

#endif
