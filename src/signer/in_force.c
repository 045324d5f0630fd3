#include "signer/in_force.h"

#include "base/fd.h"
#include "base/log.h"
#include "ipc/settings.h"
#include "sql/policies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "sha256:149": a bank and the mask of its PCRs. */
static ERRFN read_bank(struct view line, struct policy_bank *out_bank)
{
    char text[32];
    TRY(view_to_text(line, text, sizeof text));
    char *colon = strchr(text, ':');
    ENSURE(colon, FIELD_INVALID);
    *colon = '\0';
    TRY(view_to_text(view_text(text), out_bank->bank, sizeof out_bank->bank));
    char *end;
    out_bank->mask = (uint32_t)strtoul(colon + 1, &end, 10);
    ENSURE(*end == '\0' && out_bank->mask <= 0xffffff, FIELD_INVALID);
    return OK;
}

/* The policy that appliance.yaml itself gives, where there is no policy file. */
static ERRFN policy_from_settings(const struct signer *s, struct policy *policy)
{
    struct view lines = process_settings(s->process);
    struct view value;
    policy->require_quote = s->settings.require_quote;
    policy->certificateless = s->settings.certificateless_pending ? POLICY_CERTIFICATELESS_PENDING : POLICY_CERTIFICATELESS_REFUSE;
    policy->pcr_selection_count = 0;
    while (IS_OK(settings_get(lines, "pcr_bank", policy->pcr_selection_count, &value))) {
        ENSURE(policy->pcr_selection_count < POLICY_BANKS_MAX, TOO_LONG);
        TRY(read_bank(value, &policy->pcr_selection[policy->pcr_selection_count]));
        policy->pcr_selection_count++;
    }
    policy->ak_keys_count = 0;
    while (IS_OK(settings_get(lines, "ak_key", policy->ak_keys_count, &value))) {
        ENSURE(policy->ak_keys_count < POLICY_AK_KEYS_MAX, TOO_LONG);
        TRY(view_to_text(value, policy->ak_keys[policy->ak_keys_count], sizeof policy->ak_keys[0]));
        policy->ak_keys_count++;
    }
    return OK;
}

ERRFN in_force_selection(const struct policy *policy, struct pcr_selection *out_selection)
{
    struct pcr_selection selection = {0};
    for (size_t i = 0; i < policy->pcr_selection_count; i++) {
        const struct policy_bank *bank = &policy->pcr_selection[i];
        uint16_t id = pcr_bank_from_name(view_text(bank->bank));
        ENSURE(id != TPM_ALG_NONE, POLICY_INVALID);
        selection.banks[selection.count].bank = id;
        selection.banks[selection.count++].mask = bank->mask;
    }
    *out_selection = selection;
    return OK;
}

static ERRFN check_strength(const struct signer *s, const struct policy *policy, struct policy_problem *out_problem)
{
    const char *violation = policy_high_assurance_violation(policy);
    if (!violation || !s->settings.high_assurance) {
        return OK;
    }
    *out_problem = (struct policy_problem){.line = 0};
    snprintf(out_problem->path, sizeof out_problem->path, "%s", violation);
    snprintf(out_problem->text, sizeof out_problem->text, "high-assurance mode does not allow this");
    return E(POLICY_INVALID);
}

static ERRFN refuse_anchors(const char *path, struct policy_problem *out_problem)
{
    *out_problem = (struct policy_problem){.line = 0};
    snprintf(out_problem->path, sizeof out_problem->path, "%s", path);
    snprintf(out_problem->text, sizeof out_problem->text, "a certificate in it cannot be read, or there are too many");
    return E(POLICY_INVALID);
}

ERRFN in_force_trust(const struct signer *s, const struct policy *policy, struct trust **out_trust, struct policy_problem *out_problem)
{
    AUTO(trust) trust = NULL;
    size_t added;
    TRY(trust_new(&trust));
    if (!IS_OK(trust_add_all(trust, s->appliance_trust, !policy->ek_roots_only))) {
        return refuse_anchors("ek", out_problem);
    }
    if (policy->ek_roots && !IS_OK(trust_add_root(trust, buf_view(policy->ek_roots), &added))) {
        return refuse_anchors("ek.roots", out_problem);
    }
    if (policy->ek_intermediates && !IS_OK(trust_add_intermediate(trust, buf_view(policy->ek_intermediates), &added))) {
        return refuse_anchors("ek.intermediates", out_problem);
    }
    for (size_t i = 0; i < policy->ek_allowed_hash_count; i++) {
        if (!IS_OK(trust_allow_hash(trust, view_text(policy->ek_allowed_hashes[i])))) {
            return refuse_anchors("ek.allowed_hashes", out_problem);
        }
    }
    *out_trust = STEAL(trust);
    return OK;
}

ERRFN in_force_read(const struct signer *s, struct view yaml, struct policy **out_policy, struct policy_problem *out_problem)
{
    AUTO(policy) policy = NULL;
    struct pcr_selection selection;
    err_t parsed = policy_parse(yaml, &policy, out_problem);
    if (IS_E(parsed, CA_CERTS_NO_PEM) || IS_E(parsed, INTERMEDIATE_CERTS_NO_PEM)) {
        return E(POLICY_INVALID);
    }
    TRY(parsed);
    TRY(check_strength(s, policy, out_problem));
    TRY(in_force_selection(policy, &selection));
    AUTO(trust) trust = NULL;
    TRY(in_force_trust(s, policy, &trust, out_problem));
    *out_policy = STEAL(policy);
    return OK;
}

static bool reads_log(const struct policy *policy)
{
    for (size_t i = 0; i < policy->baseline_count; i++) {
        if (policy->baselines[i].rules.count > 0) {
            return true;
        }
    }
    return policy->require_event_log || policy->must_replay != 0 || policy->rules.count > 0;
}

static void log_problem(const struct policy_problem *problem)
{
    log_event(LOG_ERROR, "policy.invalid", LOG_NUMBER("line", problem->line), LOG_NUMBER("column", problem->column),
              LOG_TEXT("path", problem->path), LOG_TEXT("problem", problem->text));
}

/* Takes the place of the one before. */
static ERRFN adopt(struct signer *s, struct policy **take_policy, uint64_t number)
{
    AUTO(policy) policy = STEAL(*take_policy);
    AUTO(trust) trust = NULL;
    struct policy_problem problem;
    TRY(in_force_trust(s, policy, &trust, &problem));
    TRY(in_force_selection(policy, &s->selection));
    policy_free(s->policy);
    trust_free(s->trust);
    s->policy = STEAL(policy);
    s->trust = STEAL(trust);
    s->policy_reads_log = reads_log(s->policy);
    s->policy_number = number;
    log_event(LOG_INFO, "policy.in_force", LOG_TEXT("name", s->policy->name), LOG_NUMBER("version", s->policy->version),
              LOG_NUMBER("number", number));
    return OK;
}

static ERRFN from_appliance(struct signer *s, const char **out_subject)
{
    AUTO(policy) policy = NULL;
    struct policy_problem problem = {0};
    err_t read;
    if (s->settings.policy_file[0]) {
        AUTO(buf) text = NULL;
        *out_subject = s->settings.policy_file;
        TRY(fd_read_file(s->settings.policy_file, POLICY_FILE_MAX_BYTES, &text));
        read = in_force_read(s, buf_view(text), &policy, &problem);
    } else {
        *out_subject = "attestation";
        TRY(policy_new(&policy));
        TRY(policy_from_settings(s, policy));
        read = check_strength(s, policy, &problem);
    }
    if (!IS_OK(read)) {
        log_problem(&problem);
        return read;
    }
    return adopt(s, &policy, 0);
}

static ERRFN from_database(struct signer *s)
{
    AUTO(buf) text = NULL;
    AUTO(policy) policy = NULL;
    struct stored_policy stored;
    struct policy_problem problem = {0};
    TRY(buf_new(POLICY_TEXT_MAX_BYTES, &text));
    TRY(policy_store_active(s->db, &stored, text));
    err_t read = in_force_read(s, buf_view(text), &policy, &problem);
    if (!IS_OK(read)) {
        log_problem(&problem);
        return read;
    }
    return adopt(s, &policy, stored.number);
}

ERRFN in_force_load(struct signer *s, const char **out_subject)
{
    *out_subject = "the policy activated last";
    err_t loaded = from_database(s);
    return IS_E(loaded, POLICY_VERSION) ? from_appliance(s, out_subject) : loaded;
}

ERRFN in_force_reload(struct signer *s)
{
    s->policy_changed = false;
    return from_database(s);
}
