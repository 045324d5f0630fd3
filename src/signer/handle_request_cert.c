/* POST /machines/{id}/request-cert: the evidence of an attestation, over exactly the key that asks, and policy's verdict on it; then an
 * enrollment certificate, an SVID, or both. */
#include "base/text.h"
#include "pki/csr.h"
#include "pki/wrap.h"
#include "signer/appraise.h"
#include "signer/gate.h"
#include "signer/identity.h"
#include "signer/issuer.h"
#include "signer/join.h"
#include "signer/machine_reply.h"
#include "signer/record.h"
#include "signer/verdict.h"
#include "sql/tokens.h"

#include <openssl/evp.h>
#include <string.h>

enum profile { PROFILE_ALL = 0, PROFILE_ENROLLMENT, PROFILE_SVID };

/* The key that the certificate is to be for, or the one that a new key is to be wrapped for. */
struct asked {
    struct buf *spki;
    EVP_PKEY *wrapping_key; /* NULL with a certificate request */
};

static void asked_clear(struct asked *asked)
{
    buf_free(asked->spki);
    EVP_PKEY_free(asked->wrapping_key);
}

static ERRFN read_key(struct call *call, const struct ipc_request_cert_request *request, struct asked *asked)
{
    if ((request->csr.len > 0) == (request->wrapping_key.len > 0)) {
        return call_refuse(call, E(CSR_MISSING), "body.csr_pem");
    }
    if (request->csr.len > 0) {
        err_t parsed = csr_parse(request->csr, &asked->spki);
        return IS_OK(parsed) ? OK : call_refuse(call, parsed, "body.csr_pem");
    }
    err_t parsed = csr_wrapping_key_parse(request->wrapping_key, &asked->wrapping_key);
    return IS_OK(parsed) ? OK : call_refuse(call, parsed, "body.wrapping_key_pem");
}

/* The EK that proves: the one that the request names, or the one that the machine goes by. */
static ERRFN find_ek(struct call *call, const struct ipc_request_cert_request *request, const struct machine *machine,
                     struct ek **out_ek)
{
    struct ek_summary eks[MACHINE_EKS_MAX];
    size_t count;
    memcpy(call->ek_fingerprint, machine->ek_fingerprint, sizeof call->ek_fingerprint);
    if (request->ek_fingerprint.len == 0) {
        return identity_stored_certificate(call, machine->ek_fingerprint, out_ek);
    }
    TRY(ek_list(call->signer->db, machine->machine_id, eks, &count));
    for (size_t i = 0; i < count; i++) {
        AUTO(ek) ek = NULL;
        TRY(identity_stored_certificate(call, eks[i].fingerprint, &ek));
        if (ek_fingerprint_matches(ek, request->ek_fingerprint)) {
            memcpy(call->ek_fingerprint, eks[i].fingerprint, sizeof call->ek_fingerprint);
            *out_ek = STEAL(ek);
            return OK;
        }
    }
    return call_refuse(call, E(EK_FINGERPRINT_MISMATCH), "body.ek_fingerprint");
}

static ERRFN prove_possession(struct call *call, const struct ipc_attest_request *evidence, struct machine *machine,
                              const struct ek *ek, struct view bound, struct appraisal *appraisal)
{
    TRY(possession_prove(call, evidence, &appraisal->possession));
    TRY(join_machine(call, ek, &appraisal->possession, machine));
    return appraise(call, evidence, machine, ek, bound, appraisal);
}

/* The same proof as an attestation's, for the key in question. */
static ERRFN prove(struct call *call, const struct ipc_request_cert_request *request, struct machine *machine, const struct ek *ek)
{
    struct appraisal appraisal = {0};
    const struct ipc_attest_request evidence = {
        .session_id = request->session_id,
        .nonce_id = request->nonce_id,
        .activated_secret = request->activated_secret,
        .ak_public = request->ak_public,
        .quote = request->quote,
        .signature = request->signature,
        .pcr_values = request->pcr_values,
    };
    struct view bound = request->csr.len > 0 ? request->csr : request->wrapping_key;
    err_t proved = prove_possession(call, &evidence, machine, ek, bound, &appraisal);
    if (IS_OK(proved)) {
        proved = appraisal_store(call, machine, ek, &appraisal);
    }
    if (IS_OK(proved)) {
        verdict_take(&appraisal.verdict, call->now_ms, machine);
    }
    /* What closes a gate holds at once; what prolongs it, when something was issued on it. */
    if (IS_OK(proved) && appraisal.verdict.result == POLICY_RESULT_FAIL) {
        proved = machine_update(call->signer->db, machine);
    }
    appraisal_clear(&appraisal);
    return proved;
}

/* What this evidence closes, it closes for the configuration too. */
static ERRFN check_gates(struct call *call, const struct machine *machine)
{
    if (!IS_OK(gate_check(machine, IPC_GATE_CONFIG, call->now_ms))) {
        TRY(config_token_kill(call->signer->db, machine->machine_id));
    }
    return gate_check(machine, IPC_GATE_CERTIFICATES, call->now_ms);
}

static ERRFN keep(struct call *call, const struct buf *bytes, struct view *out_view)
{
    struct buf *copy;
    *out_view = VIEW_EMPTY;
    if (bytes) {
        TRY(call_buffer(call, bytes->len, &copy));
        TRY(buf_put(copy, buf_view(bytes)));
        *out_view = buf_view(copy);
    }
    return OK;
}

/* A new key, whose private half goes into the reply. */
static ERRFN make_key(struct call *call, struct asked *asked, struct ipc_request_cert_reply *out_reply)
{
    struct wrapped_key wrapped;
    TRY(wrapped_key_make(asked->wrapping_key, &asked->spki, &wrapped));
    err_t kept = keep(call, wrapped.ciphertext, &out_reply->encrypted_key);
    kept = IS_OK(kept) ? keep(call, wrapped.wrapped_key, &out_reply->wrapped_key) : kept;
    if (IS_OK(kept) && wrapped.wrapped_key) {
        struct buf *iv;
        kept = call_buffer(call, sizeof wrapped.iv, &iv);
        kept = IS_OK(kept) ? buf_put(iv, view_of(wrapped.iv, sizeof wrapped.iv)) : kept;
        out_reply->iv = IS_OK(kept) ? buf_view(iv) : VIEW_EMPTY;
    }
    wrapped_key_clear(&wrapped);
    return kept;
}

/* What the request's profile comes to on this appliance. */
struct wanted {
    bool enrollment;
    bool svid;
};

/* Everything or nothing: a refusal keeps the evidence, but no certificate that nobody got. */
static ERRFN check_wanted(struct call *call, const struct machine *machine, const struct ek *ek, struct wanted wanted)
{
    if (wanted.enrollment) {
        TRY(issuer_check(call, machine, ek, CERTIFICATE_ENROLLMENT));
    }
    return wanted.svid ? issuer_check(call, machine, ek, CERTIFICATE_SVID) : OK;
}

static ERRFN issue(struct call *call, const struct machine *machine, const struct ek *ek, struct view spki, struct wanted wanted,
                   struct ipc_request_cert_reply *out_reply)
{
    struct issuance issuance;
    if (wanted.enrollment) {
        TRY(issuer_issue(call, machine, ek, spki, CERTIFICATE_ENROLLMENT, &issuance));
        out_reply->certificate = issuance.pem;
        out_reply->expires_at = issuance.expires_at;
    }
    if (wanted.svid) {
        TRY(issuer_issue(call, machine, ek, spki, CERTIFICATE_SVID, &issuance));
        out_reply->svid = issuance.pem;
        out_reply->spiffe_id = issuance.uri;
        out_reply->svid_expires_at = issuance.expires_at;
    }
    out_reply->ca = buf_view(call->signer->ca->pem);
    TRY(call_text(call, machine->machine_id, &out_reply->machine_id));
    return call_text(call, machine->role, &out_reply->role);
}

static ERRFN prove_and_issue(struct call *call, const struct ipc_request_cert_request *request, struct asked *asked,
                             struct ipc_request_cert_reply *out_reply)
{
    AUTO(ek) ek = NULL;
    AUTO(ek) named = NULL;
    struct machine machine;
    const struct wanted wanted = {
        .enrollment = request->profile != PROFILE_SVID,
        .svid = request->profile == PROFILE_SVID ||
                (request->profile == PROFILE_ALL && call->signer->settings.trust_domain[0]),
    };
    TRY(machine_find(call, request->machine_id, &machine));
    TRY(gate_check_state(&machine));
    TRY(find_ek(call, request, &machine, &ek));
    /* From here on a nonce or session is used up whatever comes, and evidence stays. */
    call->keep = true;
    TRY(prove(call, request, &machine, ek));
    TRY(check_gates(call, &machine));
    /* Whichever EK proved it, the name is that of the EK that an operator approved. */
    TRY(identity_stored_certificate(call, machine.ek_fingerprint, &named));
    TRY(check_wanted(call, &machine, named, wanted));
    if (asked->wrapping_key) {
        TRY(make_key(call, asked, out_reply));
    }
    TRY(issue(call, &machine, named, buf_view(asked->spki), wanted, out_reply));
    return machine_update(call->signer->db, &machine);
}

ERRFN handle_request_cert(struct call *call, const struct ipc_request_cert_request *request,
                          struct ipc_request_cert_reply *out_reply)
{
    struct asked asked = {0};
    err_t done = read_key(call, request, &asked);
    done = IS_OK(done) ? prove_and_issue(call, request, &asked, out_reply) : done;
    asked_clear(&asked);
    return done;
}
