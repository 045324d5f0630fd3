#include "node/attempt_steps.h"

#include <string.h>
#include <unistd.h>

#include "node/tpm_activation.h"

static ERRFN activate_beside(struct attempt *attempt, struct loaded *loaded, const char *machine_id,
                             const struct appliance_caller *caller, struct refusal *out_refusal)
{
    AUTO(appliance_challenge) challenge = NULL;
    AUTO(secret) activated = NULL;
    AUTO(tpm_transient) ek = TPM_TRANSIENT_NONE;
    TRY(endorsement_load(loaded->tpm, caller->endorsement, &ek));
    TRY(appliance_challenge(attempt->client, caller, attempt->key, &challenge, out_refusal));
    TRY(credential_activate(loaded->tpm, caller->endorsement, ek.handle, loaded->ak.handle,
                            buf_view(challenge->id_object), buf_view(challenge->encrypted_secret),
                            &activated));
    struct appliance_proof proof = {
        .challenge = challenge, .key = attempt->key, .activated = activated};
    return appliance_ak_activate(attempt->client, caller, &proof, machine_id, out_refusal);
}

/* The key first: a certificate whose key this TPM does not make would register a machine that waits
 * for ever. */
static ERRFN introduce(struct attempt *attempt, struct loaded *loaded, const char *machine_id,
                       struct endorsement *other, struct refusal *out_refusal)
{
    struct appliance_caller caller = attempt_caller(attempt);
    enum machine_state state;
    caller.endorsement = other;
    TRY(endorsement_find_key(loaded->tpm, other));
    TRY(appliance_register(attempt->client, &caller, &state, out_refusal));
    return activate_beside(attempt, loaded, machine_id, &caller, out_refusal);
}

static void introduce_and_tell(struct attempt *attempt, struct loaded *loaded,
                               const char *machine_id, struct endorsement *other)
{
    struct refusal refusal = {0};
    const char *key = ek_key_name(other->ek->key_type);
    const char *name = other->template->name;
    alarm(TPM_DEADLINE_S); /* making an RSA key takes a TPM up to a minute */
    err_t e = introduce(attempt, loaded, machine_id, other, &refusal);
    if (IS_OK(e)) {
        progress_say(&attempt->progress, "ek_joined", "EK %s (%s) is known as this machine's now",
                     key, name);
        return;
    }
    bool refused = IS_E(e, REFUSED);
    progress_say(&attempt->progress, "ek_not_joined", "EK %s (%s) could not be introduced: %s [%s]",
                 key, name, refused ? refusal.detail : err_text(e),
                 refused ? refusal.reason : err_reason(e));
}

static bool is_known(const struct attempt *attempt, const struct appliance_verdict *verdict,
                     const struct ek *ek)
{
    if (memcmp(attempt->endorsement->ek->spki_sha384, ek->spki_sha384, SHA384_BYTES) == 0) {
        return true;
    }
    for (size_t i = 0; i < verdict->eks; i++) {
        if (memcmp(verdict->ek[i], ek->spki_sha384, SHA384_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

/* Not an EK without a certificate: the appliance could not tell it from a key in a file. And only
 * to an appliance that says which it knows. */
void attempt_introduce_others(struct attempt *attempt, struct loaded *loaded,
                              const struct appliance_verdict *verdict)
{
    size_t known = verdict->eks;
    if (!attempt->endorsement->certificate || known == 0) {
        return;
    }
    /* A TPM without resource manager has room for three objects. */
    auto_release_tpm_transient(&loaded->ek);
    loaded->ek = TPM_TRANSIENT_NONE;
    for (size_t i = 0; i < EK_TEMPLATES_COUNT && known < APPLIANCE_EKS_MAX; i++) {
        AUTO(endorsement) other = NULL;
        err_t e = endorsement_read(loaded->tpm, &ek_templates[i], &other);
        if (IS_OK(e) && !is_known(attempt, verdict, other->ek)) {
            introduce_and_tell(attempt, loaded, verdict->machine_id, other);
            known++;
        }
    }
}
