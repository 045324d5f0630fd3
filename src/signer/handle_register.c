/* POST /self-register: an unknown EK becomes a machine that waits for approval; a known one learns its state and nothing else. */
#include "signer/register.h"

#include "base/random.h"
#include "base/text.h"
#include "signer/identity.h"
#include "signer/record.h"
#include "signer/roles.h"

#include <string.h>

static const char DEFAULT_ROLE[] = "worker-app";
static const char DEFAULT_CLUSTER[] = "default";

static ERRFN copy_hardware(const struct registration *wishes, struct machine *machine)
{
    TRY(view_to_text(wishes->hw_uuid, machine->hw_uuid, sizeof machine->hw_uuid));
    TRY(view_to_text(wishes->hw_mac, machine->hw_mac, sizeof machine->hw_mac));
    TRY(view_to_text(wishes->hw_serial, machine->hw_serial, sizeof machine->hw_serial));
    return view_to_text(wishes->hw_product, machine->hw_product, sizeof machine->hw_product);
}

/* What the node asks for is a wish: it is shown to the operator, who decides. */
static ERRFN copy_wishes(struct call *call, const struct registration *wishes, struct machine *machine)
{
    if (wishes->desired_role.len > 0 && !role_is_known(wishes->desired_role)) {
        return call_refuse(call, E(ROLE_UNKNOWN), "body.desired_role");
    }
    TRY(view_to_text(wishes->desired_role, machine->desired_role, sizeof machine->desired_role));
    const char *role = machine->desired_role[0] ? machine->desired_role : DEFAULT_ROLE;
    TRY(view_to_text(view_text(role), machine->role, sizeof machine->role));
    struct view cluster = wishes->cluster_id.len > 0 ? wishes->cluster_id : view_text(DEFAULT_CLUSTER);
    if (!cluster_is_valid(cluster)) {
        return call_refuse(call, E(FIELD_INVALID), "body.cluster_id");
    }
    return view_to_text(cluster, machine->cluster_id, sizeof machine->cluster_id);
}

/* What a certificate says of its TPM is shown to the operator; a text longer than any vendor's is not worth a
 * refusal. */
static void set_if_short(const char *text, char *out_text, size_t size)
{
    if (!IS_OK(view_to_text(view_text(text), out_text, size))) {
        out_text[0] = '\0';
    }
}

static ERRFN describe_ek(const struct ek *ek, const struct trust_verdict *verdict, struct machine *machine)
{
    hex_encode(view_of(ek->spki_sha384, SHA384_BYTES), machine->ek_fingerprint);
    hex_encode(view_of(ek->spki_sha256, SHA256_BYTES), machine->ek_public_hash);
    machine->ek_source = (int)ek->source;
    set_if_short(ek->manufacturer, machine->ek_manufacturer, sizeof machine->ek_manufacturer);
    set_if_short(ek->model, machine->ek_model, sizeof machine->ek_model);
    set_if_short(ek->version, machine->ek_version, sizeof machine->ek_version);
    TRY(view_to_text(view_text(verdict->anchor), machine->ek_anchor, sizeof machine->ek_anchor));
    return identity_assurance(verdict, NULL, machine->assurance, sizeof machine->assurance);
}

static ERRFN insert(struct call *call, const struct ek *ek, const struct machine *machine)
{
    struct ek_record record = {
        .source = (int)ek->source,
        .key_type = (int)ek->key_type,
        .certificate = ek->area ? buf_view(ek->area) : VIEW_EMPTY,
        .spki = buf_view(ek->spki),
        .since_ms = call->now_ms,
    };
    memcpy(record.fingerprint, machine->ek_fingerprint, sizeof record.fingerprint);
    TRY(machine_insert(call->signer->db, machine, &record));
    return record_act(call, "self_register", NULL, machine_status_name(MACHINE_PENDING_APPROVAL), NULL, NULL);
}

ERRFN register_machine(struct call *call, const struct registration *wishes, const struct ek *ek,
                       struct machine *out_machine)
{
    struct trust_verdict verdict;
    TRY(identity_trust(call, ek, &verdict));
    uint64_t pending;
    TRY(machine_count_pending(call->signer->db, &pending));
    if (pending >= call->signer->settings.pending_max) {
        call->retry_after_s = 60;
        return E(MACHINE_LIMIT);
    }
    struct machine machine = {.status = MACHINE_PENDING_APPROVAL, .registered_at = call->now_ms};
    random_uuid(machine.machine_id);
    memcpy(call->machine_id, machine.machine_id, sizeof call->machine_id);
    TRY(copy_hardware(wishes, &machine));
    TRY(copy_wishes(call, wishes, &machine));
    TRY(describe_ek(ek, &verdict, &machine));
    TRY(insert(call, ek, &machine));
    *out_machine = machine;
    return OK;
}

ERRFN handle_self_register(struct call *call, const struct ipc_self_register_request *request,
                           struct ipc_self_register_reply *out_reply)
{
    AUTO(ek) ek = NULL;
    TRY(identity_read(call, request->ek, request->ek_source, request->ek_fingerprint, &ek));
    struct machine machine;
    err_t found = identity_machine(call, ek, &machine);
    bool known = IS_OK(found);
    if (IS_E(found, MACHINE_UNKNOWN)) {
        struct registration wishes = {
            .hw_uuid = request->hw_uuid,
            .hw_mac = request->hw_mac,
            .hw_serial = request->hw_serial,
            .hw_product = request->hw_product,
            .desired_role = request->desired_role,
            .cluster_id = request->cluster_id,
        };
        found = register_machine(call, &wishes, ek, &machine);
    }
    TRY(found);
    ENSURE(machine.status != MACHINE_REVOKED, MACHINE_REVOKED);
    ENSURE(machine.status != MACHINE_REJECTED, MACHINE_REJECTED);
    TRY(call_text(call, machine.machine_id, &out_reply->machine_id));
    TRY(call_text(call, machine.role, &out_reply->role));
    out_reply->status = (uint8_t)machine.status;
    out_reply->known = known;
    return OK;
}
