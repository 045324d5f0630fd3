/* A certificate chain that the server may show. */
#ifndef ITL_FRONT_TLS_CHAIN_H
#define ITL_FRONT_TLS_CHAIN_H

#include "base/bytes.h"

#include <openssl/x509.h>

struct tls_chain {
    X509 *leaf;
    STACK_OF(X509) * others; /* the leaf's issuer first; never NULL */
    uint64_t not_after_ms;   /* of the leaf */
};

/* From PEM, leaf first, each certificate issued by the next; nothing but certificates in it.
 * Errors: TLS_CERTIFICATE (also a leaf that is not P-384, or not valid at now_ms; more than
 * TLS_CHAIN_CERTIFICATES_MAX), NO_MEMORY. */
ERRFN tls_chain_parse(struct view pem, uint64_t now_ms, struct tls_chain **out_chain);
void tls_chain_free(struct tls_chain *chain);
AUTO_DEFINE(tls_chain, struct tls_chain, tls_chain_free);

#endif
