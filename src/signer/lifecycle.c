#include "signer/lifecycle.h"

#include "signer/record.h"
#include "sql/certificates.h"
#include "sql/tokens.h"

#include <string.h>

static ERRFN check_state(const struct machine *machine, unsigned allowed, enum machine_status next, enum machine_status *out_status)
{
    ENSURE((allowed >> machine->status) & 1, MACHINE_STATE);
    *out_status = next;
    return OK;
}

#define IN(status) (1U << (status))

ERRFN lifecycle_next(enum lifecycle_event event, const struct machine *machine, enum machine_status *out_status)
{
    const unsigned any = IN(MACHINE_PENDING_APPROVAL) | IN(MACHINE_REGISTERED) | IN(MACHINE_ATTESTED) | IN(MACHINE_LOCKED) |
                         IN(MACHINE_REVOKED) | IN(MACHINE_REJECTED);
    switch (event) {
    case LIFECYCLE_LOCK:
        return check_state(machine, IN(MACHINE_REGISTERED) | IN(MACHINE_ATTESTED), MACHINE_LOCKED, out_status);
    case LIFECYCLE_UNLOCK:
        return check_state(machine, IN(MACHINE_LOCKED), (enum machine_status)machine->status_before_lock, out_status);
    case LIFECYCLE_REVOKE:
        return check_state(machine, any & ~IN(MACHINE_REVOKED), MACHINE_REVOKED, out_status);
    case LIFECYCLE_REJECT:
        return check_state(machine, IN(MACHINE_PENDING_APPROVAL) | IN(MACHINE_REGISTERED), MACHINE_REJECTED, out_status);
    case LIFECYCLE_DELETE:
        return check_state(machine, IN(MACHINE_REVOKED) | IN(MACHINE_REJECTED), MACHINE_NONE, out_status);
    case LIFECYCLE_NONE:
        break;
    }
    return E(BUG);
}

static const char *event_name(enum lifecycle_event event)
{
    switch (event) {
    case LIFECYCLE_LOCK:
        return "lock";
    case LIFECYCLE_UNLOCK:
        return "unlock";
    case LIFECYCLE_REVOKE:
        return "revoke";
    case LIFECYCLE_REJECT:
        return "reject";
    case LIFECYCLE_DELETE:
        return "delete";
    case LIFECYCLE_NONE:
        break;
    }
    return "none";
}

/* Whatever still let the machine in, or would let it in later. */
static ERRFN take_away(struct call *call, const struct machine *machine, enum certificate_reason reason)
{
    struct db *db = call->signer->db;
    TRY(config_token_kill(db, machine->machine_id));
    TRY(vote_kill(db, machine->machine_id));
    return certificate_revoke_machine(db, machine->machine_id, call->now_ms, reason);
}

static ERRFN carry_out(struct call *call, enum lifecycle_event event, const struct act *act, struct machine *machine)
{
    switch (event) {
    case LIFECYCLE_LOCK:
        machine->status_before_lock = machine->status;
        machine->locked_at = call->now_ms;
        return take_away(call, machine, CERTIFICATE_REASON_HOLD);
    case LIFECYCLE_UNLOCK:
        machine->locked_at = 0;
        machine->status_before_lock = MACHINE_NONE;
        return certificate_release_machine(call->signer->db, machine->machine_id);
    case LIFECYCLE_REVOKE:
        machine->revoked_at = call->now_ms;
        machine->wipe_pending = act->wipe;
        machine->status_before_lock = MACHINE_NONE;
        return take_away(call, machine, CERTIFICATE_REASON_PRIVILEGE_WITHDRAWN);
    case LIFECYCLE_REJECT:
        return take_away(call, machine, CERTIFICATE_REASON_PRIVILEGE_WITHDRAWN);
    case LIFECYCLE_DELETE:
        return machine_delete(call->signer->db, machine->machine_id);
    case LIFECYCLE_NONE:
        break;
    }
    return E(BUG);
}

static const char *none_if_empty(const char *text)
{
    return text[0] ? text : NULL;
}

ERRFN lifecycle_apply(struct call *call, enum lifecycle_event event, const struct act *act, struct machine *machine)
{
    enum machine_status before = (enum machine_status)machine->status;
    enum machine_status next;
    TRY(lifecycle_next(event, machine, &next));
    TRY(carry_out(call, event, act, machine));
    if (event != LIFECYCLE_DELETE) {
        machine->status = (int)next;
        TRY(machine_update(call->signer->db, machine));
    }
    return record_act(call, event_name(event), machine_status_name(before),
                      event == LIFECYCLE_DELETE ? NULL : machine_status_name(next), none_if_empty(act->reason),
                      act->wipe ? "{\"wipe\":true}" : NULL);
}

ERRFN lifecycle_close_gates(struct call *call, const struct machine *before, struct machine *machine)
{
    struct db *db = call->signer->db;
    machine->gates = 0;
    TRY(config_token_kill(db, machine->machine_id));
    if (strcmp(before->role, machine->role) != 0) {
        /* Every certificate names the role. */
        return certificate_revoke_machine(db, machine->machine_id, call->now_ms, CERTIFICATE_REASON_AFFILIATION_CHANGED);
    }
    /* A SPIFFE ID may name the host or the cluster. */
    return certificate_revoke_kind(db, machine->machine_id, CERTIFICATE_SVID, call->now_ms, CERTIFICATE_REASON_SUPERSEDED);
}

ERRFN lifecycle_end_wipe(struct call *call, const struct act *act, struct machine *machine)
{
    ENSURE(machine->status == MACHINE_REVOKED && machine->wipe_pending, MACHINE_STATE);
    machine->wipe_pending = false;
    TRY(wipe_token_kill(call->signer->db, machine->machine_id));
    TRY(machine_update(call->signer->db, machine));
    const char *state = machine_status_name(MACHINE_REVOKED);
    return record_act(call, "wipe_acknowledged", state, state, none_if_empty(act->reason), NULL);
}
