/* Asks TLS clients for a certificate, looks at what comes, and keeps the handshake for the signer,
 * who judges it (signer/tls_anchor.h).
 *
 * A client need not have a certificate. One that shows any but a valid one of the enrollment CA is
 * refused with a TLS alert that says why; whether one of the CA's counts (its machine's state,
 * revocation) is not known here. */
#ifndef ITL_FRONT_TLS_CLIENT_H
#define ITL_FRONT_TLS_CLIENT_H

#include "front/client_anchor.h"

/* Before the first connection. `anchor` outlives the context. Errors: CRYPTO. */
ERRFN tls_client_set_up(SSL_CTX *context, struct client_anchor *anchor);

/* From the context's certificate callback: asks this client, if there is an anchor. False on lack
 * of memory. */
bool tls_client_ask(SSL *ssl);

/* The handshake of the connection that the calling thread serves, which is the one it shook hands
 * on last: each message from ClientHello to the client's CertificateVerify. Empty when the client
 * showed no certificate. Valid while the connection lasts. */
struct view tls_client_handshake(void);

#endif
