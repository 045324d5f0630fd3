#include "node/attempt.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "node/apply.h"
#include "node/sealed.h"
#include "node/tpm_activation.h"
#include "tpm/ak.h"

enum { EVENT_LOG_MAX_BYTES = 512 * 1024 }; /* the appliance's limit */

/* What is loaded during one attempt. */
struct loaded {
    struct tpm *tpm;
    struct tpm_transient ek;
    struct tpm_transient ak;
};

void attempt_clear(struct attempt *attempt)
{
    endorsement_free(attempt->endorsement);
    attestation_key_free(attempt->key);
    attempt->endorsement = NULL;
    attempt->key = NULL;
}

/* -- TPM ---------------------------------------------------------------------------------------------------------- */

ERRFN attempt_tpm_open(struct attempt *attempt, struct tpm **out_tpm)
{
    alarm(TPM_DEADLINE_S);
    progress_begin(&attempt->progress);
    return tpm_open(attempt->options->tcti, out_tpm);
}

void attempt_tpm_close(struct tpm *tpm)
{
    tpm_close(tpm);
    alarm(0);
}

static const char *finding_text(enum ek_finding finding)
{
    switch (finding) {
    case EK_FINDING_UNREADABLE:
        return "cannot be read";
    case EK_FINDING_UNSUPPORTED:
        return "is for a kind of key that is not supported";
    case EK_FINDING_MISMATCH:
        return "is for a key that this TPM does not make";
    case EK_FINDING_NONE:
    case EK_FINDING_USED:
        break;
    }
    return NULL;
}

static void tell_endorsement(struct attempt *attempt, const struct endorsement *found)
{
    for (size_t i = 0; i < ek_templates_count; i++) {
        const char *text = finding_text(found->findings[i]);
        if (text) {
            progress_say(&attempt->progress, "ek_certificate_skipped", "the EK certificate at 0x%08X %s",
                         ek_templates[i].certificate_index, text);
        }
    }
    char hex[HEX_TEXT_SIZE(SHA384_BYTES)];
    hex_encode(view_of(found->ek->spki_sha384, SHA384_BYTES), hex);
    progress_say(&attempt->progress, "ek_found", "EK %s (%s), %s, fingerprint %s", ek_key_name(found->ek->key_type),
                 found->template->name, found->certificate ? "with certificate" : "no certificate in the TPM", hex);
}

ERRFN attempt_find_endorsement(struct attempt *attempt, struct tpm *tpm)
{
    if (attempt->endorsement) {
        return OK;
    }
    TRY(endorsement_find(tpm, attempt->options->ek, &attempt->endorsement));
    tell_endorsement(attempt, attempt->endorsement);
    return OK;
}

static ERRFN key_path(const struct attempt *attempt, char out_path[static PATH_MAX])
{
    int len = snprintf(out_path, PATH_MAX, "%s/ak.blob", attempt->options->state);
    ENSURE(len > 0 && len < PATH_MAX, TOO_LONG);
    return OK;
}

static ERRFN new_key(struct attempt *attempt, struct tpm *tpm)
{
    enum ak_kind kind = attempt->options->ak != AK_KIND_NONE ? attempt->options->ak : attestation_key_best(tpm);
    ENSURE(kind != AK_KIND_NONE, AK_ALGORITHM);
    TRY(attestation_key_create(tpm, kind, &attempt->key));
    progress_say(&attempt->progress, "ak_created", "new attestation key %s", ak_kind_name(kind));
    if (attempt->options->state) {
        char path[PATH_MAX];
        TRY(key_path(attempt, path));
        TRY(attestation_key_save(attempt->key, path));
    }
    return OK;
}

/* A blob that another TPM made, or this one before it was cleared, does not load: then there is a new key. */
static ERRFN load_key(struct attempt *attempt, struct loaded *loaded)
{
    if (!attempt->key && attempt->options->state) {
        char path[PATH_MAX];
        TRY(key_path(attempt, path));
        IGNORE_ERR(attestation_key_read(path, &attempt->key));
    }
    enum ak_kind wanted = attempt->options->ak;
    if (attempt->key && (wanted == AK_KIND_NONE || attempt->key->kind == wanted)) {
        err_t e = attestation_key_load(loaded->tpm, attempt->key, &loaded->ak);
        if (IS_OK(e) || IS_E(e, TPM_ABSENT)) {
            return e;
        }
    }
    attestation_key_free(STEAL(attempt->key));
    TRY(new_key(attempt, loaded->tpm));
    return attestation_key_load(loaded->tpm, attempt->key, &loaded->ak);
}

/* -- evidence ----------------------------------------------------------------------------------------------------- */

static ERRFN read_event_log(struct attempt *attempt, struct buf **out_log)
{
    err_t e = fd_read_file(attempt->options->event_log, EVENT_LOG_MAX_BYTES, out_log);
    if (IS_OK(e)) {
        progress_say(&attempt->progress, "event_log", "firmware event log of %zu bytes", (*out_log)->len);
        return OK;
    }
    if (attempt->options->event_log_given) {
        return e;
    }
    progress_say(&attempt->progress, "event_log_missing", "no firmware event log: %s %s", attempt->options->event_log,
                 IS_E(e, TOO_LONG) ? "is longer than 512 KiB" : "cannot be read");
    return OK;
}

static ERRFN take_quote(struct attempt *attempt, const struct loaded *loaded, const struct appliance_challenge *challenge,
                        struct quote_evidence **out_quote)
{
    AUTO(ak) ak = NULL;
    TRY(ak_parse(buf_view(attempt->key->public_area), &ak));
    TRY(quote_take(loaded->tpm, loaded->ak.handle, ak->hash_alg, &challenge->selection, buf_view(challenge->nonce),
                   out_quote));
    progress_say(&attempt->progress, "quoted", "quoted %zu PCRs", (*out_quote)->values.count);
    return OK;
}

static struct appliance_caller caller_of(const struct attempt *attempt)
{
    return (struct appliance_caller){.endorsement = attempt->endorsement,
                                     .hardware = &attempt->hardware,
                                     .role = attempt->options->role,
                                     .cluster = attempt->options->cluster};
}

static ERRFN prove(struct attempt *attempt, const struct loaded *loaded, struct appliance_verdict *out_verdict)
{
    struct appliance_caller caller = caller_of(attempt);
    AUTO(appliance_challenge) challenge = NULL;
    AUTO(secret) activated = NULL;
    AUTO(quote_evidence) quote = NULL;
    AUTO(buf) event_log = NULL;
    TRY(appliance_challenge(attempt->client, &caller, attempt->key, &challenge, &attempt->refusal));
    progress_say(&attempt->progress, "challenged", "challenge received");
    TRY(credential_activate(loaded->tpm, attempt->endorsement, loaded->ek.handle, loaded->ak.handle,
                            buf_view(challenge->id_object), buf_view(challenge->encrypted_secret), &activated));
    progress_say(&attempt->progress, "activated", "the TPM opened the challenge");
    TRY(read_event_log(attempt, &event_log));
    TRY(take_quote(attempt, loaded, challenge, &quote));
    struct appliance_proof proof = {.challenge = challenge,
                                    .key = attempt->key,
                                    .activated = activated,
                                    .quote = quote,
                                    .event_log = event_log ? buf_view(event_log) : VIEW_EMPTY};
    return appliance_attest(attempt->client, &caller, &proof, out_verdict, &attempt->refusal);
}

/* -- configuration ------------------------------------------------------------------------------------------------- */

static ERRFN hand_on(struct attempt *attempt, const struct secret *config)
{
    const struct options *o = attempt->options;
    if (o->apply) {
        alarm(0); /* the command takes the time it needs */
        TRY(apply_command(o->apply, config));
        progress_say(&attempt->progress, "applied", "the configuration was applied");
    } else if (o->output) {
        TRY(apply_file(o->output, secret_view(config)));
        progress_say(&attempt->progress, "written", "the configuration was written to %s", o->output);
    } else {
        progress_say(&attempt->progress, "opened", "the configuration opens; --apply or --output would use it");
    }
    return OK;
}

static ERRFN fetch(struct attempt *attempt, const struct loaded *loaded, const struct appliance_verdict *verdict)
{
    AUTO(appliance_sealed) sealed = NULL;
    AUTO(secret) config = NULL;
    TRY(appliance_config(attempt->client, verdict->config_token, &sealed, &attempt->refusal));
    TRY(sealed_open(loaded->tpm, attempt->endorsement, loaded->ek.handle, loaded->ak.handle, sealed, verdict->machine_id,
                    &config));
    progress_say(&attempt->progress, "config_opened", "the TPM opened the configuration, %zu bytes", config->len);
    return hand_on(attempt, config);
}

/* -- what the appliance decided ----------------------------------------------------------------------------------- */

static void tell_withheld(struct attempt *attempt, const struct appliance_verdict *verdict)
{
    progress_say(&attempt->progress, "withheld", "%s [%s]", verdict->message, verdict->reason);
    for (size_t i = 0; i < verdict->failures; i++) {
        progress_say(&attempt->progress, "policy_failure", "  %s", verdict->failure[i]);
    }
}

static enum agent_outcome outcome_of(struct attempt *attempt, const struct appliance_verdict *verdict)
{
    if (verdict->action == NODE_ACTION_WIPE) {
        progress_say(&attempt->progress, "wipe", "this machine is revoked and is to be wiped");
        return AGENT_REVOKED;
    }
    switch (verdict->state) {
    case MACHINE_STATE_PENDING:
        progress_say(&attempt->progress, "pending", "waiting for an operator's approval");
        return AGENT_PENDING;
    case MACHINE_STATE_LOCKED:
        progress_say(&attempt->progress, "locked", "this machine is locked by an operator");
        return AGENT_LOCKED;
    case MACHINE_STATE_REVOKED:
        progress_say(&attempt->progress, "revoked", "this machine is revoked");
        return AGENT_REVOKED;
    case MACHINE_STATE_REGISTERED:
    case MACHINE_STATE_ATTESTED:
    case MACHINE_STATE_REJECTED:
    case MACHINE_STATE_NONE:
        break;
    }
    tell_withheld(attempt, verdict);
    return AGENT_REFUSED;
}

static enum agent_outcome outcome_of_refusal(struct attempt *attempt)
{
    progress_refusal(&attempt->progress, &attempt->refusal);
    static const struct { const char *reason; enum agent_outcome outcome; } reasons[] = {
        {"machine_pending_approval", AGENT_PENDING},
        {"machine_locked", AGENT_LOCKED},
        {"machine_revoked", AGENT_REVOKED}};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(attempt->refusal.reason, reasons[i].reason) == 0) {
            return reasons[i].outcome;
        }
    }
    return AGENT_REFUSED;
}

static enum agent_outcome outcome_of_error(struct attempt *attempt, const struct tpm *tpm, err_t e)
{
    if (IS_E(e, REFUSED)) {
        return outcome_of_refusal(attempt);
    }
    char more[TPM_FAILURE_TEXT_SIZE] = "";
    if (err_class(e) == ERR_CLASS_DEVICE || IS_E(e, TPM_CREDENTIAL)) {
        tpm_failure_text(tpm, more);
    }
    progress_error(&attempt->progress, e, more);
    return AGENT_FAILED;
}

/* -- the attempt --------------------------------------------------------------------------------------------------- */

/* A revoked machine goes on: only with proof is it told whether to wipe itself. */
static ERRFN announce(struct attempt *attempt, bool *out_pending)
{
    struct appliance_caller caller = caller_of(attempt);
    enum machine_state state = MACHINE_STATE_NONE;
    struct refusal refusal = {0};
    err_t e = appliance_register(attempt->client, &caller, &state, &refusal);
    if (IS_E(e, REFUSED) && strcmp(refusal.reason, "machine_revoked") == 0) {
        *out_pending = false;
        return OK;
    }
    attempt->refusal = refusal;
    TRY(e);
    *out_pending = state == MACHINE_STATE_PENDING;
    progress_say(&attempt->progress, "registered", "known to the appliance%s", *out_pending ? ", waiting for an operator's approval" : "");
    return OK;
}

static ERRFN prove_and_fetch(struct attempt *attempt, struct loaded *loaded, enum agent_outcome *out_outcome)
{
    TRY(load_key(attempt, loaded));
    TRY(endorsement_load(loaded->tpm, attempt->endorsement, &loaded->ek));
    progress_say(&attempt->progress, "keys_loaded", "EK and AK loaded");
    struct appliance_verdict verdict;
    TRY(prove(attempt, loaded, &verdict));
    if (verdict.action != NODE_ACTION_APPLY) {
        *out_outcome = outcome_of(attempt, &verdict);
        return OK;
    }
    progress_say(&attempt->progress, "attested", "attested as machine %s, role %s, assurance %s", verdict.machine_id,
                 verdict.role, verdict.assurance);
    TRY(fetch(attempt, loaded, &verdict));
    *out_outcome = AGENT_ATTESTED;
    return OK;
}

static ERRFN run(struct attempt *attempt, struct loaded *loaded, enum agent_outcome *out_outcome)
{
    TRY(attempt_find_endorsement(attempt, loaded->tpm));
    bool pending = false;
    TRY(announce(attempt, &pending));
    if (pending) {
        *out_outcome = AGENT_PENDING;
        return OK;
    }
    return prove_and_fetch(attempt, loaded, out_outcome);
}

enum agent_outcome attempt_run(struct attempt *attempt)
{
    attempt->refusal = (struct refusal){0};
    struct loaded loaded = {.ek = TPM_TRANSIENT_NONE, .ak = TPM_TRANSIENT_NONE};
    enum agent_outcome outcome = AGENT_FAILED;
    err_t e = attempt_tpm_open(attempt, &loaded.tpm);
    e = IS_OK(e) ? run(attempt, &loaded, &outcome) : e;
    if (!IS_OK(e)) {
        outcome = outcome_of_error(attempt, loaded.tpm, e);
    }
    auto_release_tpm_transient(&loaded.ek);
    auto_release_tpm_transient(&loaded.ak);
    attempt_tpm_close(loaded.tpm);
    return outcome;
}
