#include <stdlib.h>

#include "hsm/ceremony.h"
#include "provision/pin.h"
#include "provision/say.h"
#include "provision/token.h"

static ERRFN set_environment(const struct config_token *token)
{
    ENSURE(clearenv() == 0, NO_MEMORY);
    ENSURE(setenv("PATH", "/usr/bin:/bin", 1) == 0, NO_MEMORY);
    for (size_t i = 0; i < token->environment_count; i++) {
        ENSURE(setenv(token->environment[i].name, token->environment[i].value, 1) == 0, NO_MEMORY);
    }
    return OK;
}

static ERRFN ensure_token(const struct ceremony *c, const struct hsm_settings *settings,
                          const struct secret *officer)
{
    bool exists = false;
    err_t err = hsm_token_exists(settings, &exists);
    if (!IS_OK(err)) {
        return say_problem(err, "token \"%s\" in %s", settings->token_label, settings->module);
    }
    if (exists) {
        say("kept", "token \"%s\"", settings->token_label);
        return OK;
    }
    if (c->mode != CEREMONY_PROVISION || !c->init_tokens) {
        return say_problem(E(TOKEN_ABSENT), "token \"%s\" in %s", settings->token_label,
                           settings->module);
    }
    err = hsm_token_create(settings, secret_view(officer));
    if (!IS_OK(err)) {
        return say_problem(err, "initialising token \"%s\"", settings->token_label);
    }
    say("made", "token \"%s\"", settings->token_label);
    return OK;
}

static ERRFN ensure_key(struct token_work *work, enum hsm_role role)
{
    const char *label = hsm_role_label(role);
    err_t err = hsm_probe_mechanisms(work->hsm, role);
    if (!IS_OK(err)) {
        return say_problem(err, "mechanisms for key %s", label);
    }
    struct hsm_key *key = NULL;
    err = hsm_key_find(work->hsm, role, &key);
    bool missing = IS_E(err, TOKEN_KEY_MISSING) && work->ceremony->mode == CEREMONY_PROVISION;
    if (missing) {
        err = hsm_key_create(work->hsm, role);
        if (IS_OK(err)) {
            err = hsm_key_find(work->hsm, role, &key);
        }
    }
    if (!IS_OK(err)) {
        return say_problem(err, "key %s", label);
    }
    say(missing ? "made" : "kept", "key %s: %s, never leaves the token", label,
        role == HSM_ROLE_VAULT ? "AES-256" : "P-384");
    return OK;
}

static ERRFN do_work(struct token_work *work, const struct token_plan *plan)
{
    char text[HSM_TOKEN_TEXT_SIZE];
    if (IS_OK(hsm_describe(work->hsm, text))) {
        say("found", "%s", text);
    }
    err_t first = OK; /* every key's problem is worth a line */
    for (size_t i = 0; i < plan->roles_count; i++) {
        err_t err = ensure_key(work, plan->roles[i]);
        first = IS_OK(first) ? err : first;
    }
    TRY(first);
    return work->ceremony->mode == CEREMONY_PROBE ? OK : plan->finish(work);
}

static ERRFN open_and_work(struct token_work *work, const struct token_plan *plan)
{
    bool making = work->ceremony->mode == CEREMONY_PROVISION;
    err_t err = making ? hsm_open_for_ceremony(work->settings, &work->hsm)
                       : hsm_open(work->settings, &work->hsm);
    if (!IS_OK(err)) {
        return say_problem(err, "opening token \"%s\" with the PIN of %s",
                           work->settings->token_label, plan->settings->pin_file);
    }
    err = do_work(work, plan);
    hsm_close(work->hsm);
    work->hsm = NULL;
    return err;
}

/* Before the drop: the token's account need not have access to these folders. */
static ERRFN read_existing(const struct ceremony *c, const struct token_plan *plan,
                           struct token_work *work)
{
    work->database_exists = place_exists(c->config->database.path);
    for (size_t i = 0; i < plan->artifacts_count; i++) {
        char path[CONFIG_PATH_SIZE];
        TRY(artifact_path(c, plan->artifacts[i], path));
        TRY(place_read(path, ARTIFACT_MAX_BYTES, &work->existing[plan->artifacts[i]]));
    }
    return OK;
}

ERRFN token_work_as_account(const struct token_plan *plan, struct token_work *work)
{
    const struct ceremony *c = work->ceremony;
    AUTO(secret) pin = NULL;
    AUTO(secret) officer = NULL;
    TRY(pin_read(plan->settings, &pin));
    if (c->init_tokens) {
        TRY(pin_read_officer(plan->settings, &officer));
    }
    TRY(read_existing(c, plan, work));
    TRY(set_environment(plan->settings));
    err_t err = sandbox_drop(plan->account);
    if (!IS_OK(err)) {
        return say_problem(err, "becoming user %u", (unsigned)plan->account->uid);
    }
    struct hsm_settings settings = {.module = plan->settings->module,
                                    .token_label = plan->settings->token_label,
                                    .pin = secret_view(pin),
                                    .sessions_max = plan->settings->sessions_max};
    work->settings = &settings;
    TRY(ensure_token(c, &settings, officer));
    return open_and_work(work, plan);
}
