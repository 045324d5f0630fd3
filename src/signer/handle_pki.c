/* GET /pki/…: the CA's certificate, its revocation list and the SPIFFE bundle, for everybody. */
#include "crypto/digest.h"
#include "pki/bundle.h"
#include "signer/revoked.h"
#include "sql/certificates.h"

static ERRFN find_document(struct call *call, enum ipc_document document, struct view *out_body)
{
    struct signer *s = call->signer;
    struct buf *storage;
    switch (document) {
    case IPC_DOCUMENT_CA:
        *out_body = buf_view(s->ca->pem);
        return OK;
    case IPC_DOCUMENT_CRL:
        TRY(call_buffer(call, REVOCATION_LIST_MAX_BYTES, &storage));
        return revoked_list(call, storage, out_body);
    case IPC_DOCUMENT_BUNDLE:
        ENSURE(s->settings.trust_domain[0], SVID_OFF);
        TRY(call_buffer(call, BUNDLE_MAX_BYTES, &storage));
        TRY(bundle_make(s->ca, storage));
        *out_body = buf_view(storage);
        return OK;
    }
    return E(FIELD_INVALID);
}

ERRFN handle_pki_document(struct call *call, const struct ipc_pki_document_request *request,
                          struct ipc_pki_document_reply *out_reply)
{
    TRY(find_document(call, (enum ipc_document)request->document, &out_reply->body));
    return sha256(out_reply->body, out_reply->sha256);
}
