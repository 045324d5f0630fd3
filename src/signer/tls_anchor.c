#include "signer/tls_anchor.h"

#include "base/random.h"
#include "pki/handshake.h"

_Static_assert((int)IPC_TLS_ANCHOR_BYTES == (int)HANDSHAKE_ANCHOR_BYTES, "the extension holds an anchor");

ERRFN tls_anchors_open(struct tls_anchors *anchors, struct view chain)
{
    AUTO(X509) leaf = x509_first_of_pem(chain);
    ENSURE(leaf, TLS_CERTIFICATE);
    anchors->tls_key = X509_get_pubkey(leaf);
    ENSURE(anchors->tls_key, TLS_CERTIFICATE);
    return OK;
}

const uint8_t *tls_anchors_take(struct tls_anchors *anchors, uint64_t monotonic_ms)
{
    struct tls_anchor *newest = &anchors->kept[anchors->newest];
    if (anchors->count > 0 && monotonic_ms - newest->made_ms < TLS_ANCHOR_NEW_MS) {
        return newest->bytes;
    }
    anchors->newest = (anchors->newest + 1) % TLS_ANCHORS_KEPT;
    anchors->count += anchors->count < TLS_ANCHORS_KEPT;
    newest = &anchors->kept[anchors->newest];
    random_bytes(newest->bytes, sizeof newest->bytes);
    newest->made_ms = monotonic_ms;
    return newest->bytes;
}

/* All that were made; one that was pushed out is older than an anchor counts. */
static ERRFN check_age(const struct tls_anchors *anchors, struct view anchor, uint64_t monotonic_ms)
{
    for (size_t i = 0; i < anchors->count; i++) {
        const struct tls_anchor *kept = &anchors->kept[(anchors->newest + TLS_ANCHORS_KEPT - i) % TLS_ANCHORS_KEPT];
        if (view_equal(anchor, view_of(kept->bytes, sizeof kept->bytes))) {
            ENSURE(monotonic_ms - kept->made_ms < TLS_ANCHOR_COUNTS_MS, CLIENT_PROOF_EXPIRED);
            return OK;
        }
    }
    return E(CLIENT_PROOF_EXPIRED);
}

ERRFN tls_anchors_check(const struct tls_anchors *anchors, const struct handshake *handshake, uint64_t monotonic_ms)
{
    TRY(check_age(anchors, handshake->anchor, monotonic_ms));
    return handshake_check_server(handshake, anchors->tls_key);
}
