/* GET /machines/{id}/evidence/latest: the last evidence as it came, for whoever verifies it without the appliance. */
#include "base/text.h"
#include "signer/evidence_record.h"
#include "signer/machine_reply.h"
#include "signer/operator.h"
#include "signer/stored_values.h"
#include "sql/stored_logs.h"

#include <string.h>

enum { PCR_ROW_MAX = 128 };

static ERRFN list_values(struct call *call, struct view stored, struct ipc_list *out_list)
{
    struct pcr_values values = {0};
    struct buf *rows;
    TRY(stored_values_decode(stored, &values));
    TRY(call_buffer(call, values.count * PCR_ROW_MAX, &rows));
    for (size_t i = 0; i < values.count; i++) {
        const struct pcr_value *value = &values.value[i];
        struct ipc_pcr_value_record row = {
            .bank = value->bank, .index = value->index, .digest = view_of(value->digest, value->len)};
        TRY(ipc_list_add_pcr_value(out_list, rows, &row));
    }
    return OK;
}

static ERRFN export_quote(struct call *call, const struct machine *machine, struct ipc_machine_export_reply *out_reply,
                          struct evidence_record *out_evidence)
{
    struct buf *parts;
    struct buf *rows;
    TRY(call_buffer(call, EVIDENCE_STORAGE_BYTES, &parts));
    TRY(call_buffer(call, EVIDENCE_RECORD_MAX_BYTES, &rows));
    TRY(evidence_get(call->signer->db, machine->machine_id, 0, parts, out_evidence));
    struct ipc_evidence_record record = evidence_on_wire(out_evidence);
    TRY(ipc_list_add_evidence(&out_reply->evidence, rows, &record));
    out_reply->quote = out_evidence->quote;
    out_reply->signature = out_evidence->signature;
    return list_values(call, out_evidence->pcr_values, &out_reply->pcr_values);
}

/* An EK came as a certificate or as its public area. An EK that proved nothing yet has no AK. */
static ERRFN export_keys(struct call *call, const char *fingerprint, struct ipc_machine_export_reply *out_reply)
{
    struct ek_record ek;
    struct ak_record ak;
    struct buf *storage;
    struct buf *area;
    TRY(call_buffer(call, 3 * EK_RECORD_MAX_BYTES, &storage));
    TRY(ek_get(call->signer->db, fingerprint, storage, &ek));
    out_reply->ek_source = (uint8_t)ek.source;
    out_reply->ek = ek.certificate.len > 0 ? ek.certificate : ek.public_area;
    err_t found = ak_get(call->signer->db, fingerprint, &ak);
    if (IS_E(found, AK_UNKNOWN)) {
        return OK;
    }
    TRY(found);
    TRY(call_buffer(call, sizeof ak.public_area, &area));
    TRY(buf_put(area, view_of(ak.public_area, ak.public_len)));
    out_reply->ak_public = buf_view(area);
    return OK;
}

static ERRFN export_log(struct call *call, const struct machine *machine, enum stored_log_kind kind, struct view *out_log)
{
    struct buf *log;
    TRY(call_buffer(call, STORED_LOG_MAX_BYTES, &log));
    err_t found = stored_log_get(call->signer->db, machine->machine_id, kind, log);
    if (IS_E(found, NOT_FOUND)) {
        return OK;
    }
    TRY(found);
    *out_log = buf_view(log);
    return OK;
}

/* A log that came later belongs to no quote that is kept. */
static ERRFN export_logs(struct call *call, const struct machine *machine, struct view sha384, struct ipc_machine_export_reply *out_reply)
{
    uint8_t stored[STORED_LOG_SHA384_BYTES];
    err_t found = stored_log_digest(call->signer->db, machine->machine_id, STORED_LOG_LAST, stored);
    if (IS_E(found, NOT_FOUND)) {
        return OK; /* nor was one accepted */
    }
    TRY(found);
    if (view_equal(sha384, view_of(stored, sizeof stored))) {
        TRY(export_log(call, machine, STORED_LOG_LAST, &out_reply->event_log));
    }
    return export_log(call, machine, STORED_LOG_ACCEPTED, &out_reply->accepted_event_log);
}

ERRFN handle_machine_export(struct call *call, const struct ipc_machine_export_request *request,
                            struct ipc_machine_export_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    struct machine machine;
    struct evidence_record evidence;
    char fingerprint[MACHINE_EK_SIZE];
    TRY(operator_may_read(call, &act));
    TRY(machine_find(call, request->machine_id, &machine));
    err_t exported = export_quote(call, &machine, out_reply, &evidence);
    ENSURE(!IS_E(exported, NOT_FOUND), EVIDENCE_NONE);
    TRY(exported);
    memcpy(fingerprint, machine.ek_fingerprint, sizeof fingerprint);
    if (evidence.ek_fingerprint.len == EK_FINGERPRINT_BYTES) {
        hex_encode(evidence.ek_fingerprint, fingerprint);
    }
    TRY(export_keys(call, fingerprint, out_reply));
    TRY(export_logs(call, &machine, evidence.event_log_sha384, out_reply));
    TRY(call_text(call, machine.machine_id, &out_reply->machine_id));
    return call_text(call, fingerprint, &out_reply->ek_fingerprint);
}
