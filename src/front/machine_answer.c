#include "front/machine_answer.h"

#include "front/names.h"

enum { MACHINE_ANSWER_MAX = 8192 };

static void put_gates(struct json_writer *w, uint32_t gates)
{
    json_open(w, "gates", '{');
    json_put_bool(w, "config", gates & IPC_GATE_CONFIG);
    json_put_bool(w, "certificates", gates & IPC_GATE_CERTIFICATES);
    json_put_bool(w, "secrets", gates & IPC_GATE_SECRETS);
    json_close(w, '}');
}

static void put_fields(struct json_writer *w, const struct ipc_machine_record *m)
{
    json_put_text(w, "machine_id", m->machine_id);
    json_put_text(w, "ek_fingerprint", m->ek_fingerprint);
    json_put_text(w, "ek_public_hash", m->ek_public_hash);
    json_put_text(w, "ek_source", view_text(ek_source_name(m->ek_source)));
    json_put_text_or_null(w, "ek_manufacturer", m->ek_manufacturer);
    json_put_text_or_null(w, "ek_model", m->ek_model);
    json_put_text_or_null(w, "ek_version", m->ek_version);
    json_put_text_or_null(w, "ek_anchor", m->ek_anchor);
    json_put_text(w, "hw_uuid", m->hw_uuid);
    json_put_text(w, "hw_mac", m->hw_mac);
    json_put_text(w, "hw_serial", m->hw_serial);
    json_put_text(w, "hw_product", m->hw_product);
    json_put_text(w, "role", m->role);
    json_put_text_or_null(w, "desired_role", m->desired_role);
    json_put_text(w, "status", view_text(status_name(m->status)));
    json_put_text(w, "cluster_id", m->cluster_id);
    json_put_text_or_null(w, "hostname", m->hostname);
    json_put_text_or_null(w, "assigned_ip", m->assigned_ip);
    json_put_text_or_null(w, "assurance", m->assurance);
    json_put_time(w, "registered_at", m->registered_at);
    json_put_time(w, "attested_at", m->attested_at);
    json_put_time(w, "locked_at", m->locked_at);
    json_put_time(w, "revoked_at", m->revoked_at);
    json_put_bool(w, "wipe_pending", m->wipe_pending);
    json_put_time(w, "evidence_at", m->evidence_at);
    json_put_time(w, "evidence_until", m->evidence_until);
    json_put_bool(w, "stale", m->stale);
    put_gates(w, m->gates);
}

void machine_put(struct json_writer *w, const char *name, const struct ipc_machine_record *m)
{
    json_open(w, name, '{');
    put_fields(w, m);
    json_close(w, '}');
}

void machine_put_eks(struct json_writer *w, struct ipc_list eks)
{
    struct ipc_ek_record ek;
    json_open(w, "eks", '[');
    while (ipc_list_next_ek(&eks, &ek)) {
        json_open(w, NULL, '{');
        json_put_text(w, "ek_fingerprint", ek.fingerprint);
        json_put_text(w, "key", ek.key);
        json_put_text(w, "ek_source", view_text(ek_source_name(ek.source)));
        json_put_time(w, "since", ek.since);
        json_put_bool(w, "names_machine", ek.names_machine);
        json_close(w, '}');
    }
    json_close(w, ']');
}

ERRFN machine_answer_with_eks(struct exchange *x, struct ipc_list machines, struct ipc_list eks)
{
    struct ipc_machine_record machine;
    ENSURE(ipc_list_next_machine(&machines, &machine), WIRE);
    TRY(buf_new(MACHINE_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    put_fields(&w, &machine);
    machine_put_eks(&w, eks);
    json_close(&w, '}');
    return json_write_end(&w);
}

ERRFN machine_answer(struct exchange *x, struct ipc_list machines)
{
    struct ipc_machine_record machine;
    ENSURE(ipc_list_next_machine(&machines, &machine), WIRE);
    TRY(buf_new(MACHINE_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    machine_put(&w, NULL, &machine);
    return json_write_end(&w);
}
