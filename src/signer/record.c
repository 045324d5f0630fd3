#include "signer/record.h"

#include "base/clock.h"
#include "base/log.h"
#include "sql/audit.h"

#include <openssl/evp.h>
#include <string.h>

enum {
    HEAD_INTERVAL_MS = 1000,
    REFUSAL_COST = 1000,
    REFUSAL_BURST = 500 * REFUSAL_COST, /* a fleet that boots with a wrong setting, in full */
    REFUSAL_PER_MS = 10,                /* ten a second: 500 MB a year at the most */
    HEAD_TEXT_MAX = 256
};

const char *machine_status_name(enum machine_status status)
{
    switch (status) {
    case MACHINE_NONE:
        return "unknown";
    case MACHINE_PENDING_APPROVAL:
        return "pending_approval";
    case MACHINE_REGISTERED:
        return "registered";
    case MACHINE_ATTESTED:
        return "attested";
    case MACHINE_LOCKED:
        return "locked";
    case MACHINE_REVOKED:
        return "revoked";
    case MACHINE_REJECTED:
        return "rejected";
    }
    return "unknown";
}

static const char *none_if_empty(const char *text)
{
    return text[0] ? text : NULL;
}

ERRFN record_act(struct call *call, const char *action, const char *prev_state, const char *new_state, const char *reason,
                 const char *detail)
{
    struct audit_row row = {
        .action = action,
        .actor = call->actor[0] ? call->actor : "node",
        .machine_id = none_if_empty(call->machine_id),
        .prev_state = prev_state,
        .new_state = new_state,
        .reason = reason,
        .detail = detail,
        .source_ip = none_if_empty(call->source_ip),
        .time_ms = call->now_ms,
    };
    return audit_append(call->signer->db, &row);
}

static void refill_refusals(struct signer *s)
{
    uint64_t now = clock_monotonic_ms();
    if (s->refusal_refilled_at_ms == 0) {
        s->refusal_tokens = REFUSAL_BURST;
    } else {
        s->refusal_tokens += (now - s->refusal_refilled_at_ms) * REFUSAL_PER_MS;
    }
    s->refusal_tokens = s->refusal_tokens > REFUSAL_BURST ? REFUSAL_BURST : s->refusal_tokens;
    s->refusal_refilled_at_ms = now;
}

static ERRFN record_suppressed(struct call *call)
{
    struct signer *s = call->signer;
    if (s->refusals_suppressed == 0) {
        return OK;
    }
    AUTO(buf) detail = NULL;
    TRY(buf_new(64, &detail));
    TRY(buf_printf(detail, "{\"count\":%llu}", (unsigned long long)s->refusals_suppressed));
    TRY(buf_put_u8(detail, 0));
    struct audit_row row = {.action = "refusals_suppressed", .actor = "signer", .detail = (const char *)detail->data,
                            .time_ms = call->now_ms};
    TRY(audit_append(s->db, &row));
    s->refusal_tokens -= REFUSAL_COST; /* a row like any other: the bound is on rows */
    s->refusals_suppressed = 0;
    return OK;
}

ERRFN record_refusal(struct call *call, err_t why)
{
    struct signer *s = call->signer;
    refill_refusals(s);
    if (s->refusal_tokens < 2 * REFUSAL_COST) {
        s->refusals_suppressed++;
        return OK;
    }
    TRY(record_suppressed(call));
    s->refusal_tokens -= REFUSAL_COST;
    AUTO(buf) action = NULL;
    TRY(buf_new(80, &action));
    TRY(buf_printf(action, "%s_refused", call->name));
    TRY(buf_put_u8(action, 0));
    AUTO(buf) detail = NULL;
    TRY(buf_new(256, &detail));
    if (call->ek_fingerprint[0]) {
        TRY(buf_printf(detail, "{\"ek_fingerprint\":\"%s\"}", call->ek_fingerprint));
    } else if (call->endpoint[0]) {
        TRY(buf_printf(detail, "{\"endpoint\":\"%s\"}", call->endpoint));
    }
    TRY(buf_put_u8(detail, 0));
    return record_act(call, (const char *)action->data, NULL, NULL, err_reason(why),
                      none_if_empty((const char *)detail->data));
}

/* What a head's signature covers: a text of its own kind, so that it can't be taken for anything else. */
static ERRFN head_text(uint64_t seq, const uint8_t hash[static AUDIT_HASH_BYTES], uint64_t time_ms, struct buf *out_text)
{
    TRY(buf_put_text(out_text, "ITL audit head v1\n"));
    TRY(buf_put_u64(out_text, seq));
    TRY(buf_put_u64(out_text, time_ms));
    return buf_put(out_text, view_of(hash, AUDIT_HASH_BYTES));
}

static ERRFN sign_tail(struct signer *s, const struct audit_tail *tail)
{
    AUTO(buf) text = NULL;
    AUTO(buf) signature = NULL;
    TRY(buf_new(HEAD_TEXT_MAX, &text));
    TRY(buf_new(AUDIT_HEAD_SIGNATURE_MAX_BYTES, &signature));
    struct audit_head head = {.seq = tail->seq, .time_ms = clock_utc_ms()};
    memcpy(head.hash, tail->hash, AUDIT_HASH_BYTES);
    TRY(head_text(head.seq, head.hash, head.time_ms, text));
    TRY(hsm_provider_sign_sha384(s->provider, s->audit_key, buf_view(text), signature));
    memcpy(head.signature, signature->data, signature->len);
    head.signature_len = signature->len;
    TRY(db_begin(s->db));
    err_t put = audit_head_put(s->db, &head);
    if (!IS_OK(put)) {
        db_rollback(s->db);
        return put;
    }
    return db_commit(s->db);
}

ERRFN record_sign_head(struct signer *s, bool now)
{
    uint64_t monotonic = clock_monotonic_ms();
    if (!now && monotonic - s->head_signed_at_ms < HEAD_INTERVAL_MS) {
        return OK;
    }
    struct audit_tail tail;
    TRY(audit_tail(s->db, &tail));
    s->head_signed_at_ms = monotonic;
    if (tail.seq == 0 || tail.seq == s->head_signed_seq) {
        return OK;
    }
    TRY(sign_tail(s, &tail));
    s->head_signed_seq = tail.seq;
    return OK;
}

static ERRFN check_head(struct signer *s, const struct audit_head *head)
{
    AUTO(buf) text = NULL;
    TRY(buf_new(HEAD_TEXT_MAX, &text));
    TRY(head_text(head->seq, head->hash, head->time_ms, text));
    struct hsm_key *key;
    EVP_PKEY *public_key = NULL;
    TRY(hsm_key_find(s->hsm, HSM_ROLE_AUDIT, &key));
    TRY(hsm_public_key(key, &public_key));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, public_key) == 1 &&
                EVP_DigestVerify(ctx, head->signature, head->signature_len, text->data, text->len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(public_key);
    ENSURE(good, AUDIT_BROKEN);
    return OK;
}

ERRFN record_check_tail(struct signer *s)
{
    struct audit_head head;
    uint64_t from = 1;
    err_t found = audit_head_last(s->db, &head);
    if (IS_OK(found)) {
        TRY(check_head(s, &head));
        from = head.seq;
        s->head_signed_seq = head.seq;
    } else if (!IS_E(found, NOT_FOUND)) {
        return found;
    }
    struct audit_verdict verdict;
    TRY(audit_verify(s->db, from, UINT64_MAX, &verdict));
    if (!verdict.valid) {
        log_event(LOG_ERROR, "audit.broken", LOG_NUMBER("row", verdict.first_bad_seq), LOG_TEXT("problem", verdict.problem));
    }
    ENSURE(verdict.valid, AUDIT_BROKEN);
    return OK;
}
