/* POST /attest: possession of the EK, an AK in the same TPM, a fresh quote, policy's verdict; only then a configuration token. */
#include "base/random.h"
#include "base/text.h"
#include "signer/appraise.h"
#include "signer/identity.h"
#include "signer/join.h"
#include "signer/machine_reply.h"
#include "signer/record.h"
#include "signer/register.h"
#include "signer/verdict.h"
#include "sql/tokens.h"

#include <string.h>

enum {
    TOKEN_BYTES = 32,
    CONFIG_TOKEN_TTL_MS = 15 * 60 * 1000,
    WIPE_TOKEN_TTL_MS = 60 * 60 * 1000 /* disks take their time; whoever is late attests again */
};

/* A new token, of which only the hash is kept. */
static ERRFN make_token(struct call *call, uint8_t out_hash[static SHA384_BYTES], struct view *out_token)
{
    uint8_t bytes[TOKEN_BYTES];
    struct buf *text;
    TRY(call_buffer(call, IPC_TOKEN_MAX, &text));
    random_bytes(bytes, sizeof bytes);
    err_t encoded = buf_put_base64url(text, view_of(bytes, sizeof bytes));
    bytes_wipe(bytes, sizeof bytes);
    TRY(encoded);
    TRY(sha384(buf_view(text), out_hash));
    *out_token = buf_view(text);
    return OK;
}

static ERRFN issue_config_token(struct call *call, const struct machine *machine, struct view *out_token)
{
    uint8_t hash[SHA384_BYTES];
    TRY(make_token(call, hash, out_token));
    return config_token_put(call->signer->db, machine->machine_id, call->ek_fingerprint, hash, call->now_ms + CONFIG_TOKEN_TTL_MS);
}

static ERRFN describe_machine(struct call *call, const struct machine *machine, struct ipc_attest_reply *out_reply)
{
    TRY(call_text(call, machine->hostname, &out_reply->hostname));
    TRY(call_text(call, machine->role, &out_reply->role));
    return call_text(call, machine->assurance, &out_reply->assurance);
}

/* Policy accepts: the machine is attested from here on. */
static ERRFN grant(struct call *call, struct machine *machine, const struct appraisal *appraisal,
                   struct ipc_attest_reply *out_reply)
{
    const char *before = machine_status_name((enum machine_status)machine->status);
    out_reply->again = machine->status == MACHINE_ATTESTED;
    machine->status = MACHINE_ATTESTED;
    machine->attested_at = call->now_ms;
    verdict_take(&appraisal->verdict, call->now_ms, machine);
    TRY(identity_assurance(&appraisal->trust, ak_key_name(appraisal->possession.ak->key_type), machine->assurance,
                           sizeof machine->assurance));
    TRY(machine_update(call->signer->db, machine));
    TRY(issue_config_token(call, machine, &out_reply->config_token));
    TRY(record_act(call, "attest", before, machine_status_name(MACHINE_ATTESTED), NULL, NULL));
    out_reply->status = MACHINE_ATTESTED;
    out_reply->action = IPC_ACTION_APPLY_CONFIG;
    TRY(machine_eks_reply(call, machine, &out_reply->eks));
    return describe_machine(call, machine, out_reply);
}

/* Revoked, with the order to wipe itself; with the token it says that it did. */
static ERRFN order_wipe(struct call *call, const struct machine *machine, struct ipc_attest_reply *out_reply)
{
    uint8_t hash[SHA384_BYTES];
    out_reply->action = IPC_ACTION_WIPE;
    TRY(make_token(call, hash, &out_reply->wipe_token));
    TRY(wipe_token_put(call->signer->db, machine->machine_id, hash, call->now_ms + WIPE_TOKEN_TTL_MS));
    return record_act(call, "wipe_ordered", machine_status_name(MACHINE_REVOKED), NULL, NULL, NULL);
}

/* Policy refuses what the machine proved: the gates that enforce it close, the evidence stays. */
static ERRFN withhold(struct call *call, struct machine *machine, const struct policy_verdict *verdict,
                      struct ipc_attest_reply *out_reply)
{
    err_t reason = verdict_reason(verdict);
    const char *state = machine_status_name((enum machine_status)machine->status);
    verdict_take(verdict, call->now_ms, machine);
    TRY(machine_update(call->signer->db, machine));
    TRY(config_token_kill(call->signer->db, machine->machine_id));
    TRY(record_act(call, "attest_policy_failed", state, state, err_reason(reason), NULL));
    out_reply->reason = reason.code;
    return describe_machine(call, machine, out_reply);
}

/* The states in which nothing is appraised. OK with *out_done when the reply is complete. */
static ERRFN answer_by_state(struct call *call, const struct machine *machine, struct ipc_attest_reply *out_reply,
                             bool *out_done)
{
    *out_done = true;
    switch ((enum machine_status)machine->status) {
    case MACHINE_PENDING_APPROVAL:
        out_reply->reason = ERR_CODE_MACHINE_PENDING;
        return record_refusal(call, E(MACHINE_PENDING));
    case MACHINE_LOCKED:
        out_reply->reason = ERR_CODE_MACHINE_LOCKED;
        out_reply->action = IPC_ACTION_LOCK;
        return record_refusal(call, E(MACHINE_LOCKED));
    case MACHINE_REJECTED:
        return E(MACHINE_REJECTED);
    case MACHINE_REVOKED:
        ENSURE(machine->wipe_pending, MACHINE_REVOKED);
        *out_done = false;
        return OK;
    case MACHINE_REGISTERED:
    case MACHINE_ATTESTED:
        *out_done = false;
        return OK;
    case MACHINE_NONE:
        break;
    }
    return E(BUG);
}

static ERRFN describe_verdict(struct call *call, const struct policy_verdict *verdict, struct ipc_attest_reply *out_reply)
{
    out_reply->verdict = verdict_on_wire(verdict->result);
    out_reply->chain = outcome_on_wire(verdict->chain.outcome);
    out_reply->replay = outcome_on_wire(verdict->replay.outcome);
    out_reply->policy = outcome_on_wire(verdict->policy.outcome);
    bool holds = verdict->result != POLICY_RESULT_FAIL;
    out_reply->valid_until = holds ? verdict->valid_until_ms : 0;
    out_reply->reattest_after = holds ? (uint32_t)(call->signer->policy->reattest_every_ms / 1000) : 0;
    TRY(call_text(call, verdict->baseline, &out_reply->baseline));
    TRY(call_text(call, verdict->note, &out_reply->note));
    return verdict_failures(call, verdict, &out_reply->failures);
}

static ERRFN decide(struct call *call, struct machine *machine, const struct ek *ek, const struct appraisal *appraisal,
                    struct ipc_attest_reply *out_reply)
{
    TRY(appraisal_store(call, machine, ek, appraisal));
    TRY(describe_verdict(call, &appraisal->verdict, out_reply));
    out_reply->proved = 1;
    out_reply->policy_version = call->signer->policy->version;
    if (machine->status == MACHINE_REVOKED) {
        return order_wipe(call, machine, out_reply);
    }
    if (appraisal->verdict.result == POLICY_RESULT_FAIL) {
        return withhold(call, machine, &appraisal->verdict, out_reply);
    }
    return grant(call, machine, appraisal, out_reply);
}

/* An unknown EK is registered by its first contact, whichever it is. */
static ERRFN find_or_register(struct call *call, const struct ipc_attest_request *request, const struct ek *ek,
                              struct machine *out_machine)
{
    err_t found = identity_machine(call, ek, out_machine);
    if (!IS_E(found, MACHINE_UNKNOWN)) {
        return found;
    }
    struct registration wishes = {
        .hw_uuid = request->hw_uuid,
        .hw_mac = request->hw_mac,
        .hw_serial = request->hw_serial,
        .hw_product = request->hw_product,
    };
    return register_machine(call, &wishes, ek, out_machine);
}

/* In which states a proof can change the answer. Who waits for approval may be the other EK of a machine that doesn't. */
static bool proof_counts(const struct machine *machine, const struct ipc_attest_request *request)
{
    switch ((enum machine_status)machine->status) {
    case MACHINE_PENDING_APPROVAL:
        return request->session_id.len > 0 && request->activated_secret.len > 0;
    case MACHINE_REGISTERED:
    case MACHINE_ATTESTED:
        return true;
    case MACHINE_REVOKED:
        return machine->wipe_pending;
    case MACHINE_LOCKED:
    case MACHINE_REJECTED:
    case MACHINE_NONE:
        break;
    }
    return false;
}

static ERRFN attest(struct call *call, const struct ipc_attest_request *request, const struct ek *ek, struct machine *machine,
                    struct appraisal *appraisal, struct ipc_attest_reply *out_reply)
{
    if (proof_counts(machine, request)) {
        /* From here on a nonce or session is used up whatever comes, and beside a join nothing is written before the verdict. */
        call->keep = true;
        TRY(possession_prove(call, request, &appraisal->possession));
        TRY(join_machine(call, ek, &appraisal->possession, machine));
    }
    TRY(call_text(call, machine->machine_id, &out_reply->machine_id));
    out_reply->status = (uint8_t)machine->status;
    out_reply->action = IPC_ACTION_NONE;
    out_reply->verdict = IPC_VERDICT_NOT_EVALUATED;
    bool done;
    TRY(answer_by_state(call, machine, out_reply, &done));
    if (done) {
        return OK;
    }
    TRY(appraise(call, request, machine, ek, VIEW_EMPTY, appraisal));
    call->keep = false;
    return decide(call, machine, ek, appraisal, out_reply);
}

ERRFN handle_attest(struct call *call, const struct ipc_attest_request *request, struct ipc_attest_reply *out_reply)
{
    AUTO(ek) ek = NULL;
    struct machine machine;
    struct appraisal appraisal = {0};
    TRY(identity_read(call, request->ek, request->ek_source, request->ek_fingerprint, &ek));
    TRY(find_or_register(call, request, ek, &machine));
    err_t attested = attest(call, request, ek, &machine, &appraisal, out_reply);
    appraisal_clear(&appraisal);
    return attested;
}
