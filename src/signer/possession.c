#include "signer/possession.h"

#include "base/text.h"
#include "crypto/digest.h"

#include <string.h>

void possession_clear(struct possession *possession)
{
    ak_free(STEAL(possession->ak));
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

static ERRFN ak_of_session(struct call *call, const struct ipc_attest_request *request, struct possession *p)
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
        TRY(ak_parse(view_of(session.ak_public, session.ak_public_len), &p->ak));
        p->ak_is_new = true;
        memcpy(p->ek_public, session.ek_public, session.ek_public_len);
        p->ek_public_len = session.ek_public_len;
    } else {
        TRY(known_ak(call, &p->ak));
        ENSURE(same_ak(p->ak, name), AK_MISMATCH);
    }
    memcpy(p->nonce, session.nonce, PROOF_NONCE_BYTES);
    return OK;
}

static ERRFN ak_of_nonce(struct call *call, const struct ipc_attest_request *request, struct possession *p)
{
    ENSURE(request->activated_secret.len == 0, SESSION_UNKNOWN);
    ENSURE(request->nonce_id.len > 0, NONCE_MISSING);
    ENSURE(request->nonce_id.len == PROOF_ID_BYTES, NONCE_UNKNOWN);
    TRY(nonce_take(call->signer->db, request->nonce_id.data, call->now_ms, p->nonce));
    return known_ak(call, &p->ak);
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

ERRFN possession_prove(struct call *call, const struct ipc_attest_request *request, struct possession *out_possession)
{
    if (request->session_id.len > 0) {
        TRY(ak_of_session(call, request, out_possession));
    } else {
        TRY(ak_of_nonce(call, request, out_possession));
    }
    return check_ak_sent(call, request, out_possession->ak);
}

/* -- what is kept of it ------------------------------------------------------------------------------------------------ */

static ERRFN store_ak(struct call *call, const struct machine *machine, const struct ak *ak)
{
    struct ak_record record = {.name_len = ak->name_len, .public_len = ak->public_area->len, .activated_ms = call->now_ms};
    memcpy(record.ek_fingerprint, call->ek_fingerprint, sizeof record.ek_fingerprint);
    memcpy(record.machine_id, machine->machine_id, sizeof record.machine_id);
    memcpy(record.name, ak->name, ak->name_len);
    memcpy(record.public_area, ak->public_area->data, ak->public_area->len);
    TRY(view_to_text(view_text(ak_key_name(ak->key_type)), record.key_name, sizeof record.key_name));
    return ak_activate(call->signer->db, &record);
}

/* Later credentials are made with the algorithms that this one was opened with. A new EK is the machine's from now on. */
ERRFN possession_store_ek(struct call *call, const struct machine *machine, const struct ek *ek, const struct possession *possession)
{
    struct ek_record record = {
        .source = (int)ek->source,
        .key_type = (int)ek->key_type,
        .certificate = ek->area ? buf_view(ek->area) : VIEW_EMPTY,
        .spki = buf_view(ek->spki),
        .public_area = view_of(possession->ek_public, possession->ek_public_len),
        .since_ms = call->now_ms,
    };
    memcpy(record.fingerprint, call->ek_fingerprint, sizeof record.fingerprint);
    memcpy(record.machine_id, machine->machine_id, sizeof record.machine_id);
    return ek_put(call->signer->db, &record);
}

ERRFN possession_store(struct call *call, const struct machine *machine, const struct ek *ek, const struct possession *possession)
{
    if (possession->ek_public_len > 0) {
        TRY(possession_store_ek(call, machine, ek, possession));
    }
    return possession->ak_is_new ? store_ak(call, machine, possession->ak) : OK;
}
