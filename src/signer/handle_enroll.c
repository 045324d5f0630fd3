/* POST /machines/enroll: a machine that shows its enrollment certificate and signs a nonce of ours with its key (contract A.2, A.3). */
#include "base/text.h"
#include "pki/presented.h"
#include "signer/gate.h"
#include "signer/machine_reply.h"
#include "signer/record.h"
#include "sql/certificates.h"
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

/* Ours, proved, and of the machine that it was issued to: an SVID or a certificate from before its TPM was replaced is not. */
static ERRFN find_machine(struct call *call, const struct presented *presented, struct certificate *out_certificate,
                          struct machine *out_machine)
{
    char name[CERTIFICATE_NAME_SIZE];
    err_t known = certificate_get(call->signer->db, presented->serial, out_certificate);
    ENSURE(!IS_E(known, CERTIFICATE_UNKNOWN), CERTIFICATE_INVALID);
    TRY(known);
    ENSURE(memcmp(out_certificate->sha256, presented->sha256, sizeof presented->sha256) == 0, CERTIFICATE_INVALID);
    ENSURE(out_certificate->kind == CERTIFICATE_ENROLLMENT, CERTIFICATE_INVALID);
    err_t found = machine_find(call, view_text(out_certificate->machine_id), out_machine);
    ENSURE(!IS_E(found, MACHINE_UNKNOWN), CERTIFICATE_HELD);
    TRY(found);
    snprintf(name, sizeof name, "urn:itl:ek:%s", out_machine->ek_fingerprint);
    ENSURE(strcmp(out_certificate->name, name) == 0, CERTIFICATE_INVALID);
    return OK;
}

static ERRFN authenticate(struct call *call, const struct ipc_enroll_request *request, struct machine *out_machine)
{
    struct presented presented = {0};
    struct certificate certificate;
    TRY(take_nonce(call, request));
    err_t parsed = presented_parse(call->signer->ca, request->certificate, call->now_ms, &presented);
    if (!IS_OK(parsed)) {
        return call_refuse(call, parsed, "body.cert_pem");
    }
    err_t proved = presented_check_signature(&presented, request->nonce, request->signature);
    proved = IS_OK(proved) ? find_machine(call, &presented, &certificate, out_machine) : proved;
    presented_clear(&presented);
    TRY(proved);
    if (out_machine->status != MACHINE_REGISTERED) {
        TRY(gate_check_state(out_machine));
    }
    ENSURE(certificate.revoked_ms == 0, CERTIFICATE_HELD);
    return OK;
}

/* A certificate shows who a machine is and nothing of what it booted. */
static ERRFN admit(struct call *call, struct machine *machine, struct ipc_enroll_reply *out_reply)
{
    const char *before = machine_status_name((enum machine_status)machine->status);
    out_reply->again = machine->status == MACHINE_ATTESTED;
    if (machine->status == MACHINE_REGISTERED && !call->signer->settings.certificate_enrollment) {
        out_reply->reason = ERR_CODE_ATTESTATION_REQUIRED;
        return record_act(call, "enroll_recorded", before, before, err_reason(E(ATTESTATION_REQUIRED)), NULL);
    }
    if (machine->status == MACHINE_REGISTERED) {
        machine->status = MACHINE_ATTESTED;
        machine->attested_at = call->now_ms;
        snprintf(machine->assurance, sizeof machine->assurance, "certificate");
        TRY(machine_update(call->signer->db, machine));
    }
    return record_act(call, "enroll", before, machine_status_name(MACHINE_ATTESTED), NULL, NULL);
}

ERRFN handle_enroll(struct call *call, const struct ipc_enroll_request *request, struct ipc_enroll_reply *out_reply)
{
    struct machine machine;
    /* The nonce is used up whatever comes. */
    call->keep = true;
    TRY(authenticate(call, request, &machine));
    TRY(admit(call, &machine, out_reply));
    out_reply->status = (uint8_t)machine.status;
    TRY(call_text(call, machine.machine_id, &out_reply->machine_id));
    TRY(call_text(call, machine.hostname, &out_reply->hostname));
    TRY(call_text(call, machine.role, &out_reply->role));
    return call_text(call, machine.assurance, &out_reply->assurance);
}
