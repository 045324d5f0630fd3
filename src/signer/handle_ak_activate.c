/* POST /machines/{id}/ak-activate: what attest does for the AK part alone. Proves that an EK and an AK sit in one TPM, keeps the AK, and
 * joins the EK to the machine whose AK this is. Grants nothing. */
#include "base/text.h"
#include "signer/appraise.h"
#include "signer/identity.h"
#include "signer/join.h"
#include "signer/record.h"

#include <string.h>

/* A locked machine may: an AK opens nothing. */
static ERRFN check_state(const struct machine *machine)
{
    ENSURE(machine->status != MACHINE_PENDING_APPROVAL, MACHINE_PENDING);
    ENSURE(machine->status != MACHINE_REJECTED, MACHINE_REJECTED);
    ENSURE(machine->status != MACHINE_REVOKED, MACHINE_REVOKED);
    return OK;
}

static ERRFN check_sent(struct call *call, const struct ipc_ak_activate_request *request)
{
    if (request->session_id.len == 0) {
        return call_refuse(call, E(FIELD_MISSING), "body.session_id");
    }
    if (request->activated_secret.len == 0) {
        return call_refuse(call, E(FIELD_MISSING), "body.activated_secret");
    }
    return OK;
}

/* The quote may be absent; one that is there must be good. */
static ERRFN prove(struct call *call, const struct ipc_ak_activate_request *request, struct appraisal *appraisal)
{
    const struct ipc_attest_request evidence = {
        .session_id = request->session_id,
        .nonce_id = request->nonce_id,
        .activated_secret = request->activated_secret,
        .ak_public = request->ak_public,
        .quote = request->quote,
        .signature = request->signature,
        .pcr_values = request->pcr_values,
    };
    TRY(possession_prove(call, &evidence, &appraisal->possession));
    bool quoted = request->quote.len > 0 || request->signature.len > 0;
    return quoted ? appraise_quote(call, &evidence, VIEW_EMPTY, appraisal) : OK;
}

/* Before anything changes: the machine in the path is the one that the proof leads to. */
static ERRFN check_target(struct call *call, const struct ipc_ak_activate_request *request, const struct machine *own,
                          const struct join *join)
{
    const char *leads_to = join->needed ? join->machine.machine_id : own->machine_id;
    if (!view_equal(request->machine_id, view_text(leads_to))) {
        return call_refuse(call, E(EK_NOT_OF_MACHINE), "path.machine_id");
    }
    return OK;
}

static ERRFN activate(struct call *call, const struct ipc_ak_activate_request *request, const struct ek *ek,
                      struct appraisal *appraisal, struct ipc_ak_activate_reply *out_reply)
{
    struct machine machine;
    struct join join;
    TRY(identity_machine(call, ek, &machine));
    /* The session is used up whatever comes, and an EK that joined a revoked machine stays its EK. */
    call->keep = true;
    TRY(prove(call, request, appraisal));
    TRY(identity_trust(call, ek, &appraisal->trust));
    TRY(join_find(call, ek, &appraisal->possession, &machine, &join));
    TRY(check_target(call, request, &machine, &join));
    TRY(join_apply(call, ek, &appraisal->possession, &join, &machine));
    TRY(check_state(&machine));
    TRY(possession_store(call, &machine, ek, &appraisal->possession));
    out_reply->joined = join.needed;
    const char *state = machine_status_name((enum machine_status)machine.status);
    TRY(record_act(call, "ak_activate", state, state, NULL, NULL));
    return call_text(call, machine.machine_id, &out_reply->machine_id);
}

ERRFN handle_ak_activate(struct call *call, const struct ipc_ak_activate_request *request, struct ipc_ak_activate_reply *out_reply)
{
    AUTO(ek) ek = NULL;
    struct appraisal appraisal = {0};
    TRY(check_sent(call, request));
    TRY(identity_read(call, request->ek, request->ek_source, request->ek_fingerprint, &ek));
    err_t activated = activate(call, request, ek, &appraisal, out_reply);
    appraisal_clear(&appraisal);
    return activated;
}
