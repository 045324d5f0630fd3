#include "signer/facts.h"

#include "base/text.h"
#include "tpm/event_check.h"
#include "tpm/event_claims.h"
#include "tpm/event_replay.h"

#include <stdlib.h>
#include <string.h>

void facts_free(struct facts *facts)
{
    if (!facts) {
        return;
    }
    claims_free(facts->log_claims);
    event_log_free(facts->log);
    free(facts->claims);
    free(facts);
}

/* A node that sends its log need not send the values: what the log replays to is either what was quoted, or nothing is known. */
static ERRFN values_from_log(const struct evidence *evidence, struct facts *f)
{
    struct event_replay replay;
    struct pcr_values values;
    uint8_t digest[TPM_DIGEST_MAX_BYTES];
    size_t len;
    TRY(event_replay(f->log, &replay));
    TRY(event_replay_values(&replay, &evidence->selection, &values));
    err_t hashed = pcr_values_digest(&values, &evidence->selection, evidence->ak_hash_alg, digest, &len);
    if (IS_OK(hashed) && view_equal(view_of(digest, len), evidence->pcr_digest)) {
        f->values = values;
    }
    return OK;
}

static void list_pcrs(struct facts *f)
{
    for (size_t i = 0; i < f->values.count; i++) {
        const struct pcr_value *value = &f->values.value[i];
        f->pcrs[i] = (struct policy_pcr){
            .bank = pcr_bank_name(value->bank), .index = value->index, .digest = view_of(value->digest, value->len)};
    }
    f->policy.pcrs = f->pcrs;
    f->policy.pcr_count = f->values.count;
}

/* A PCR replays when it does in every bank that was quoted; one bank that says otherwise is enough to doubt it. */
static ERRFN compare_log(struct facts *f)
{
    struct event_check check;
    TRY(event_check(f->log, &f->values, &check));
    uint32_t replays = check.count > 0 ? UINT32_MAX : 0;
    for (size_t i = 0; i < check.count; i++) {
        const struct event_check_bank *bank = &check.banks[i];
        replays &= bank->replays;
        f->policy.log_differs |= bank->differs;
    }
    f->policy.log_replays = replays & ~f->policy.log_differs;
    return OK;
}

static uint16_t claims_bank(const struct facts *f)
{
    const struct event_replay_bank *found = NULL;
    struct event_replay replay;
    if (IS_OK(event_replay(f->log, &replay))) {
        found = event_replay_find(&replay, TPM_ALG_SHA256);
    }
    bool quoted_sha256 = false;
    for (size_t i = 0; i < f->values.count; i++) {
        quoted_sha256 = quoted_sha256 || f->values.value[i].bank == TPM_ALG_SHA256;
    }
    if (quoted_sha256 && found && found->mask != 0) {
        return TPM_ALG_SHA256;
    }
    return f->values.count > 0 ? f->values.value[0].bank : TPM_ALG_SHA256;
}

static ERRFN list_claims(struct facts *f)
{
    TRY(event_claims_read(f->log, claims_bank(f), &f->log_claims));
    const struct claims *claims = f->log_claims;
    size_t count = claims->count < POLICY_CLAIMS_MAX ? claims->count : POLICY_CLAIMS_MAX;
    f->claims = calloc(count + 1, sizeof *f->claims);
    ENSURE(f->claims, NO_MEMORY);
    for (size_t i = 0; i < count; i++) {
        const struct event_claim *claim = &claims->items[i];
        f->claims[i] =
            (struct policy_claim){.name = claim->name, .value = view_text(claim->value), .pcrs = claim->pcrs};
    }
    f->policy.claims = f->claims;
    f->policy.claim_count = count;
    f->policy.claims_truncated = claims->truncated || count < claims->count;
    return OK;
}

static ERRFN read_log(const struct evidence *evidence, struct facts *f)
{
    struct event_log_problem problem;
    if (evidence->event_log.len == 0) {
        f->policy.event_log = POLICY_LOG_ABSENT;
        return OK;
    }
    err_t parsed = event_log_parse(evidence->event_log, &f->log, &problem);
    if (IS_E(parsed, EVENT_LOG_UNREADABLE) || IS_E(parsed, TOO_LONG)) {
        f->policy.event_log = POLICY_LOG_UNREADABLE;
        return OK;
    }
    TRY(parsed);
    f->policy.event_log = POLICY_LOG_READ;
    if (f->values.count == 0 && evidence->quoted) {
        TRY(values_from_log(evidence, f));
    }
    TRY(compare_log(f));
    return list_claims(f);
}

static const char *null_if_empty(const char *text)
{
    return text[0] ? text : NULL;
}

static void describe_ek(const struct evidence *evidence, struct facts *f)
{
    const struct ek *ek = evidence->ek;
    const struct trust_verdict *trust = evidence->trust;
    hex_encode(view_of(ek->spki_sha384, SHA384_BYTES), f->ek_fingerprint);
    hex_encode(view_of(ek->spki_sha256, SHA256_BYTES), f->ek_public_hash);
    f->policy.ek_has_certificate = ek->source == EK_SOURCE_CERT;
    f->policy.ek_chain_trusted = trust->chain == TRUST_CHAIN_TRUSTED;
    f->policy.ek_hash_allowed = trust->hash_allowed;
    f->policy.ek_expired = trust->expired;
    f->policy.ek_reason = trust->reason;
    f->policy.ek_fingerprint = f->ek_fingerprint;
    f->policy.ek_public_hash = f->ek_public_hash;
    f->policy.ek_manufacturer = null_if_empty(ek->manufacturer);
    f->policy.ek_model = null_if_empty(ek->model);
    f->policy.ek_version = null_if_empty(ek->version);
    f->policy.ek_serial = null_if_empty(ek->serial);
}

static ERRFN list_spent(struct call *call, const struct evidence *evidence, struct facts *f)
{
    if (call->signer->policy->exception_count == 0) {
        return OK;
    }
    TRY(spent_exception_list(call->signer->db, evidence->machine->machine_id, call->now_ms, f->spent_rows,
                             &f->policy.spent_count));
    for (size_t i = 0; i < f->policy.spent_count; i++) {
        f->spent[i] = (struct policy_spent){.rule = f->spent_rows[i].rule, .expires_ms = f->spent_rows[i].expires_ms};
    }
    f->policy.spent = f->spent;
    return OK;
}

ERRFN facts_make(struct call *call, const struct evidence *evidence, struct facts **out_facts)
{
    AUTO(facts) f = calloc(1, sizeof *f);
    ENSURE(f, NO_MEMORY);
    f->values = evidence->values;
    f->policy.quoted = evidence->quoted;
    f->policy.ak_key = evidence->ak_key;
    f->policy.firmware_version = evidence->firmware_version;
    f->policy.machine_id = evidence->machine->machine_id;
    f->policy.role = evidence->machine->role;
    f->policy.cluster = evidence->machine->cluster_id;
    f->policy.now_ms = call->now_ms;
    describe_ek(evidence, f);
    TRY(read_log(evidence, f));
    list_pcrs(f);
    TRY(list_spent(call, evidence, f));
    *out_facts = STEAL(f);
    return OK;
}
