#include "stub_signer.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"

#define MACHINE_ID "0b7c5b1e-1111-4222-8333-444455556666"
#define TOKEN      "Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyMDA"

enum { PENDING = 1, REGISTERED = 2, ATTESTED = 3, REVOKED = 5 };

/* A refusal on its way out: the code and what goes with it. */
struct refusal {
    err_t why;
    const char *subject;
    uint32_t retry_after_s;
};

#define REFUSE(name, subject_, after) \
    return (struct refusal)           \
    {                                 \
        E(name), subject_, after      \
    }
#define FINE ((struct refusal){OK, "", 0})

static struct refusal self_register(const struct ipc_self_register_request *r,
                                    struct ipc_self_register_reply *out)
{
    if (view_is(r->hw_serial, "limit")) {
        REFUSE(MACHINE_LIMIT, "", 60);
    }
    if (view_is(r->desired_role, "captain")) {
        REFUSE(ROLE_UNKNOWN, "body.desired_role", 0);
    }
    if (view_is(r->hw_serial, "full")) {
        REFUSE(DB_FULL, "", 0);
    }
    *out = (struct ipc_self_register_reply){.machine_id = view_text(MACHINE_ID),
                                            .role = view_text("worker-app"),
                                            .status = view_is(r->hw_serial, "attested") ? ATTESTED
                                                                                        : PENDING,
                                            .known = view_is(r->hw_serial, "attested")};
    return FINE;
}

static struct refusal nonce_new(const struct ipc_nonce_new_request *r,
                                struct ipc_nonce_new_reply *out)
{
    (void)r;
    random_bytes(out->nonce_id, sizeof out->nonce_id);
    random_bytes(out->nonce, sizeof out->nonce);
    out->expires_at = 1795341600000u;
    return FINE;
}

static struct refusal challenge(const struct ipc_challenge_request *r,
                                struct ipc_challenge_reply *out)
{
    static struct buf *rows;
    if (r->ak_public.len == 3) {
        REFUSE(AK_ATTRIBUTES, "", 0);
    }
    struct ipc_list selection = {0};
    struct ipc_pcr_bank_record bank = {.bank = 0x000b, .mask = 0x95};
    buf_free(rows);
    if (!IS_OK(buf_new(64, &rows)) || !IS_OK(ipc_list_add_pcr_bank(&selection, rows, &bank))) {
        REFUSE(BUG, "", 0);
    }
    *out = (struct ipc_challenge_reply){.credential_blob = view_text("blob"),
                                        .encrypted_secret = view_text("secret"),
                                        .selection = selection,
                                        .expires_at = 1795341600000u};
    random_bytes(out->nonce, sizeof out->nonce);
    return FINE;
}

static struct refusal attest(const struct ipc_attest_request *r, struct ipc_attest_reply *out)
{
    static struct buf *rows;
    struct ipc_list failures = {0};
    if (view_is(r->hw_serial, "nonce-expired")) {
        REFUSE(NONCE_EXPIRED, "", 0);
    }
    if (view_is(r->hw_serial, "nonce-used")) {
        REFUSE(NONCE_USED, "", 0);
    }
    if (view_is(r->hw_serial, "nonce-unknown")) {
        REFUSE(NONCE_UNKNOWN, "", 0);
    }
    if (view_is(r->hw_serial, "rejected")) {
        REFUSE(MACHINE_REJECTED, "", 0);
    }
    *out = (struct ipc_attest_reply){.machine_id = view_text(MACHINE_ID),
                                     .hostname = view_text("node-7"),
                                     .role = view_text("worker-app"),
                                     .policy_version = 3,
                                     .assurance = view_text("tpm"),
                                     .status = ATTESTED,
                                     .verdict = IPC_VERDICT_PASS,
                                     .action = IPC_ACTION_APPLY_CONFIG,
                                     .config_token = view_text(TOKEN),
                                     .again = view_is(r->hw_serial, "again"),
                                     .proved = r->activated_secret.len > 0};
    if (view_is(r->hw_serial, "policy")) {
        struct ipc_failure_record failure = {view_text("pcr:sha256:7"), view_text("00"),
                                             view_text("ff\"<")};
        buf_free(rows);
        if (!IS_OK(buf_new(1024, &rows)) ||
            !IS_OK(ipc_list_add_failure(&failures, rows, &failure))) {
            REFUSE(BUG, "", 0);
        }
        out->failures = failures;
        out->verdict = IPC_VERDICT_FAIL;
        out->action = IPC_ACTION_NONE;
        out->config_token = VIEW_EMPTY;
        out->reason = ERR_CODE_PCR_POLICY;
    }
    if (view_is(r->hw_serial, "wipe")) {
        out->status = REVOKED;
        out->action = IPC_ACTION_WIPE;
        out->config_token = VIEW_EMPTY;
        out->reason = ERR_CODE_MACHINE_REVOKED;
    }
    if (view_is(r->hw_serial, "log")) {
        printf("log %zu values %u\n", r->event_log.len, r->pcr_values.count);
        fflush(stdout);
    }
    return FINE;
}

static struct refusal config_fetch(const struct ipc_config_fetch_request *r,
                                   struct ipc_config_fetch_reply *out)
{
    static uint8_t big[IPC_CONFIG_MAX];
    if (!view_is(r->token, TOKEN) && !view_is(r->token, "big")) {
        REFUSE(TOKEN_UNKNOWN, "", 0);
    }
    memset(big, 'y', sizeof big);
    *out = (struct ipc_config_fetch_reply){
        .machine_id = view_text(MACHINE_ID),
        .sealed = r->sealed,
        .credential_blob = view_text("blob"),
        .encrypted_secret = view_text("secret"),
        .iv = view_of(big, 12),
        .body = view_of(big, view_is(r->token, "big") ? sizeof big : 100),
        .tag = view_of(big, 16),
        .aad = view_text("{\"format\":\"tpm-credential-v1\"}")};
    return FINE;
}

static struct refusal config_pending(const struct ipc_config_pending_request *r,
                                     struct ipc_config_pending_reply *out)
{
    (void)r;
    out->body = view_text("version: v1alpha1\n");
    return FINE;
}

static struct refusal operator_check(struct view bearer)
{
    if (bearer.len == 0) {
        REFUSE(AUTH_MISSING, "", 0);
    }
    if (view_is(bearer, "closed")) {
        REFUSE(AUTH_NOT_CONFIGURED, "", 0);
    }
    if (!view_is(bearer, "good")) {
        REFUSE(AUTH_INVALID, "", 0);
    }
    return FINE;
}

static struct refusal give_machines(unsigned count, struct ipc_list *out_list)
{
    static struct buf *rows;
    struct ipc_list list = {0};
    struct ipc_machine_record machine = {.machine_id = view_text(MACHINE_ID),
                                         .ek_fingerprint = view_text("ab"),
                                         .ek_public_hash = view_text("cd"),
                                         .ek_source = 1,
                                         .hw_serial = view_text("quote\" back\\slash"),
                                         .role = view_text("worker-app"),
                                         .status = PENDING,
                                         .cluster_id = view_text("default"),
                                         .registered_at = 1795341600000u};
    buf_free(rows);
    if (!IS_OK(buf_new((size_t)1024 * 1024, &rows))) {
        REFUSE(BUG, "", 0);
    }
    for (unsigned i = 0; i < count; i++) {
        if (!IS_OK(ipc_list_add_machine(&list, rows, &machine))) {
            REFUSE(BUG, "", 0);
        }
    }
    *out_list = list;
    return FINE;
}

static struct refusal machine_list(const struct ipc_machine_list_request *r,
                                   struct ipc_machine_list_reply *out)
{
    struct refusal checked = operator_check(r->bearer);
    if (!IS_OK(checked.why)) {
        return checked;
    }
    printf("list status %u role %.*s after %.*s limit %u target %.*s\n", r->status,
           (int)r->role.len, r->role.data, (int)r->after.len, r->after.data, r->limit,
           (int)r->target.len, r->target.data);
    fflush(stdout);
    out->more = r->limit < 200;
    return give_machines(r->limit, &out->machines);
}

static struct refusal machine_get(const struct ipc_machine_get_request *r,
                                  struct ipc_machine_get_reply *out)
{
    struct refusal checked = operator_check(r->bearer);
    if (!IS_OK(checked.why)) {
        return checked;
    }
    if (!view_is(r->machine_id, MACHINE_ID)) {
        REFUSE(MACHINE_UNKNOWN, "", 0);
    }
    static struct buf *rows;
    struct ipc_ek_record ek = {.fingerprint = view_text("ab"),
                               .key = view_text("P-384"),
                               .source = 1,
                               .since = 1795341600000u,
                               .names_machine = 1};
    buf_free(rows);
    if (!IS_OK(buf_new(1024, &rows)) || !IS_OK(ipc_list_add_ek(&out->eks, rows, &ek))) {
        REFUSE(BUG, "", 0);
    }
    return give_machines(1, &out->machine);
}

static struct refusal machine_approve(const struct ipc_machine_approve_request *r,
                                      struct ipc_machine_approve_reply *out)
{
    struct refusal checked = operator_check(r->bearer);
    if (!IS_OK(checked.why)) {
        return checked;
    }
    if (r->signature.len == 0) {
        REFUSE(SIGNATURE_MISSING, "", 0);
    }
    printf("approve %.*s %.*s digest %.*s input %.*s signature %.*s body %.*s\n",
           (int)r->method.len, r->method.data, (int)r->target.len, r->target.data,
           (int)r->content_digest.len, r->content_digest.data, (int)r->signature_input.len,
           r->signature_input.data, (int)r->signature.len, r->signature.data, (int)r->body.len,
           r->body.data);
    fflush(stdout);
    return give_machines(1, &out->machine);
}

static struct refusal act_done(const char *act, struct view bearer, struct view machine_id,
                               struct view token, struct view body, struct ipc_list *out_list)
{
    struct refusal checked = token.len > 0 ? FINE : operator_check(bearer);
    if (!IS_OK(checked.why)) {
        return checked;
    }
    printf("act %s %.*s token %.*s body %.*s\n", act, (int)machine_id.len, machine_id.data,
           (int)token.len, token.data, (int)body.len, body.data);
    fflush(stdout);
    return give_machines(1, out_list);
}

#define ACT(name)                                                                             \
    static struct refusal machine_##name(const struct ipc_machine_##name##_request *r,        \
                                         struct ipc_machine_##name##_reply *out)              \
    {                                                                                         \
        return act_done(#name, r->bearer, r->machine_id, VIEW_EMPTY, r->body, &out->machine); \
    }
ACT(lock)
ACT(unlock)
ACT(revoke)
ACT(reject)
ACT(delete)

static struct refusal machine_wipe_ack(const struct ipc_machine_wipe_ack_request *r,
                                       struct ipc_machine_wipe_ack_reply *out)
{
    return act_done("wipe-ack", r->bearer, r->machine_id, r->wipe_token, r->body, &out->machine);
}

static struct refusal request_cert(const struct ipc_request_cert_request *r,
                                   struct ipc_request_cert_reply *out)
{
    printf("request_cert %.*s profile %u csr %.*s wrapping %.*s\n", (int)r->machine_id.len,
           r->machine_id.data, r->profile, (int)r->csr.len, r->csr.data, (int)r->wrapping_key.len,
           r->wrapping_key.data);
    fflush(stdout);
    *out = (struct ipc_request_cert_reply){.machine_id = view_text(MACHINE_ID),
                                           .role = view_text("worker-app"),
                                           .certificate = view_text("certificate\n"),
                                           .ca = view_text("ca\n"),
                                           .expires_at = 1795341600000u};
    if (r->wrapping_key.len > 0) {
        out->encrypted_key = view_text("encrypted");
        out->wrapped_key = view_text("wrapped");
        out->iv = view_text("iv");
    }
    return FINE;
}

static struct refusal ak_activate(const struct ipc_ak_activate_request *r,
                                  struct ipc_ak_activate_reply *out)
{
    printf("ak_activate %.*s ek %u %.*s ak %.*s secret %.*s quote %.*s %.*s values %u\n",
           (int)r->machine_id.len, r->machine_id.data, r->ek_source, (int)r->ek.len, r->ek.data,
           (int)r->ak_public.len, r->ak_public.data, (int)r->activated_secret.len,
           r->activated_secret.data, (int)r->quote.len, r->quote.data, (int)r->signature.len,
           r->signature.data, r->pcr_values.count);
    fflush(stdout);
    *out = (struct ipc_ak_activate_reply){.machine_id = view_text(MACHINE_ID), .joined = 1};
    return FINE;
}

static struct refusal enroll(const struct ipc_enroll_request *r, struct ipc_enroll_reply *out)
{
    printf("enroll certificate %.*s nonce %.*s\n", (int)r->certificate.len, r->certificate.data,
           (int)r->nonce.len, r->nonce.data);
    fflush(stdout);
    *out = (struct ipc_enroll_reply){.machine_id = view_text(MACHINE_ID),
                                     .role = view_text("worker-app"),
                                     .status = REGISTERED,
                                     .reason = ERR_CODE_ATTESTATION_REQUIRED};
    return FINE;
}

static struct refusal pki_document(const struct ipc_pki_document_request *r,
                                   struct ipc_pki_document_reply *out)
{
    if (r->document == IPC_DOCUMENT_BUNDLE) {
        REFUSE(SVID_OFF, "", 0);
    }
    out->body = view_text(r->document == IPC_DOCUMENT_CRL ? "crl" : "ca");
    memset(out->sha256, r->document, sizeof out->sha256);
    return FINE;
}

static struct refusal give_certificate(struct ipc_list *out_list)
{
    static struct buf *rows;
    struct ipc_list list = {0};
    struct ipc_certificate_record row = {.machine_id = view_text(MACHINE_ID),
                                         .kind = 2,
                                         .name = view_text("spiffe://td/a"),
                                         .role = view_text("worker-app"),
                                         .not_after = 1795341600000u,
                                         .revoked_at = 1795341600000u,
                                         .revoked_reason = 6};
    memset(row.serial, 0x41, sizeof row.serial);
    buf_free(rows);
    if (!IS_OK(buf_new(4096, &rows)) || !IS_OK(ipc_list_add_certificate(&list, rows, &row))) {
        REFUSE(BUG, "", 0);
    }
    *out_list = list;
    return FINE;
}

static struct refusal certificate_list(const struct ipc_certificate_list_request *r,
                                       struct ipc_certificate_list_reply *out)
{
    struct refusal checked = operator_check(r->bearer);
    if (!IS_OK(checked.why)) {
        return checked;
    }
    out->more = r->limit == 1;
    return give_certificate(&out->certificates);
}

static struct refusal certificate_revoke(const struct ipc_certificate_revoke_request *r,
                                         struct ipc_certificate_revoke_reply *out)
{
    struct refusal checked = operator_check(r->bearer);
    return IS_OK(checked.why) ? give_certificate(&out->certificate) : checked;
}

static struct refusal note_refusal(const struct ipc_note_refusal_request *r,
                                   struct ipc_note_refusal_reply *out)
{
    printf("noted %.*s %s\n", (int)r->endpoint.len, r->endpoint.data,
           err_reason(err_from_code(r->reason)));
    fflush(stdout);
    out->noted = 1;
    return FINE;
}

static struct view client_ca; /* stub_client_ca */

void stub_client_ca(struct view der)
{
    client_ca = der;
}

static struct refusal tls_anchor(const struct ipc_tls_anchor_request *r,
                                 struct ipc_tls_anchor_reply *out)
{
    (void)r;
    random_bytes(out->anchor, sizeof out->anchor);
    out->ca = client_ca;
    return FINE;
}

static struct refusal machine_self(const struct ipc_machine_self_request *r,
                                   struct ipc_machine_self_reply *out)
{
    (void)out;
    if (r->handshake.len == 0) {
        REFUSE(CLIENT_CERTIFICATE_MISSING, "", 0);
    }
    printf("handshake %zu\n", r->handshake.len);
    fflush(stdout);
    REFUSE(MACHINE_LOCKED, "", 0); /* who it is makes no difference here */
}

/* One case of the dispatch: decode, answer, encode. */
#define CASE(name)                                                                             \
    case IPC_TYPE_##name: {                                                                    \
        struct ipc_##name##_request request;                                                   \
        struct ipc_##name##_reply reply = {0};                                                 \
        TRY(ipc_get_##name##_request(frame->body, &request));                                  \
        struct refusal r = name(&request, &reply);                                             \
        if (!IS_OK(r.why)) {                                                                   \
            return ipc_channel_refuse(channel, frame->type, frame->sequence, r.why, r.subject, \
                                      r.retry_after_s);                                        \
        }                                                                                      \
        TRY(ipc_put_##name##_reply(body, &reply));                                             \
        return ipc_channel_reply(channel, frame->type, frame->sequence, buf_view(body));       \
    }

ERRFN stub_answer(struct stub *stub, struct ipc_channel *channel, const struct ipc_frame *frame)
{
    AUTO(buf) body = NULL;
    if (stub->mute) {
        return OK;
    }
    TRY(buf_new(ipc_message_info(frame->type)->reply_max, &body));
    switch ((int)frame->type) {
        CASE(self_register)
        CASE(nonce_new)
        CASE(challenge)
        CASE(attest)
        CASE(config_fetch)
        CASE(config_pending)
        CASE(machine_list)
        CASE(machine_get)
        CASE(machine_approve)
        CASE(request_cert)
        CASE(ak_activate)
        CASE(enroll)
        CASE(pki_document)
        CASE(tls_anchor)
        CASE(machine_self)
        CASE(certificate_list)
        CASE(certificate_revoke)
        CASE(machine_lock)
        CASE(machine_unlock)
        CASE(machine_revoke)
        CASE(machine_reject)
        CASE(machine_delete)
        CASE(machine_wipe_ack)
        CASE(note_refusal)
    case IPC_TYPE_ready:
        TRY(ipc_put_ready_reply(body, &stub->ready));
        return ipc_channel_reply(channel, frame->type, frame->sequence, buf_view(body));
    default:
        return E(WIRE_STATE);
    }
}
