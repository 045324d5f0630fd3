#include "signer/identity.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

ERRFN identity_read(struct call *call, struct view ek_bytes, uint8_t source, struct view fingerprint, struct ek **out_ek)
{
    AUTO(ek) ek = NULL;
    err_t parsed = ek_parse(ek_bytes, (enum ek_source)source, &ek);
    if (!IS_OK(parsed)) {
        return call_refuse(call, parsed, "body.ek_cert_pem");
    }
    hex_encode(view_of(ek->spki_sha384, SHA384_BYTES), call->ek_fingerprint);
    if (fingerprint.len > 0 && !ek_fingerprint_matches(ek, fingerprint)) {
        return call_refuse(call, E(EK_FINGERPRINT_MISMATCH), "body.ek_fingerprint");
    }
    *out_ek = STEAL(ek);
    return OK;
}

static bool policy_trusts(const struct policy *policy, const struct trust_verdict *verdict)
{
    bool chain = verdict->chain == TRUST_CHAIN_TRUSTED;
    switch (policy->trust) {
    case POLICY_TRUST_NONE:
        return false;
    case POLICY_TRUST_CHAIN_OR_HASH:
        return chain || verdict->hash_allowed;
    case POLICY_TRUST_CHAIN:
        return chain;
    case POLICY_TRUST_HASH:
        return verdict->hash_allowed;
    case POLICY_TRUST_CHAIN_AND_HASH:
        return chain && verdict->hash_allowed;
    }
    return false;
}

ERRFN identity_trust(struct call *call, const struct ek *ek, struct trust_verdict *out_verdict)
{
    const struct signer *s = call->signer;
    struct trust_verdict verdict;
    TRY(trust_evaluate(s->trust, ek, ek->chain, ek->chain_count, call->now_ms, &verdict));
    if (!policy_trusts(s->policy, &verdict)) {
        if (IS_OK(verdict.reason)) {
            verdict.reason = E(EK_NOT_TRUSTED);
        }
        bool operator_may_decide =
            ek->source == EK_SOURCE_PUB && s->policy->certificateless == POLICY_CERTIFICATELESS_PENDING;
        if (!operator_may_decide) {
            return call_refuse(call, verdict.reason, "body.ek_cert_pem");
        }
    } else {
        verdict.reason = OK;
    }
    *out_verdict = verdict;
    return OK;
}

ERRFN identity_vouched(struct call *call, const struct ek *ek, bool *out_vouched)
{
    const struct signer *s = call->signer;
    struct trust_verdict verdict;
    TRY(trust_evaluate(s->trust, ek, ek->chain, ek->chain_count, call->now_ms, &verdict));
    *out_vouched = policy_trusts(s->policy, &verdict);
    return OK;
}

ERRFN identity_machine(struct call *call, const struct ek *ek, struct machine *out_machine)
{
    char fingerprint[MACHINE_EK_SIZE];
    hex_encode(view_of(ek->spki_sha384, SHA384_BYTES), fingerprint);
    struct machine machine;
    TRY(machine_by_ek(call->signer->db, fingerprint, &machine));
    memcpy(call->machine_id, machine.machine_id, sizeof call->machine_id);
    *out_machine = machine;
    return OK;
}

ERRFN identity_stored_certificate(struct call *call, const char *fingerprint, struct ek **out_ek)
{
    AUTO(buf) storage = NULL;
    struct ek_record record;
    TRY(buf_new(3 * EK_RECORD_MAX_BYTES, &storage));
    TRY(ek_get(call->signer->db, fingerprint, storage, &record));
    bool certificate = record.certificate.len > 0;
    return ek_parse(certificate ? record.certificate : record.spki, certificate ? EK_SOURCE_CERT : EK_SOURCE_PUB, out_ek);
}

ERRFN identity_stored_ek(struct call *call, const char *fingerprint, struct ek **out_ek)
{
    AUTO(buf) storage = NULL;
    struct ek_record record;
    TRY(buf_new(3 * EK_RECORD_MAX_BYTES, &storage));
    TRY(ek_get(call->signer->db, fingerprint, storage, &record));
    AUTO(ek) ek = NULL;
    TRY(ek_parse(record.spki, EK_SOURCE_PUB, &ek));
    if (record.public_area.len > 0) {
        TRY(ek_set_public_area(ek, record.public_area));
    }
    *out_ek = STEAL(ek);
    return OK;
}

ERRFN identity_assurance(const struct trust_verdict *verdict, const char *ak_key, char *out_text, size_t size)
{
    const char *root = "tpm-unverified";
    if (verdict->chain == TRUST_CHAIN_TRUSTED) {
        root = "tpm-certificate";
    } else if (verdict->hash_allowed) {
        root = "tpm-hash";
    }
    int len = ak_key ? snprintf(out_text, size, "%s/%s", root, ak_key) : snprintf(out_text, size, "%s", root);
    ENSURE(len > 0 && (size_t)len < size, TOO_LONG);
    return OK;
}
