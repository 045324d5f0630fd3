#include "signer/appraise.h"

#include "crypto/digest.h"
#include "signer/identity.h"
#include "sql/proof.h"
#include "sql/stored_logs.h"

#include <string.h>

void appraisal_clear(struct appraisal *appraisal)
{
    possession_clear(&appraisal->possession);
    facts_free(STEAL(appraisal->facts));
}

static ERRFN read_values(struct call *call, struct ipc_list rows, struct pcr_values *out_values)
{
    struct ipc_pcr_value_record row;
    while (ipc_list_next_pcr_value(&rows, &row)) {
        err_t added = pcr_values_add(out_values, row.bank, row.index, row.digest);
        if (!IS_OK(added)) {
            return call_refuse(call, added, "body.pcr_values");
        }
    }
    return OK;
}

/* The values are the node's claim until they hash to what the TPM signed. */
static ERRFN check_values(const struct appraisal *a)
{
    if (a->values.count == 0) {
        return OK;
    }
    uint8_t digest[TPM_DIGEST_MAX_BYTES];
    size_t len;
    err_t hashed = pcr_values_digest(&a->values, &a->quote.selection, a->possession.ak->hash_alg, digest, &len);
    if (IS_E(hashed, PCR_VALUES_INVALID)) {
        return E(QUOTE_DIGEST);
    }
    TRY(hashed);
    ENSURE(view_equal(view_of(digest, len), a->quote.pcr_digest), QUOTE_DIGEST);
    return OK;
}

/* A restricted key signs nothing but what its TPM says, so what the proof is for goes into the qualifying data. */
static ERRFN check_nonce(const struct quote *quote, const uint8_t nonce[static PROOF_NONCE_BYTES], struct view bound)
{
    struct view expected = view_of(nonce, PROOF_NONCE_BYTES);
    uint8_t digest[SHA256_BYTES];
    AUTO(buf) both = NULL;
    if (bound.len > 0) {
        TRY(buf_new(PROOF_NONCE_BYTES + bound.len, &both));
        TRY(buf_put(both, expected));
        TRY(buf_put(both, bound));
        TRY(sha256(buf_view(both), digest));
        expected = view_of(digest, sizeof digest);
    }
    ENSURE(view_equal(quote->extra_data, expected), QUOTE_NONCE);
    return OK;
}

/* Signature first: nothing in the quote means anything before it verifies. */
ERRFN appraise_quote(struct call *call, const struct ipc_attest_request *request, struct view bound, struct appraisal *a)
{
    ENSURE(request->quote.len > 0 && request->signature.len > 0, QUOTE_MISSING);
    err_t parsed = quote_parse(request->quote, &a->quote);
    if (!IS_OK(parsed)) {
        return call_refuse(call, parsed, "body.pcr_quote");
    }
    TRY(quote_check_signature(a->possession.ak, a->quote.attest, request->signature));
    TRY(check_nonce(&a->quote, a->possession.nonce, bound));
    ENSURE(pcr_selection_equal(&a->quote.selection, &call->signer->selection), QUOTE_SELECTION);
    TRY(read_values(call, request->pcr_values, &a->values));
    a->signature = request->signature;
    return check_values(a);
}

/* The log that came, or the one that need not come again. It is worth what the quote says of it, in both cases. */
static ERRFN find_log(struct call *call, const struct ipc_attest_request *request, const struct machine *machine,
                      struct appraisal *a)
{
    a->event_log = request->event_log;
    if (request->event_log.len > 0 || !call->signer->policy_reads_log) {
        return OK;
    }
    struct buf *stored;
    TRY(call_buffer(call, STORED_LOG_MAX_BYTES, &stored));
    err_t found = stored_log_get(call->signer->db, machine->machine_id, STORED_LOG_LAST, stored);
    a->event_log = buf_view(stored);
    return IS_E(found, NOT_FOUND) ? OK : found;
}

static ERRFN evaluate(struct call *call, const struct machine *machine, const struct ek *ek, bool quoted, struct appraisal *a)
{
    struct evidence evidence = {
        .machine = machine,
        .ek = ek,
        .trust = &a->trust,
        .ak_key = ak_key_name(a->possession.ak->key_type),
        .ak_hash_alg = a->possession.ak->hash_alg,
        .quoted = quoted,
        .selection = a->quote.selection,
        .pcr_digest = a->quote.pcr_digest,
        .values = a->values,
        .firmware_version = a->quote.firmware_version,
        .event_log = a->event_log,
    };
    TRY(facts_make(call, &evidence, &a->facts));
    policy_evaluate(call->signer->policy, &a->facts->policy, &a->verdict);
    return OK;
}

ERRFN appraise(struct call *call, const struct ipc_attest_request *request, const struct machine *machine, const struct ek *ek,
               struct view bound, struct appraisal *out_appraisal)
{
    struct appraisal *a = out_appraisal;
    const struct signer *s = call->signer;
    TRY(identity_trust(call, ek, &a->trust));
    bool quoted = request->quote.len > 0 || request->signature.len > 0;
    if (quoted || s->policy->require_quote || s->settings.require_quote || !a->possession.ak_is_new) {
        TRY(appraise_quote(call, request, bound, a));
        quoted = true;
    }
    TRY(find_log(call, request, machine, a));
    return evaluate(call, machine, ek, quoted, a);
}
