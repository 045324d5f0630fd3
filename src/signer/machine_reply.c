#include "signer/machine_reply.h"

#include "signer/gate.h"
#include "tpm/ek.h"

#include <string.h>

_Static_assert((int)MACHINE_EKS_MAX <= (int)IPC_ROWS_MAX_ek, "an answer has room for every EK");

ERRFN machine_find(struct call *call, struct view id, struct machine *out_machine)
{
    char machine_id[MACHINE_ID_SIZE];
    TRY(view_to_text(id, machine_id, sizeof machine_id));
    TRY(machine_by_id(call->signer->db, machine_id, out_machine));
    memcpy(call->machine_id, out_machine->machine_id, sizeof call->machine_id);
    return OK;
}

struct ipc_machine_record machine_record(const struct machine *m, uint64_t now_ms)
{
    return (struct ipc_machine_record){
        .machine_id = view_text(m->machine_id),
        .ek_fingerprint = view_text(m->ek_fingerprint),
        .ek_public_hash = view_text(m->ek_public_hash),
        .ek_source = (uint8_t)m->ek_source,
        .ek_manufacturer = view_text(m->ek_manufacturer),
        .ek_model = view_text(m->ek_model),
        .ek_version = view_text(m->ek_version),
        .ek_anchor = view_text(m->ek_anchor),
        .hw_uuid = view_text(m->hw_uuid),
        .hw_mac = view_text(m->hw_mac),
        .hw_serial = view_text(m->hw_serial),
        .hw_product = view_text(m->hw_product),
        .role = view_text(m->role),
        .desired_role = view_text(m->desired_role),
        .status = (uint8_t)m->status,
        .cluster_id = view_text(m->cluster_id),
        .hostname = view_text(m->hostname),
        .assigned_ip = view_text(m->assigned_ip),
        .assurance = view_text(m->assurance),
        .registered_at = m->registered_at,
        .attested_at = m->attested_at,
        .locked_at = m->locked_at,
        .revoked_at = m->revoked_at,
        .wipe_pending = m->wipe_pending,
        .evidence_at = m->evidence_at,
        .evidence_until = m->evidence_until,
        .stale = gate_is_stale(m, now_ms),
        .gates = gates_open(m, now_ms),
    };
}

ERRFN machine_reply(struct call *call, const struct machine *machine, struct ipc_list *out_list)
{
    struct buf *storage;
    TRY(call_buffer(call, 8192, &storage));
    struct ipc_machine_record record = machine_record(machine, call->now_ms);
    return ipc_list_add_machine(out_list, storage, &record);
}

ERRFN machine_eks_reply(struct call *call, const struct machine *machine, struct ipc_list *out_list)
{
    struct ek_summary eks[MACHINE_EKS_MAX];
    struct buf *storage;
    size_t count;
    TRY(ek_list(call->signer->db, machine->machine_id, eks, &count));
    TRY(call_buffer(call, MACHINE_EKS_MAX * 256, &storage));
    for (size_t i = 0; i < count; i++) {
        struct ipc_ek_record row = {
            .fingerprint = view_text(eks[i].fingerprint),
            .key = view_text(ek_key_name((enum ek_key)eks[i].key_type)),
            .source = (uint8_t)eks[i].source,
            .since = eks[i].since_ms,
            .names_machine = strcmp(eks[i].fingerprint, machine->ek_fingerprint) == 0,
        };
        TRY(ipc_list_add_ek(out_list, storage, &row));
    }
    return OK;
}
