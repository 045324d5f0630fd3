#include "signer/certified.h"

#include "base/clock.h"
#include "base/text.h"
#include "pki/handshake.h"
#include "signer/gate.h"
#include "signer/machine_reply.h"
#include "sql/proof.h"

#include <stdio.h>
#include <string.h>

/* What was signed must be the text that we gave out with this id. */
static ERRFN take_nonce(struct call *call, const struct ipc_enroll_request *request)
{
    uint8_t nonce[PROOF_NONCE_BYTES];
    AUTO(buf) text = NULL;
    ENSURE(request->nonce_id.len > 0, NONCE_MISSING);
    ENSURE(request->nonce_id.len == PROOF_ID_BYTES, NONCE_UNKNOWN);
    TRY(nonce_take(call->signer->db, request->nonce_id.data, call->now_ms, nonce));
    TRY(buf_new(BASE64_TEXT_SIZE(PROOF_NONCE_BYTES), &text));
    TRY(buf_put_base64(text, view_of(nonce, sizeof nonce)));
    ENSURE(view_equal(buf_view(text), request->nonce), NONCE_UNKNOWN);
    return OK;
}

/* Ours, and of the machine that it was issued to: an SVID or a certificate from before its TPM was replaced is not. */
static ERRFN find_machine(struct call *call, const struct presented *presented, struct certified *out)
{
    char name[CERTIFICATE_NAME_SIZE];
    err_t known = certificate_get(call->signer->db, presented->serial, &out->certificate);
    ENSURE(!IS_E(known, CERTIFICATE_UNKNOWN), CERTIFICATE_INVALID);
    TRY(known);
    ENSURE(memcmp(out->certificate.sha256, presented->sha256, sizeof presented->sha256) == 0, CERTIFICATE_INVALID);
    ENSURE(out->certificate.kind == CERTIFICATE_ENROLLMENT, CERTIFICATE_INVALID);
    err_t found = machine_find(call, view_text(out->certificate.machine_id), &out->machine);
    ENSURE(!IS_E(found, MACHINE_UNKNOWN), CERTIFICATE_HELD);
    TRY(found);
    snprintf(name, sizeof name, "urn:itl:ek:%s", out->machine.ek_fingerprint);
    ENSURE(strcmp(out->certificate.name, name) == 0, CERTIFICATE_INVALID);
    return OK;
}

/* The state's reason comes before the certificate's: that is on hold because the machine is locked. */
static ERRFN check_state(const struct certified *certified)
{
    if (certified->machine.status != MACHINE_REGISTERED) {
        TRY(gate_check_state(&certified->machine));
    }
    ENSURE(certified->certificate.revoked_ms == 0, CERTIFICATE_HELD);
    return OK;
}

static ERRFN finish(struct call *call, err_t proved, struct presented *presented, struct certified *out_certified)
{
    err_t found = IS_OK(proved) ? find_machine(call, presented, out_certified) : proved;
    presented_clear(presented);
    TRY(found);
    return check_state(out_certified);
}

ERRFN certified_by_nonce(struct call *call, const struct ipc_enroll_request *request, struct certified *out_certified)
{
    struct presented presented = {0};
    TRY(take_nonce(call, request));
    err_t parsed = presented_parse(call->signer->ca, request->certificate, call->now_ms, &presented);
    if (!IS_OK(parsed)) {
        return call_refuse(call, parsed, "body.cert_pem");
    }
    return finish(call, presented_check_signature(&presented, request->nonce, request->signature), &presented, out_certified);
}

ERRFN certified_by_handshake(struct call *call, struct view messages, struct certified *out_certified)
{
    struct handshake handshake;
    struct presented presented = {0};
    ENSURE(messages.len > 0, CLIENT_CERTIFICATE_MISSING);
    TRY(handshake_parse(messages, IPC_TLS_ANCHOR_EXTENSION, &handshake));
    TRY(tls_anchors_check(&call->signer->tls_anchors, &handshake, clock_monotonic_ms()));
    TRY(presented_parse(call->signer->ca, handshake.client_certificate, call->now_ms, &presented));
    return finish(call, handshake_check_client(&handshake, &presented), &presented, out_certified);
}
