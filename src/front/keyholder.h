/* The front's end of the tls channel. */
#ifndef ITL_FRONT_KEYHOLDER_H
#define ITL_FRONT_KEYHOLDER_H

#include "front/tls.h"
#include "ipc/client.h"

/* A tls_signer function; the context is the struct ipc_client of the tls channel. Errors: those
 * of ipc_call_tls_sign. */
ERRFN keyholder_sign(void *context, struct view content, struct buf *out_signature);

/* Has the keyholder sign a CertificateVerify and checks it with the chain's leaf: that the key
 * fits is known before the first client comes. Nobody else may use the client yet. Errors:
 * TLS_CERTIFICATE, TIMEOUT, PEER_GONE, what the keyholder says. */
ERRFN keyholder_prove(struct ipc_client *client, struct tls *tls);

#endif
