/* What TLS clients are asked with, and GET /machines/self: what the appliance knows of the machine that has this certificate. */
#include "base/clock.h"
#include "signer/certificate_record.h"
#include "signer/certified.h"
#include "signer/machine_reply.h"

#include <string.h>

ERRFN handle_tls_anchor(struct call *call, const struct ipc_tls_anchor_request *request, struct ipc_tls_anchor_reply *out_reply)
{
    (void)request;
    const uint8_t *anchor = tls_anchors_take(&call->signer->tls_anchors, clock_monotonic_ms());
    memcpy(out_reply->anchor, anchor, sizeof out_reply->anchor);
    out_reply->ca = buf_view(call->signer->ca->der);
    return OK;
}

ERRFN handle_machine_self(struct call *call, const struct ipc_machine_self_request *request,
                          struct ipc_machine_self_reply *out_reply)
{
    struct certified certified;
    struct buf *storage;
    TRY(certified_by_handshake(call, request->handshake, &certified));
    TRY(machine_reply(call, &certified.machine, &out_reply->machine));
    TRY(call_buffer(call, CERTIFICATE_RECORD_MAX_BYTES, &storage));
    struct ipc_certificate_record record = certificate_record(&certified.certificate);
    return ipc_list_add_certificate(&out_reply->certificate, storage, &record);
}
