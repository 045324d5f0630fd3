#include "signer/appraise.h"

#include "crypto/digest.h"
#include "signer/identity.h"
#include "sql/proof.h"
#include "sql/stored_logs.h"

#include <string.h>

void appraisal_clear(struct appraisal *appraisal)
{
    ak_free(STEAL(appraisal->ak));
    facts_free(STEAL(appraisal->facts));
}

/* The session's secret came back, so one TPM holds both the EK and the AK. */
static ERRFN check_activation(struct call *call, const struct session *session, struct view secret)
{
    uint8_t hash[SHA384_BYTES];
    TRY(sha384(secret, hash));
    if (!view_equal_secret(view_of(hash, sizeof hash), view_of(session->secret_sha384, sizeof session->secret_sha384))) {
        return call_refuse(call, E(ACTIVATION_INVALID), "body.activated_secret");
    }
    return OK;
}

/* The AK that was activated for this EK before. */
static ERRFN known_ak(struct call *call, struct ak **out_ak)
{
    struct ak_record record;
    TRY(ak_get(call->signer->db, call->ek_fingerprint, &record));
    return ak_parse(view_of(record.public_area, record.public_len), out_ak);
}

static bool same_ak(const struct ak *ak, struct view name)
{
    return view_equal(ak_name(ak), name);
}

static ERRFN ak_of_session(struct call *call, const struct ipc_attest_request *request, struct appraisal *a,
                           uint8_t out_nonce[static PROOF_NONCE_BYTES])
{
    struct session session;
    ENSURE(request->session_id.len == PROOF_ID_BYTES, SESSION_UNKNOWN);
    TRY(session_take(call->signer->db, request->session_id.data, call->now_ms, &session));
    ENSURE(strcmp(session.ek_fingerprint, call->ek_fingerprint) == 0, SESSION_UNKNOWN);
    ENSURE(request->nonce_id.len == 0 || view_equal(request->nonce_id, view_of(session.nonce_id, PROOF_ID_BYTES)),
           NONCE_UNKNOWN);
    struct view name = view_of(session.ak_name, session.ak_name_len);
    if (request->activated_secret.len > 0) {
        TRY(check_activation(call, &session, request->activated_secret));
        TRY(ak_parse(view_of(session.ak_public, session.ak_public_len), &a->ak));
        a->ak_is_new = true;
        memcpy(a->ek_public, session.ek_public, session.ek_public_len);
        a->ek_public_len = session.ek_public_len;
    } else {
        TRY(known_ak(call, &a->ak));
        ENSURE(same_ak(a->ak, name), AK_MISMATCH);
    }
    memcpy(out_nonce, session.nonce, PROOF_NONCE_BYTES);
    return OK;
}

static ERRFN ak_of_nonce(struct call *call, const struct ipc_attest_request *request, struct appraisal *a,
                         uint8_t out_nonce[static PROOF_NONCE_BYTES])
{
    ENSURE(request->activated_secret.len == 0, SESSION_UNKNOWN);
    ENSURE(request->nonce_id.len > 0, NONCE_MISSING);
    ENSURE(request->nonce_id.len == PROOF_ID_BYTES, NONCE_UNKNOWN);
    TRY(nonce_take(call->signer->db, request->nonce_id.data, call->now_ms, out_nonce));
    return known_ak(call, &a->ak);
}

static ERRFN check_ak_sent(struct call *call, const struct ipc_attest_request *request, const struct ak *ak)
{
    if (request->ak_public.len == 0) {
        return OK;
    }
    AUTO(ak) sent = NULL;
    err_t parsed = ak_parse(request->ak_public, &sent);
    if (!IS_OK(parsed)) {
        return call_refuse(call, parsed, "body.ak_pub");
    }
    if (!same_ak(sent, ak_name(ak))) {
        return call_refuse(call, E(AK_MISMATCH), "body.ak_pub");
    }
    return OK;
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
    err_t hashed = pcr_values_digest(&a->values, &a->quote.selection, a->ak->hash_alg, digest, &len);
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
static ERRFN check_quote(struct call *call, const struct ipc_attest_request *request,
                         const uint8_t nonce[static PROOF_NONCE_BYTES], struct view bound, struct appraisal *a)
{
    ENSURE(request->quote.len > 0 && request->signature.len > 0, QUOTE_MISSING);
    err_t parsed = quote_parse(request->quote, &a->quote);
    if (!IS_OK(parsed)) {
        return call_refuse(call, parsed, "body.pcr_quote");
    }
    TRY(quote_check_signature(a->ak, a->quote.attest, request->signature));
    TRY(check_nonce(&a->quote, nonce, bound));
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
        .ak_key = ak_key_name(a->ak->key_type),
        .ak_hash_alg = a->ak->hash_alg,
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
    uint8_t nonce[PROOF_NONCE_BYTES];
    if (request->session_id.len > 0) {
        TRY(ak_of_session(call, request, a, nonce));
    } else {
        TRY(ak_of_nonce(call, request, a, nonce));
    }
    TRY(check_ak_sent(call, request, a->ak));
    TRY(identity_trust(call, ek, &a->trust));
    bool quoted = request->quote.len > 0 || request->signature.len > 0;
    if (quoted || s->policy->require_quote || s->settings.require_quote || !a->ak_is_new) {
        TRY(check_quote(call, request, nonce, bound, a));
        quoted = true;
    }
    TRY(find_log(call, request, machine, a));
    return evaluate(call, machine, ek, quoted, a);
}
