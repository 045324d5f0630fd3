/* GET and POST /attest/challenge: a nonce, and a secret that only the TPM holding this EK and this AK can open. */
#include "base/random.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "signer/identity.h"
#include "signer/record.h"
#include "sql/proof.h"
#include "sql/stored_logs.h"
#include "tpm/ak.h"
#include "tpm/credential.h"

#include <string.h>

enum { ACTIVATION_SECRET_BYTES = 32, BUSY_RETRY_S = 5 };

/* Nonces and sessions have a bound each: anybody may ask for nonces, and whoever takes them all must not keep known machines out. */
static ERRFN check_room(struct call *call, ERRFN (*count)(struct db *, uint64_t *))
{
    uint64_t outstanding;
    TRY(count(call->signer->db, &outstanding));
    if (outstanding >= call->signer->settings.sessions_max) {
        call->retry_after_s = BUSY_RETRY_S;
        return E(SESSION_LIMIT);
    }
    return OK;
}

ERRFN handle_nonce_new(struct call *call, const struct ipc_nonce_new_request *request,
                       struct ipc_nonce_new_reply *out_reply)
{
    (void)request;
    TRY(check_room(call, nonce_count));
    random_bytes(out_reply->nonce_id, sizeof out_reply->nonce_id);
    random_bytes(out_reply->nonce, sizeof out_reply->nonce);
    out_reply->expires_at = call->now_ms + call->signer->settings.nonce_ttl_ms;
    return nonce_put(call->signer->db, out_reply->nonce_id, out_reply->nonce, out_reply->expires_at);
}

static ERRFN check_spacing(struct call *call)
{
    uint64_t last;
    TRY(session_last_created(call->signer->db, call->ek_fingerprint, &last));
    uint64_t interval = call->signer->settings.challenge_interval_ms;
    if (last != 0 && call->now_ms >= last && call->now_ms - last < interval) {
        call->retry_after_s = (uint32_t)(interval / 1000 + 1);
        return E(CHALLENGE_TOO_SOON);
    }
    return OK;
}

/* A revoked machine may still prove itself once, to be told to wipe. */
static ERRFN check_state(const struct machine *machine)
{
    ENSURE(machine->status != MACHINE_REJECTED, MACHINE_REJECTED);
    ENSURE(machine->status != MACHINE_REVOKED || machine->wipe_pending, MACHINE_REVOKED);
    return OK;
}

static ERRFN make_credential(struct call *call, const struct ek *ek, const struct ak *ak, struct session *session,
                             struct ipc_challenge_reply *out_reply)
{
    struct buf *blob;
    struct buf *encrypted;
    AUTO(secret) secret = NULL;
    TRY(call_buffer(call, CREDENTIAL_ID_OBJECT_MAX_BYTES, &blob));
    TRY(call_buffer(call, CREDENTIAL_ENCRYPTED_SECRET_MAX_BYTES, &encrypted));
    TRY(secret_random(ACTIVATION_SECRET_BYTES, &secret));
    TRY(credential_make(ek, ak_name(ak), secret_view(secret), blob, encrypted));
    TRY(sha384(secret_view(secret), session->secret_sha384));
    out_reply->credential_blob = buf_view(blob);
    out_reply->encrypted_secret = buf_view(encrypted);
    return OK;
}

/* For the EK that was shown, which need not be the one that the machine goes by. */
static ERRFN open_session(struct call *call, const struct ak *ak, struct session *session)
{
    random_bytes(session->id, sizeof session->id);
    random_bytes(session->nonce_id, sizeof session->nonce_id);
    random_bytes(session->nonce, sizeof session->nonce);
    memcpy(session->ek_fingerprint, call->ek_fingerprint, sizeof session->ek_fingerprint);
    memcpy(session->ak_name, ak->name, ak->name_len);
    session->ak_name_len = ak->name_len;
    ENSURE(ak->public_area->len <= sizeof session->ak_public, TOO_LONG);
    memcpy(session->ak_public, ak->public_area->data, ak->public_area->len);
    session->ak_public_len = ak->public_area->len;
    session->created_ms = call->now_ms;
    session->expires_ms = call->now_ms + call->signer->settings.session_ttl_ms;
    memcpy(session->source_ip, call->source_ip, sizeof session->source_ip);
    return session_put(call->signer->db, session);
}

static ERRFN list_selection(struct call *call, struct ipc_list *out_list)
{
    const struct pcr_selection *selection = &call->signer->selection;
    struct buf *rows;
    TRY(call_buffer(call, 64, &rows));
    for (size_t i = 0; i < selection->count; i++) {
        struct ipc_pcr_bank_record row = {.bank = selection->banks[i].bank, .mask = selection->banks[i].mask};
        TRY(ipc_list_add_pcr_bank(out_list, rows, &row));
    }
    return OK;
}

/* The log that came last need not come again; only the quote says whether it is still the machine's. */
static ERRFN describe_log(struct call *call, const struct machine *machine, struct ipc_challenge_reply *out_reply)
{
    struct buf *digest;
    uint8_t *at;
    TRY(call_buffer(call, STORED_LOG_SHA384_BYTES, &digest));
    TRY(buf_extend(digest, STORED_LOG_SHA384_BYTES, &at));
    err_t found = stored_log_digest(call->signer->db, machine->machine_id, STORED_LOG_LAST, at);
    out_reply->event_log = call->signer->policy->require_event_log ? IPC_EVENT_LOG_REQUIRED : IPC_EVENT_LOG_OPTIONAL;
    if (IS_E(found, NOT_FOUND)) {
        return OK;
    }
    TRY(found);
    out_reply->event_log = IPC_EVENT_LOG_KNOWN;
    out_reply->event_log_digest = buf_view(digest);
    return OK;
}

/* The EK's own algorithms. Whoever knows the certificate may ask for a challenge, so they are kept with the EK only once the
 * credential made with them was opened. */
static ERRFN claim_public_area(struct view area, struct session *session)
{
    ENSURE(area.len <= sizeof session->ek_public, TOO_LONG);
    if (area.len > 0) {
        memcpy(session->ek_public, area.data, area.len);
    }
    session->ek_public_len = area.len;
    return OK;
}

static ERRFN read_keys(struct call *call, const struct ipc_challenge_request *request, struct ek **out_ek, struct ak **out_ak)
{
    AUTO(ek) ek = NULL;
    AUTO(ak) ak = NULL;
    TRY(identity_read(call, request->ek, request->ek_source, VIEW_EMPTY, &ek));
    if (request->ek_public.len > 0) {
        err_t fits = ek_set_public_area(ek, request->ek_public);
        if (!IS_OK(fits)) {
            return call_refuse(call, fits, "body.ek_pub");
        }
    }
    err_t parsed = ak_parse(request->ak_public, &ak);
    if (!IS_OK(parsed)) {
        return call_refuse(call, parsed, "body.ak_pub");
    }
    *out_ek = STEAL(ek);
    *out_ak = STEAL(ak);
    return OK;
}

ERRFN handle_challenge(struct call *call, const struct ipc_challenge_request *request,
                       struct ipc_challenge_reply *out_reply)
{
    AUTO(ek) ek = NULL;
    AUTO(ak) ak = NULL;
    TRY(read_keys(call, request, &ek, &ak));
    struct machine machine;
    TRY(identity_machine(call, ek, &machine));
    TRY(check_state(&machine));
    TRY(check_room(call, session_count));
    TRY(check_spacing(call));

    struct session session = {0};
    TRY(make_credential(call, ek, ak, &session, out_reply));
    bool area_is_ek = ek->source == EK_SOURCE_PUB && ek->public_area_known;
    TRY(claim_public_area(area_is_ek ? request->ek : request->ek_public, &session));
    TRY(open_session(call, ak, &session));
    TRY(list_selection(call, &out_reply->selection));
    TRY(describe_log(call, &machine, out_reply));
    memcpy(out_reply->session_id, session.id, sizeof out_reply->session_id);
    memcpy(out_reply->nonce_id, session.nonce_id, sizeof out_reply->nonce_id);
    memcpy(out_reply->nonce, session.nonce, sizeof out_reply->nonce);
    out_reply->expires_at = session.expires_ms;
    return OK;
}
