/* Searches a path from an EK certificate to a root (RFC 4158), breadth first, so that the shortest
 * one is found. */
#ifndef ITL_TPM_TRUST_PATH_H
#define ITL_TPM_TRUST_PATH_H

#include "tpm/trust_rules.h"
#include "tpm/trust_store.h"

/* The root at its end, borrowed from `trust`, or NULL and the most telling reason why there is
 * none. */
X509 *trust_path_find(const struct trust *trust, const struct trust_certs *node_certs,
                      const struct ek *ek, const struct trust_times *times,
                      enum trust_finding *out_finding);

#endif
