/* The server's TLS: 1.3 with AES-256-GCM-SHA384 and P-384 only, its certificate exchangeable
 * while connections go on, its private key elsewhere (tls_provider.h). */
#ifndef ITL_FRONT_TLS_H
#define ITL_FRONT_TLS_H

#include "front/client_anchor.h"

#include <openssl/types.h>

enum { TLS_CHAIN_CERTIFICATES_MAX = 8 /* leaf, intermediates and a cross-signed one */ };

struct tls;

/* `chain` is PEM, leaf first; `anchor` is for clients with certificates and outlives the struct
 * tls; tls_provider_load came before. Errors: those of tls_set_chain, CRYPTO. */
ERRFN tls_new(struct view chain, struct client_anchor *anchor, struct tls **out_tls);

/* The context for the HTTP server; lives as long as the struct tls. */
SSL_CTX *tls_context(const struct tls *tls);

/* Serves another chain to handshakes from now on. Its leaf must have the key of the chain before
 * it, be P-384 and valid now, and each certificate must be issued by the next. Thread-safe.
 * Errors: TLS_CERTIFICATE; the chain before then stays. */
ERRFN tls_set_chain(struct tls *tls, struct view chain, uint64_t *out_not_after_ms);

/* Whether the signature (DER ECDSA over SHA-384 of content) is by the leaf's key: how the start
 * finds out that the key holder has it. Errors: TLS_CERTIFICATE. */
ERRFN tls_check_signature(struct tls *tls, struct view content, struct view signature);

#endif
