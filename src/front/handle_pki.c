/* GET /pki/…: what everybody may have, with an ETag (RFC 9110 section 8.8.3). */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "front/route.h"

/* "<64 hex>" in quotes; If-None-Match may list several, weak ones too. */
static bool is_known(const struct exchange *x)
{
    return strstr(x->if_none_match, x->etag) || strcmp(x->if_none_match, "*") == 0;
}

static ERRFN answer_document(struct exchange *x, const struct ipc_pki_document_reply *reply)
{
    char hash[HEX_TEXT_SIZE(sizeof reply->sha256)];
    hex_encode(view_of(reply->sha256, sizeof reply->sha256), hash);
    snprintf(x->etag, sizeof x->etag, "\"%s\"", hash);
    if (is_known(x)) {
        x->status = 304;
        return OK;
    }
    return buf_copy(reply->body, &x->answer);
}

static ERRFN answer(struct exchange *x, enum ipc_document document, const char *media_type)
{
    struct ipc_pki_document_request request = {.source_ip = view_text(x->source_ip),
                                               .document = (uint8_t)document};
    struct ipc_pki_document_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_pki_document(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_document(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    x->answer_type = media_type;
    return done;
}

ERRFN handle_pki_ca(struct exchange *x)
{
    return answer(x, IPC_DOCUMENT_CA, "application/x-pem-file");
}

ERRFN handle_pki_crl(struct exchange *x)
{
    return answer(x, IPC_DOCUMENT_CRL, "application/pkix-crl"); /* RFC 2585 section 4.2 */
}

ERRFN handle_pki_bundle(struct exchange *x)
{
    return answer(x, IPC_DOCUMENT_BUNDLE, "application/json");
}
