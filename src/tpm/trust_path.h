/* Searches a path from an EK certificate to a root (RFC 4158), breadth first, so that the shortest
 * one is found. */
#ifndef ITL_TPM_TRUST_PATH_H
#define ITL_TPM_TRUST_PATH_H

#include "tpm/trust_rules.h"
#include "tpm/trust_store.h"

struct trust_path {
    X509 *root;                 /* at its end, borrowed; NULL when there is no path */
    enum trust_finding finding; /* the most telling reason why there is none */
    X509 *highest;              /* without one, how far it went: a certificate, borrowed, whose
                                   issuer is not known */
};

void trust_path_find(const struct trust *trust, const struct trust_certs *node_certs,
                     const struct ek *ek, const struct trust_times *times,
                     struct trust_path *out_path);

#endif
