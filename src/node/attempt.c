#include "node/attempt.h"

#include <string.h>
#include <unistd.h>

#include "node/apply.h"
#include "node/attempt_steps.h"

void attempt_clear(struct attempt *attempt)
{
    endorsement_free(attempt->endorsement);
    attestation_key_free(attempt->key);
    attempt->endorsement = NULL;
    attempt->key = NULL;
}

/* -- what the appliance decided ---------------------------------------------------------------- */

static void tell_withheld(struct attempt *attempt, const struct appliance_verdict *verdict)
{
    progress_say(&attempt->progress, "withheld", "%s [%s]", verdict->message, verdict->reason);
    for (size_t i = 0; i < verdict->failures; i++) {
        progress_say(&attempt->progress, "policy_failure", "  %s", verdict->failure[i]);
    }
}

static enum agent_outcome outcome_of(struct attempt *attempt,
                                     const struct appliance_verdict *verdict)
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

static enum agent_outcome outcome_of_refusal(const struct attempt *attempt)
{
    static const struct {
        const char *reason;
        enum agent_outcome outcome;
    } reasons[] = {{"machine_pending_approval", AGENT_PENDING},
                   {"machine_locked", AGENT_LOCKED},
                   {"machine_revoked", AGENT_REVOKED}};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(attempt->refusal.reason, reasons[i].reason) == 0) {
            return reasons[i].outcome;
        }
    }
    return AGENT_REFUSED;
}

void attempt_tell_error(struct attempt *attempt, const struct tpm *tpm, err_t e)
{
    char more[TPM_FAILURE_TEXT_SIZE] = "";
    if (IS_E(e, REFUSED)) {
        progress_refusal(&attempt->progress, &attempt->refusal);
        return;
    }
    if (err_class(e) == ERR_CLASS_DEVICE || IS_E(e, TPM_CREDENTIAL)) {
        tpm_failure_text(tpm, more);
    }
    progress_error(&attempt->progress, e, more);
}

/* -- the attempt ------------------------------------------------------------------------------- */

/* A revoked machine goes on: only with proof is it told whether to wipe itself. */
static ERRFN announce(struct attempt *attempt, bool *out_pending)
{
    struct appliance_caller caller = attempt_caller(attempt);
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
    progress_say(&attempt->progress, "registered", "known to the appliance%s",
                 *out_pending ? ", waiting for an operator's approval" : "");
    return OK;
}

/* The order is obeyed before it is acknowledged: a command that never returns is for an operator to
 * acknowledge. */
static ERRFN obey_wipe(struct attempt *attempt, const struct appliance_verdict *verdict)
{
    if (!attempt->options->wipe || !verdict->wipe_token[0]) {
        return OK;
    }
    alarm(0); /* the command takes the time it needs */
    TRY(apply_command(attempt->options->wipe, NULL));
    https_client_see_through(attempt->client); /* wiping may well end this process */
    TRY(appliance_wipe_ack(attempt->client, verdict, &attempt->refusal));
    progress_say(&attempt->progress, "wiped", "wiped, and the appliance knows");
    return OK;
}

static ERRFN prove_and_fetch(struct attempt *attempt, struct loaded *loaded,
                             enum agent_outcome *out_outcome)
{
    TRY(attempt_load_key(attempt, loaded));
    TRY(endorsement_load(loaded->tpm, attempt->endorsement, &loaded->ek));
    progress_say(&attempt->progress, "keys_loaded", "EK and AK loaded");
    struct appliance_verdict verdict;
    TRY(attempt_prove(attempt, loaded, &verdict));
    if (verdict.action != NODE_ACTION_APPLY) {
        *out_outcome = outcome_of(attempt, &verdict);
        return verdict.action == NODE_ACTION_WIPE ? obey_wipe(attempt, &verdict) : OK;
    }
    progress_say(&attempt->progress, "attested", "attested as machine %s, role %s, assurance %s",
                 verdict.machine_id, verdict.role, verdict.assurance);
    if (attempt->options->enroll_prefix) {
        /* Before the configuration, which may well restart the machine. */
        TRY(attempt_enroll(attempt, loaded, &verdict));
    }
    TRY(attempt_fetch(attempt, loaded, &verdict));
    attempt->reattest_after_s = verdict.reattest_after_s;
    *out_outcome = AGENT_ATTESTED;
    attempt_introduce_others(attempt, loaded, &verdict);
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
        attempt_tell_error(attempt, loaded.tpm, e);
        outcome = IS_E(e, REFUSED) ? outcome_of_refusal(attempt) : AGENT_FAILED;
    }
    auto_release_tpm_transient(&loaded.ek);
    auto_release_tpm_transient(&loaded.ak);
    attempt_tpm_close(loaded.tpm);
    return outcome;
}
