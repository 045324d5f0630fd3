#include "signer/join.h"

#include "base/text.h"
#include "signer/identity.h"
#include "signer/record.h"

#include <string.h>

enum { DETAIL_MAX_BYTES = 512 }; /* two fingerprints and an id */

/* A detail of {"ek_fingerprint", "proved_with", "machine_id"}, and the row. */
static ERRFN record_join(struct call *call, const char *action, const struct join *join, const char *prev_state, const char *new_state,
                         const char *reason)
{
    AUTO(buf) detail = NULL;
    TRY(buf_new(DETAIL_MAX_BYTES, &detail));
    TRY(buf_printf(detail, "{\"ek_fingerprint\":\"%s\",\"proved_with\":\"%s\",\"machine_id\":\"%s\"}", call->ek_fingerprint,
                   join->proved_with, join->machine.machine_id));
    TRY(buf_put_u8(detail, 0));
    return record_act(call, action, prev_state, new_state, reason, (const char *)detail->data);
}

static ERRFN holder_counts(struct call *call, const struct ak_holder *holder, bool *out_counts)
{
    AUTO(ek) ek = NULL;
    TRY(identity_stored_certificate(call, holder->ek_fingerprint, &ek));
    return identity_vouched(call, ek, out_counts);
}

/* The machines of EKs that the AK was activated with, beside `own`: none, one, or too many. */
static ERRFN find_others(struct call *call, struct view ak_name, const struct machine *own, struct join *join, bool *out_ambiguous)
{
    struct ak_holder holders[AK_HOLDERS_MAX];
    size_t count;
    TRY(ak_holders(call->signer->db, ak_name, holders, &count));
    for (size_t i = 0; i < count; i++) {
        bool counts = strcmp(holders[i].machine_id, own->machine_id) != 0;
        bool again = join->needed && strcmp(holders[i].machine_id, join->machine.machine_id) == 0;
        if (!counts || again) {
            continue;
        }
        TRY(holder_counts(call, &holders[i], &counts));
        if (!counts) {
            continue;
        }
        *out_ambiguous = join->needed;
        if (join->needed) {
            return OK;
        }
        join->needed = true;
        memcpy(join->proved_with, holders[i].ek_fingerprint, sizeof join->proved_with);
        TRY(machine_by_id(call->signer->db, holders[i].machine_id, &join->machine));
    }
    return OK;
}

static ERRFN refuse_conflict(struct call *call, const struct machine *own, const struct join *join)
{
    const char *state = machine_status_name((enum machine_status)own->status);
    TRY(record_join(call, "ek_conflict", join, state, state, err_reason(E(EK_OF_ANOTHER_MACHINE))));
    return E(EK_OF_ANOTHER_MACHINE);
}

ERRFN join_find(struct call *call, const struct ek *ek, const struct possession *possession, const struct machine *own,
                struct join *out_join)
{
    struct join join = {0};
    struct ek_summary eks[MACHINE_EKS_MAX];
    bool ambiguous = false;
    bool vouched = false;
    size_t count;
    *out_join = join;
    /* A revoked machine's own EK is to hear of that, and perhaps to wipe, whatever else is known. */
    if (!possession->ak_is_new || own->status == MACHINE_REVOKED) {
        return OK;
    }
    TRY(find_others(call, ak_name(possession->ak), own, &join, &ambiguous));
    if (join.needed) {
        TRY(identity_vouched(call, ek, &vouched));
    }
    if (!vouched) {
        return OK;
    }
    /* Waiting for approval is the only state that no operator decided on. */
    if (ambiguous || own->status != MACHINE_PENDING_APPROVAL) {
        return refuse_conflict(call, own, &join);
    }
    TRY(ek_list(call->signer->db, join.machine.machine_id, eks, &count));
    ENSURE(count < MACHINE_EKS_MAX, MACHINE_EKS);
    *out_join = join;
    return OK;
}

ERRFN join_apply(struct call *call, const struct ek *ek, const struct possession *possession, const struct join *join,
                 struct machine *machine)
{
    if (!join->needed) {
        return OK;
    }
    const char *state = machine_status_name((enum machine_status)join->machine.status);
    TRY(machine_delete(call->signer->db, machine->machine_id));
    TRY(record_join(call, "machine_absorbed", join, machine_status_name(MACHINE_PENDING_APPROVAL), NULL, NULL));
    memcpy(call->machine_id, join->machine.machine_id, sizeof call->machine_id);
    TRY(possession_store_ek(call, &join->machine, ek, possession));
    TRY(possession_store(call, &join->machine, ek, possession));
    TRY(record_join(call, "ek_joined", join, state, state, NULL));
    *machine = join->machine;
    return OK;
}

ERRFN join_machine(struct call *call, const struct ek *ek, const struct possession *possession, struct machine *machine)
{
    struct join join;
    TRY(join_find(call, ek, possession, machine, &join));
    return join_apply(call, ek, possession, &join, machine);
}
