/* What makes a TLS client's handshake count here. The front shakes hands and might be compromised, so its word that a client showed a
 * certificate is worth nothing: it passes on the handshake's messages, and the signature in them is checked over
 *   an anchor, which the signer made a moment ago and the front put into its CertificateRequest: no old handshake counts;
 *   the server's certificate, whose key must be this appliance's: no handshake with another server counts.
 * What a compromised front can still do is to use a handshake that a machine has with it, for as long as the anchor counts. */
#ifndef ITL_SIGNER_TLS_ANCHOR_H
#define ITL_SIGNER_TLS_ANCHOR_H

#include "ipc/messages.h"

#include <openssl/types.h>

struct handshake; /* pki/handshake.h */

enum {
    TLS_ANCHOR_NEW_MS = 15 * 1000,    /* one anchor serves all handshakes of this time */
    TLS_ANCHOR_COUNTS_MS = 120 * 1000, /* a handshake, and the requests that follow it on its connection */
    TLS_ANCHORS_KEPT = TLS_ANCHOR_COUNTS_MS / TLS_ANCHOR_NEW_MS + 1
};

struct tls_anchor {
    uint8_t bytes[IPC_TLS_ANCHOR_BYTES];
    uint64_t made_ms; /* monotonic */
};

struct tls_anchors {
    struct tls_anchor kept[TLS_ANCHORS_KEPT];
    size_t newest;
    size_t count;
    EVP_PKEY *tls_key; /* the appliance's, public */
};

/* `chain` is the TLS certificate chain in PEM, leaf first. Errors: TLS_CERTIFICATE. */
ERRFN tls_anchors_open(struct tls_anchors *anchors, struct view chain);

/* The anchor to ask clients with now. */
const uint8_t *tls_anchors_take(struct tls_anchors *anchors, uint64_t monotonic_ms);

/* Whether the handshake was with this appliance and contains an anchor that still counts; the client's certificate and signature are
 * the caller's to check. Errors: CLIENT_PROOF_INVALID, CLIENT_PROOF_EXPIRED (which an anchor from before the signer's start is, too). */
ERRFN tls_anchors_check(const struct tls_anchors *anchors, const struct handshake *handshake, uint64_t monotonic_ms);

#endif
