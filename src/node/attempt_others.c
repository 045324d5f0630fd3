#include "node/attempt_steps.h"

#include <string.h>
#include <unistd.h>

#include "node/tpm_activation.h"

enum { OTHERS_MAX = 3 }; /* the appliance takes four EKs of one TPM */

/* What is known of another EK while it is introduced. */
struct introduction {
    struct endorsement *endorsement;
    struct refusal refusal;
    bool known; /* this machine's already, as the appliance said before any key was made */
};

static ERRFN prove_other(struct attempt *attempt, struct loaded *loaded, const char *machine_id,
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

/* Making an RSA key takes a TPM up to a minute, so the certificate alone is shown first. */
static ERRFN introduce(struct attempt *attempt, struct loaded *loaded, const char *machine_id,
                       struct introduction *i)
{
    struct appliance_caller caller = attempt_caller(attempt);
    struct appliance_registration registration = {0};
    caller.endorsement = i->endorsement;
    TRY(appliance_register(attempt->client, &caller, &registration, &i->refusal));
    i->known = strcmp(registration.machine_id, machine_id) == 0;
    if (i->known) {
        return OK;
    }
    TRY(endorsement_find_key(loaded->tpm, i->endorsement));
    return prove_other(attempt, loaded, machine_id, &caller, &i->refusal);
}

/* True when there is no need to come back to this EK in the life of this process. */
static bool tell_introduction(struct attempt *attempt, const struct introduction *i, err_t e)
{
    const struct endorsement *other = i->endorsement;
    const char *key = ek_key_name(other->ek->key_type);
    const char *name = other->template->name;
    if (IS_OK(e)) {
        progress_say(&attempt->progress, i->known ? "ek_known" : "ek_joined",
                     "EK %s (%s) is known as this machine's%s", key, name, i->known ? "" : " now");
        return true;
    }
    bool refused = IS_E(e, REFUSED);
    progress_say(&attempt->progress, "ek_not_joined", "EK %s (%s) could not be introduced: %s [%s]",
                 key, name, refused ? i->refusal.detail : err_text(e),
                 refused ? i->refusal.reason : err_reason(e));
    return false;
}

/* Nothing for an EK without a certificate of its own: the appliance could not tell it from a key in
 * a file. */
static bool introduce_template(struct attempt *attempt, struct loaded *loaded,
                               const char *machine_id, size_t template)
{
    struct introduction i = {0};
    bool seen = IS_OK(endorsement_read(loaded->tpm, &ek_templates[template], &i.endorsement));
    if (seen) {
        alarm(TPM_DEADLINE_S);
        err_t e = introduce(attempt, loaded, machine_id, &i);
        attempt->introduced[template] = tell_introduction(attempt, &i, e);
    }
    endorsement_free(i.endorsement);
    return seen;
}

void attempt_introduce_others(struct attempt *attempt, struct loaded *loaded,
                              const char *machine_id)
{
    if (!attempt->endorsement->certificate) {
        return;
    }
    /* A TPM without resource manager has room for three objects. */
    auto_release_tpm_transient(&loaded->ek);
    loaded->ek = TPM_TRANSIENT_NONE;
    size_t others = 0;
    for (size_t i = 0; i < EK_TEMPLATES_COUNT && others < OTHERS_MAX; i++) {
        bool is_other = &ek_templates[i] != attempt->endorsement->template;
        if (is_other && !attempt->introduced[i]) {
            others += introduce_template(attempt, loaded, machine_id, i);
        }
    }
}
