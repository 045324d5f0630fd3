/* GET /machines, GET /machines/{id}, POST /machines/{id}/approve. */
#include "signer/act.h"
#include "signer/approval.h"
#include "signer/lifecycle.h"
#include "signer/machine_reply.h"
#include "signer/operator.h"
#include "signer/record.h"
#include "signer/roles.h"
#include "sql/tokens.h"

#include <stdio.h>
#include <string.h>

struct listing {
    struct ipc_list *list;
    struct buf *storage;
    uint32_t limit;
    uint64_t now_ms;
    bool more;
};

static err_t add_row(void *context, const struct machine *machine)
{
    struct listing *listing = context;
    if (listing->list->count >= listing->limit) {
        listing->more = true;
        return OK;
    }
    struct ipc_machine_record record = machine_record(machine, listing->now_ms);
    return ipc_list_add_machine(listing->list, listing->storage, &record);
}

ERRFN handle_machine_list(struct call *call, const struct ipc_machine_list_request *request,
                          struct ipc_machine_list_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    TRY(operator_may_read(call, &act));
    char role[65];
    char after[MACHINE_ID_SIZE];
    TRY(view_to_text(request->role, role, sizeof role));
    TRY(view_to_text(request->after, after, sizeof after));
    struct machine_filter filter = {.status = request->status, .role = role};
    struct listing listing = {.list = &out_reply->machines,
                              .now_ms = call->now_ms,
                              .limit = request->limit ? request->limit : IPC_ROWS_MAX_machine};
    TRY(call_buffer(call, (size_t)listing.limit * 8192, &listing.storage));
    /* One more than asked for tells whether there are more. */
    TRY(machine_list(call->signer->db, &filter, after, listing.limit + 1, add_row, &listing));
    out_reply->more = listing.more;
    return OK;
}

ERRFN handle_machine_get(struct call *call, const struct ipc_machine_get_request *request,
                         struct ipc_machine_get_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    TRY(operator_may_read(call, &act));
    struct machine machine;
    TRY(machine_find(call, request->machine_id, &machine));
    TRY(machine_eks_reply(call, &machine, &out_reply->eks));
    return machine_reply(call, &machine, &out_reply->machine);
}

static ERRFN check_may_approve(struct call *call, const struct machine *machine, const struct approval *approval)
{
    const struct signer_settings *settings = &call->signer->settings;
    TRY(act_check_identity(call, approval->ek_fingerprint, machine, true));
    bool open = machine->status == MACHINE_PENDING_APPROVAL || machine->status == MACHINE_REGISTERED ||
                machine->status == MACHINE_ATTESTED;
    ENSURE(open, MACHINE_STATE);
    bool unverified = strncmp(machine->assurance, "tpm-unverified", 14) == 0;
    if (unverified && !approval->accept_unverified_ek) {
        return call_refuse(call, E(MACHINE_UNVERIFIED_EK), "body.accept_unverified_ek");
    }
    /* Every credential there is so far is break-glass, which never votes. */
    bool dual = signer_settings_dual_control(settings, approval->role) ||
                (machine->status != MACHINE_PENDING_APPROVAL && signer_settings_dual_control(settings, machine->role));
    ENSURE(!dual, BREAKGLASS_NO_VOTE);
    return OK;
}

/* Takes the content over; true when anything changed. */
static bool apply(const struct approval *approval, struct machine *machine)
{
    struct machine before = *machine;
    memcpy(machine->role, approval->role, sizeof machine->role);
    memcpy(machine->hostname, approval->hostname, sizeof machine->hostname);
    memcpy(machine->assigned_ip, approval->assigned_ip, sizeof machine->assigned_ip);
    if (approval->cluster_id[0]) {
        memcpy(machine->cluster_id, approval->cluster_id, sizeof machine->cluster_id);
    }
    return strcmp(before.role, machine->role) != 0 || strcmp(before.hostname, machine->hostname) != 0 ||
           strcmp(before.assigned_ip, machine->assigned_ip) != 0 || strcmp(before.cluster_id, machine->cluster_id) != 0;
}

static ERRFN record_approval(struct call *call, const struct machine *machine, const char *before)
{
    AUTO(buf) detail = NULL;
    TRY(buf_new(2048, &detail));
    TRY(buf_printf(detail, "{\"role\":\"%s\",\"hostname\":\"%s\",\"assigned_ip\":\"%s\",\"cluster_id\":\"%s\",\"ek_fingerprint\":\"%s\"}",
                   machine->role, machine->hostname, machine->assigned_ip, machine->cluster_id, machine->ek_fingerprint));
    TRY(buf_put_u8(detail, 0));
    return record_act(call, "approve", before, machine_status_name((enum machine_status)machine->status), NULL,
                      (const char *)detail->data);
}

static ERRFN approve(struct call *call, struct machine *machine, const struct approval *approval)
{
    const char *before = machine_status_name((enum machine_status)machine->status);
    const struct machine seen = *machine;
    bool changed = apply(approval, machine);
    if (machine->status == MACHINE_PENDING_APPROVAL || changed) {
        /* Other content than was attested to: the gates close until it attests again. */
        machine->status = MACHINE_REGISTERED;
        TRY(lifecycle_close_gates(call, &seen, machine));
    }
    TRY(machine_update(call->signer->db, machine));
    return record_approval(call, machine, before);
}

ERRFN handle_machine_approve(struct call *call, const struct ipc_machine_approve_request *request,
                             struct ipc_machine_approve_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    char target[IPC_TARGET_MAX];
    int len = snprintf(target, sizeof target, "/api/v1/machines/%.*s/approve", (int)request->machine_id.len,
                       (const char *)request->machine_id.data);
    ENSURE(len > 0 && (size_t)len < sizeof target, TOO_LONG);
    TRY(operator_may_grant(call, &act, "POST", target));
    /* A signed request is used up even when it is refused for what it asks. */
    call->keep = true;
    struct approval approval;
    struct machine machine;
    TRY(approval_parse(call, request->body, &approval));
    TRY(machine_find(call, request->machine_id, &machine));
    TRY(check_may_approve(call, &machine, &approval));
    call->keep = false;
    TRY(approve(call, &machine, &approval));
    return machine_reply(call, &machine, &out_reply->machine);
}
