#include "signer/facts.h"

#include "base/text.h"
#include "signer/identity.h"
#include "signer/stored_values.h"
#include "sql/proof.h"
#include "sql/stored_logs.h"
#include "tpm/quote.h"

#include <stdio.h>
#include <string.h>

void facts_storage_clear(struct facts_storage *storage)
{
    ek_free(STEAL(storage->ek));
    buf_free(STEAL(storage->parts));
    buf_free(STEAL(storage->log));
}

static ERRFN load_quote(struct call *call, const struct machine *machine, struct facts_storage *s, struct evidence_record *out_record)
{
    struct quote quote = {0};
    TRY(buf_new(EVIDENCE_STORAGE_BYTES, &s->parts));
    TRY(evidence_get(call->signer->db, machine->machine_id, 0, s->parts, out_record));
    TRY(stored_values_decode(out_record->pcr_values, &s->evidence.values));
    s->evidence.quoted = out_record->quote.len > 0;
    if (s->evidence.quoted) {
        TRY(quote_parse(out_record->quote, &quote));
        s->evidence.selection = quote.selection;
        s->evidence.pcr_digest = quote.pcr_digest;
    }
    s->evidence.firmware_version = out_record->firmware_version;
    s->time_ms = out_record->time_ms;
    s->policy_number = out_record->policy_number;
    s->verdict = out_record->verdict;
    s->reset_count = out_record->reset_count;
    s->restart_count = out_record->restart_count;
    return OK;
}

/* Of the EK that the evidence came with; an older release did not note which, and knew one only. */
static ERRFN load_keys(struct call *call, const struct machine *machine, struct view ek_digest, const struct trust *trust,
                       struct facts_storage *s)
{
    struct ak_record ak;
    char fingerprint[MACHINE_EK_SIZE];
    memcpy(fingerprint, machine->ek_fingerprint, sizeof fingerprint);
    if (ek_digest.len > 0) {
        ENSURE(ek_digest.len == EK_FINGERPRINT_BYTES, DB_TAMPERED);
        hex_encode(ek_digest, fingerprint);
    }
    TRY(identity_stored_certificate(call, fingerprint, &s->ek));
    TRY(trust_evaluate(trust, s->ek, s->ek->chain, s->ek->chain_count, call->now_ms, &s->trust));
    s->evidence.ek = s->ek;
    s->evidence.trust = &s->trust;
    err_t found = ak_get(call->signer->db, fingerprint, &ak);
    if (IS_E(found, AK_UNKNOWN)) {
        return OK;
    }
    TRY(found);
    snprintf(s->ak_key, sizeof s->ak_key, "%s", ak.key_name);
    s->evidence.ak_key = s->ak_key;
    return OK;
}

/* Only the log that the evidence was appraised with; a later one belongs to no quote. */
static ERRFN load_log(struct call *call, const struct machine *machine, struct view sha384, struct facts_storage *s)
{
    uint8_t stored[STORED_LOG_SHA384_BYTES];
    struct db *db = call->signer->db;
    if (sha384.len == 0) {
        return OK;
    }
    err_t found = stored_log_digest(db, machine->machine_id, STORED_LOG_LAST, stored);
    if (IS_E(found, NOT_FOUND) || (IS_OK(found) && !view_equal(sha384, view_of(stored, sizeof stored)))) {
        return OK;
    }
    TRY(found);
    TRY(buf_new(STORED_LOG_MAX_BYTES, &s->log));
    TRY(stored_log_get(db, machine->machine_id, STORED_LOG_LAST, s->log));
    s->evidence.event_log = buf_view(s->log);
    return OK;
}

ERRFN facts_load(struct call *call, const struct machine *machine, const struct trust *trust, struct facts_storage *out_storage,
                 struct facts **out_facts)
{
    struct evidence_record record;
    *out_storage = (struct facts_storage){.evidence = {.machine = machine}};
    TRY(load_quote(call, machine, out_storage, &record));
    TRY(load_keys(call, machine, record.ek_fingerprint, trust, out_storage));
    TRY(load_log(call, machine, record.event_log_sha384, out_storage));
    return facts_make(call, &out_storage->evidence, out_facts);
}
