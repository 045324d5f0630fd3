/* POST /machines/enroll: a machine that shows its enrollment certificate and proves that it has its key (contract A.2, A.3). */
#include "signer/certified.h"
#include "signer/record.h"

#include <stdio.h>

/* A certificate shows who a machine is and nothing of what it booted. */
static ERRFN admit(struct call *call, struct machine *machine, const char *proof, struct ipc_enroll_reply *out_reply)
{
    const char *before = machine_status_name((enum machine_status)machine->status);
    out_reply->again = machine->status == MACHINE_ATTESTED;
    if (machine->status == MACHINE_REGISTERED && !call->signer->settings.certificate_enrollment) {
        out_reply->reason = ERR_CODE_ATTESTATION_REQUIRED;
        return record_act(call, "enroll_recorded", before, before, err_reason(E(ATTESTATION_REQUIRED)), proof);
    }
    if (machine->status == MACHINE_REGISTERED) {
        machine->status = MACHINE_ATTESTED;
        machine->attested_at = call->now_ms;
        snprintf(machine->assurance, sizeof machine->assurance, "certificate");
        TRY(machine_update(call->signer->db, machine));
    }
    return record_act(call, "enroll", before, machine_status_name(MACHINE_ATTESTED), NULL, proof);
}

ERRFN handle_enroll(struct call *call, const struct ipc_enroll_request *request, struct ipc_enroll_reply *out_reply)
{
    struct certified certified;
    struct machine *machine = &certified.machine;
    bool by_tls = request->handshake.len > 0;
    call->keep = true; /* a nonce is used up whatever comes */
    TRY(by_tls ? certified_by_handshake(call, request->handshake, &certified) : certified_by_nonce(call, request, &certified));
    TRY(admit(call, machine, by_tls ? "{\"proof\":\"tls_handshake\"}" : "{\"proof\":\"nonce_signature\"}", out_reply));
    out_reply->status = (uint8_t)machine->status;
    TRY(call_text(call, machine->machine_id, &out_reply->machine_id));
    TRY(call_text(call, machine->hostname, &out_reply->hostname));
    TRY(call_text(call, machine->role, &out_reply->role));
    return call_text(call, machine->assurance, &out_reply->assurance);
}
