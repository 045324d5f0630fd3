/* POST /machines/{id}/lock, unlock, revoke, reject and wipe-ack, DELETE /machines/{id}. What takes away needs a token; what gives back
 * something that an operator took, or ends an order, is signed. */
#include "crypto/digest.h"
#include "signer/lifecycle.h"
#include "signer/machine_reply.h"
#include "signer/operator.h"
#include "sql/tokens.h"

#include <stdio.h>

static ERRFN apply(struct call *call, struct view machine_id, enum lifecycle_event event, const struct act *act, bool grants,
                   struct ipc_list *out_machine)
{
    struct machine machine;
    TRY(machine_find(call, machine_id, &machine));
    TRY(act_check_identity(call, act->ek_fingerprint, &machine, grants));
    TRY(lifecycle_apply(call, event, act, &machine));
    call->keep = false;
    return machine_reply(call, &machine, out_machine);
}

static ERRFN take_away(struct call *call, const struct operator_act *operator_act, struct view machine_id,
                       enum lifecycle_event event, struct ipc_list *out_machine)
{
    struct act act;
    TRY(operator_may_read(call, operator_act));
    TRY(act_parse(call, operator_act->body, event == LIFECYCLE_REVOKE, &act));
    return apply(call, machine_id, event, &act, false, out_machine);
}

/* Authenticates what is signed, as it would be asked for: /api/v1/machines/{id}<verb>. */
static ERRFN may_grant(struct call *call, const struct operator_act *operator_act, const char *method, struct view machine_id,
                       const char *verb)
{
    char target[IPC_TARGET_MAX];
    int len = snprintf(target, sizeof target, "/api/v1/machines/%.*s%s", (int)machine_id.len, (const char *)machine_id.data, verb);
    ENSURE(len > 0 && (size_t)len < sizeof target, TOO_LONG);
    TRY(operator_may_grant(call, operator_act, method, target));
    /* A signed request is used up even when it is refused for what it asks. */
    call->keep = true;
    return OK;
}

ERRFN handle_machine_lock(struct call *call, const struct ipc_machine_lock_request *request, struct ipc_machine_lock_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    return take_away(call, &act, request->machine_id, LIFECYCLE_LOCK, &out_reply->machine);
}

ERRFN handle_machine_revoke(struct call *call, const struct ipc_machine_revoke_request *request,
                            struct ipc_machine_revoke_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    return take_away(call, &act, request->machine_id, LIFECYCLE_REVOKE, &out_reply->machine);
}

ERRFN handle_machine_reject(struct call *call, const struct ipc_machine_reject_request *request,
                            struct ipc_machine_reject_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    return take_away(call, &act, request->machine_id, LIFECYCLE_REJECT, &out_reply->machine);
}

ERRFN handle_machine_unlock(struct call *call, const struct ipc_machine_unlock_request *request,
                            struct ipc_machine_unlock_reply *out_reply)
{
    struct operator_act operator_act = OPERATOR_ACT(request);
    struct act act;
    TRY(may_grant(call, &operator_act, "POST", request->machine_id, "/unlock"));
    TRY(act_parse(call, request->body, false, &act));
    return apply(call, request->machine_id, LIFECYCLE_UNLOCK, &act, true, &out_reply->machine);
}

/* Lets the EK register again, so it undoes what an operator decided. */
ERRFN handle_machine_delete(struct call *call, const struct ipc_machine_delete_request *request,
                            struct ipc_machine_delete_reply *out_reply)
{
    struct operator_act operator_act = OPERATOR_ACT(request);
    const struct act act = {0};
    TRY(may_grant(call, &operator_act, "DELETE", request->machine_id, ""));
    return apply(call, request->machine_id, LIFECYCLE_DELETE, &act, false, &out_reply->machine);
}

/* Tells a caller without the token nothing, not even whether there is such a machine. */
static ERRFN take_wipe_token(struct call *call, const struct ipc_machine_wipe_ack_request *request)
{
    char machine_id[MACHINE_ID_SIZE];
    uint8_t hash[SHA384_BYTES];
    TRY(view_to_text(request->machine_id, machine_id, sizeof machine_id));
    TRY(sha384(request->wipe_token, hash));
    return wipe_token_take(call->signer->db, machine_id, hash, call->now_ms);
}

ERRFN handle_machine_wipe_ack(struct call *call, const struct ipc_machine_wipe_ack_request *request,
                              struct ipc_machine_wipe_ack_reply *out_reply)
{
    struct act act = {0};
    struct machine machine;
    if (request->wipe_token.len > 0) {
        TRY(take_wipe_token(call, request));
    } else {
        struct operator_act operator_act = OPERATOR_ACT(request);
        TRY(may_grant(call, &operator_act, "POST", request->machine_id, "/wipe-ack"));
        TRY(act_parse(call, request->body, false, &act));
    }
    TRY(machine_find(call, request->machine_id, &machine));
    TRY(act_check_identity(call, act.ek_fingerprint, &machine, false));
    TRY(lifecycle_end_wipe(call, &act, &machine));
    call->keep = false;
    return machine_reply(call, &machine, &out_reply->machine);
}
