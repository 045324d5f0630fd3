/* What the front asks TLS clients for a certificate with: the signer's anchor of this moment, and
 * the CA whose certificates are worth showing. Fetched again when a handshake finds it old; while
 * the signer is away there is none, and clients are not asked. */
#ifndef ITL_FRONT_CLIENT_ANCHOR_H
#define ITL_FRONT_CLIENT_ANCHOR_H

#include "ipc/client.h"

#include <openssl/types.h>

struct client_anchor;

/* `api` outlives it. Errors: NO_MEMORY. */
ERRFN client_anchor_new(struct ipc_client *api, struct client_anchor **out_anchor);

/* Copies the anchor; the CA is the caller's to free. False when there is none now. Thread-safe; one
 * caller at a time waits for the signer, for ANCHOR_DEADLINE_MS at most, the others take what there
 * is. */
bool client_anchor_take(struct client_anchor *anchor,
                        uint8_t out_bytes[static IPC_TLS_ANCHOR_BYTES], X509 **out_ca);

/* The signer has a successor, who knows nothing of what this one's were. */
void client_anchor_forget(struct client_anchor *anchor);

#endif
