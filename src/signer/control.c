#include "signer/control.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "signer/record.h"
#include "sql/audit.h"
#include "sql/tokens.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

enum { BREAKGLASS_MINUTES_MAX = 240, BREAKGLASS_REASON_MIN = 4, BREAKGLASS_TOKEN_BYTES = 32, CREDENTIAL_KEY_BITS = 384,
       VERIFY_ROWS_MAX = 20000 /* a tenth of a second */ };

AUTO_DEFINE(EVP_PKEY, EVP_PKEY, EVP_PKEY_free);

static ERRFN reset(void *context, enum ipc_channel_id channel, bool open)
{
    struct signer *s = context;
    bool api = channel == IPC_CHANNEL_API;
    ENSURE(api || channel == IPC_CHANNEL_JOBS, WIRE);
    if (!open) {
        TRY(ipc_channel_reset(api ? s->api : s->jobs));
    }
    if (api) {
        s->api_dead = !open;
        s->batch_full = false;
    } else {
        s->jobs_dead = !open;
        s->ping_sent_at_ms = 0;
    }
    return OK;
}

static void drain(void *context, uint32_t deadline_ms)
{
    (void)deadline_ms; /* the batch in hand is done before this is read */
    ((struct signer *)context)->draining = true;
}

/* Text that is safe inside a JSON string. */
static ERRFN put_json_text(struct buf *out, struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') {
            TRY(buf_put_u8(out, '\\'));
        }
        TRY(buf_put_u8(out, text.data[i]));
    }
    return OK;
}

/* One row by the supervisor or the console, in a batch of its own that the caller has open. */
static ERRFN append(struct signer *s, const char *action, const char *actor, const char *key, struct view value)
{
    AUTO(buf) detail = NULL;
    TRY(buf_new(AUDIT_DETAIL_MAX_BYTES, &detail));
    TRY(buf_printf(detail, "{\"%s\":\"", key));
    TRY(put_json_text(detail, value));
    TRY(buf_put_text(detail, "\"}"));
    TRY(buf_put_u8(detail, 0));
    struct audit_row row = {
        .action = action, .actor = actor, .detail = (const char *)detail->data, .time_ms = clock_utc_ms()};
    return audit_append(s->db, &row);
}

static ERRFN check_key(struct view der)
{
    const uint8_t *at = der.data;
    AUTO(EVP_PKEY) key = d2i_PUBKEY(NULL, &at, (long)der.len);
    ENSURE(key && at == der.data + der.len, FIELD_INVALID);
    ENSURE(EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) == CREDENTIAL_KEY_BITS, FIELD_INVALID);
    return OK;
}

static ERRFN make_credential(const struct ipc_breakglass_open_request *request, struct operator_credential *out_credential,
                             struct buf *out_token)
{
    struct operator_credential c = {.kind = OPERATOR_CREDENTIAL_BREAK_GLASS, .subject = "SYSTEM", .opened_ms = clock_utc_ms()};
    uint8_t bytes[BREAKGLASS_TOKEN_BYTES];
    c.expires_ms = c.opened_ms + (uint64_t)request->minutes * 60 * 1000;
    random_uuid(c.id);
    random_bytes(bytes, sizeof bytes);
    err_t encoded = buf_put_base64url(out_token, view_of(bytes, sizeof bytes));
    bytes_wipe(bytes, sizeof bytes);
    TRY(encoded);
    TRY(sha384(buf_view(out_token), c.token_sha384));
    ENSURE(request->public_key.len <= sizeof c.public_key, TOO_LONG);
    memcpy(c.public_key, request->public_key.data, request->public_key.len);
    c.public_key_len = request->public_key.len;
    TRY(view_to_text(request->reason, c.reason, sizeof c.reason));
    *out_credential = c;
    return OK;
}

static ERRFN open_breakglass(struct signer *s, const struct ipc_frame *frame, struct buf *out_reply)
{
    struct ipc_breakglass_open_request request;
    TRY(ipc_get_breakglass_open_request(frame->body, &request));
    ENSURE(request.minutes >= 1 && request.minutes <= BREAKGLASS_MINUTES_MAX, BREAKGLASS_LIMIT);
    ENSURE(request.reason.len >= BREAKGLASS_REASON_MIN, BREAKGLASS_LIMIT);
    TRY(check_key(request.public_key));
    struct operator_credential credential;
    AUTO(buf) token = NULL;
    TRY(buf_new(IPC_TOKEN_MAX, &token));
    TRY(make_credential(&request, &credential, token));
    TRY(operator_credential_put(s->db, &credential));
    TRY(append(s, "breakglass_open", "SYSTEM", "reason", request.reason));
    log_event(LOG_WARN, "breakglass.open", LOG_NUMBER("minutes", request.minutes));
    struct ipc_breakglass_open_reply reply = {.token = buf_view(token), .expires_at = credential.expires_ms};
    return ipc_put_breakglass_open_reply(out_reply, &reply);
}

static ERRFN close_breakglass(struct signer *s, const struct ipc_frame *frame, struct buf *out_reply)
{
    struct ipc_breakglass_close_request request;
    uint64_t closed;
    TRY(ipc_get_breakglass_close_request(frame->body, &request));
    TRY(operator_credential_close_all(s->db, clock_utc_ms(), &closed));
    TRY(append(s, "breakglass_close", "SYSTEM", "reason", request.reason));
    log_event(LOG_WARN, "breakglass.close", LOG_NUMBER("closed", closed));
    struct ipc_breakglass_close_reply reply = {.closed = (uint16_t)closed};
    return ipc_put_breakglass_close_reply(out_reply, &reply);
}

static ERRFN note_event(struct signer *s, const struct ipc_frame *frame, struct buf *out_reply)
{
    struct ipc_audit_event_request request;
    char action[65];
    struct audit_tail tail;
    TRY(ipc_get_audit_event_request(frame->body, &request));
    TRY(view_to_text(request.action, action, sizeof action));
    TRY(append(s, action, "supervisor", "detail", request.detail));
    TRY(audit_tail(s->db, &tail));
    struct ipc_audit_event_reply reply = {.seq = tail.seq};
    return ipc_put_audit_event_reply(out_reply, &reply);
}

static ERRFN verify_audit(struct signer *s, const struct ipc_frame *frame, struct buf *out_reply)
{
    struct ipc_audit_verify_request request;
    struct audit_verdict verdict;
    TRY(ipc_get_audit_verify_request(frame->body, &request));
    TRY(audit_verify(s->db, request.from_seq, VERIFY_ROWS_MAX, &verdict));
    struct ipc_audit_verify_reply reply = {
        .valid = verdict.valid,
        .complete = verdict.complete,
        .next_seq = verdict.last_seq + 1,
        .bad_seq = verdict.first_bad_seq,
        .problem = view_text(verdict.problem),
    };
    memcpy(reply.hash, verdict.last_hash, sizeof reply.hash);
    return ipc_put_audit_verify_reply(out_reply, &reply);
}

static ERRFN dispatch(struct signer *s, const struct ipc_frame *frame, struct buf *out_reply)
{
    switch ((enum ipc_type)frame->type) {
    case IPC_TYPE_breakglass_open:
        return open_breakglass(s, frame, out_reply);
    case IPC_TYPE_breakglass_close:
        return close_breakglass(s, frame, out_reply);
    case IPC_TYPE_audit_event:
        return note_event(s, frame, out_reply);
    case IPC_TYPE_audit_verify:
        return verify_audit(s, frame, out_reply);
    default: /* meant for other processes */
        return E(WIRE_STATE);
    }
}

/* Each order is a batch of its own: they are rare, and their replies must be as durable as any. */
static ERRFN other(void *context, const struct ipc_frame *frame, struct buf *out_reply)
{
    struct signer *s = context;
    TRY(db_begin(s->db));
    err_t done = dispatch(s, frame, out_reply);
    if (!IS_OK(done)) {
        db_rollback(s->db);
        return done;
    }
    return db_commit(s->db);
}

ERRFN control_obey(struct signer *s)
{
    const struct process_control control = {.context = s, .reset = reset, .drain = drain, .other = other};
    return process_obey(s->process, &control);
}
