#include "signer/start.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/settings.h"
#include "sandbox/sandbox.h"
#include "signer/issuer.h"
#include "signer/record.h"
#include "tpm/pcr.h"

#include <stdlib.h>
#include <string.h>

enum { DATABASE_KEY_SEALED_MAX = 512 };

#define DATABASE_KEY_AAD "itl-database-key-v1"

static ERRFN open_token(struct signer *s, const char **out_subject)
{
    static const enum hsm_role roles[] = {HSM_ROLE_ENROLLMENT_CA, HSM_ROLE_AUDIT, HSM_ROLE_VAULT};
    AUTO(secret) pin = NULL;
    *out_subject = "hsm.ca.pin_file";
    TRY(process_take_pin(s->process, &pin));
    struct hsm_settings settings = {
        .module = s->settings.hsm_module,
        .token_label = s->settings.hsm_token_label,
        .pin = secret_view(pin),
        .sessions_max = s->settings.hsm_sessions,
    };
    *out_subject = "hsm.ca";
    TRY(hsm_open(&settings, &s->hsm));
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        struct hsm_key *key;
        *out_subject = hsm_role_label(roles[i]);
        TRY(hsm_key_find(s->hsm, roles[i], &key));
    }
    *out_subject = "pkcs11-provider";
    TRY(hsm_provider_open(&settings, &s->provider));
    return hsm_provider_key(s->provider, HSM_ROLE_AUDIT, &s->audit_key);
}

static ERRFN open_database(struct signer *s, const char **out_subject)
{
    struct hsm_key *vault;
    AUTO(buf) sealed = NULL;
    AUTO(secret) key = NULL;
    *out_subject = s->settings.database_key_path;
    TRY(fd_read_file(s->settings.database_key_path, DATABASE_KEY_SEALED_MAX, &sealed));
    TRY(hsm_key_find(s->hsm, HSM_ROLE_VAULT, &vault));
    TRY(hsm_open_sealed(vault, view_text(DATABASE_KEY_AAD), buf_view(sealed), &key));
    *out_subject = s->settings.database_path;
    TRY(db_open(s->settings.database_path, key, clock_utc_ms(), &s->db));
    TRY(db_exercise(s->db));
    *out_subject = "audit log";
    return record_check_tail(s);
}

static ERRFN load_trust(struct signer *s, const char **out_subject)
{
    static char bad_file[TRUST_FILE_NAME_SIZE];
    TRY(trust_new(&s->trust));
    if (s->settings.roots_directory[0]) {
        *out_subject = "ek_trust.roots_directory";
        TRY(trust_load_folder(s->trust, s->settings.roots_directory, true, bad_file, sizeof bad_file));
    }
    if (s->settings.intermediates_directory[0]) {
        *out_subject = "ek_trust.intermediates_directory";
        TRY(trust_load_folder(s->trust, s->settings.intermediates_directory, false, bad_file, sizeof bad_file));
    }
    *out_subject = "ek_trust.allowed_hashes";
    struct view hash;
    for (size_t i = 0; IS_OK(settings_get(process_settings(s->process), "allowed_hash", i, &hash)); i++) {
        TRY(trust_allow_hash(s->trust, hash));
    }
    *out_subject = "ek_trust (no root certificate and no allowed hash)";
    ENSURE(!s->settings.high_assurance || trust_root_count(s->trust) + trust_hash_count(s->trust) > 0, CONFIG_INVALID);
    return OK;
}

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

static ERRFN policy_from_file(struct signer *s)
{
    AUTO(buf) text = NULL;
    struct policy_problem problem;
    TRY(fd_read_file(s->settings.policy_file, POLICY_FILE_MAX_BYTES, &text));
    err_t parsed = policy_parse(buf_view(text), &s->policy, &problem);
    if (!IS_OK(parsed)) {
        log_event(LOG_ERROR, "policy.invalid", LOG_NUMBER("line", problem.line), LOG_NUMBER("column", problem.column),
                  LOG_TEXT("path", problem.path), LOG_TEXT("problem", problem.text));
    }
    return parsed;
}

static ERRFN load_policy(struct signer *s, const char **out_subject)
{
    *out_subject = s->settings.policy_file[0] ? s->settings.policy_file : "attestation";
    if (s->settings.policy_file[0]) {
        TRY(policy_from_file(s));
    } else {
        TRY(policy_new(&s->policy));
        TRY(policy_from_settings(s, s->policy));
    }
    const char *violation = policy_high_assurance_violation(s->policy);
    if (violation && s->settings.high_assurance) {
        *out_subject = violation;
        return E(POLICY_INVALID);
    }
    for (size_t i = 0; i < s->policy->pcr_selection_count; i++) {
        const struct policy_bank *bank = &s->policy->pcr_selection[i];
        uint16_t id = pcr_bank_from_name(view_text(bank->bank));
        ENSURE(id != TPM_ALG_NONE, POLICY_INVALID);
        s->selection.banks[s->selection.count].bank = id;
        s->selection.banks[s->selection.count++].mask = bank->mask;
    }
    return OK;
}

/* The signer keeps its database and write-ahead log open; by path it may still read the base configurations and, with SoftHSM, the token. */
static ERRFN seal(struct signer *s, const char **out_subject)
{
    struct sandbox_path paths[2];
    size_t count = 0;
    paths[count++] = (struct sandbox_path){.path = s->settings.base_directory};
    if (s->settings.token_directory[0]) {
        paths[count++] = (struct sandbox_path){.path = s->settings.token_directory};
    }
    struct sandbox_settings sandbox = {
        .profile = SANDBOX_SIGNER, .softhsm = s->settings.softhsm, .paths = paths, .path_count = count};
    *out_subject = "sandbox";
    TRY(sandbox_enter(&sandbox));
    return process_ready(s->process, sandbox_profile_hash(&sandbox));
}

ERRFN signer_start(struct signer *s, const char **out_subject)
{
    TRY(signer_settings_read(process_settings(s->process), &s->settings, out_subject));
    *out_subject = "accounts.signer";
    TRY(process_drop(s->process));
    TRY(open_token(s, out_subject));
    TRY(issuer_open(s, out_subject));
    TRY(open_database(s, out_subject));
    TRY(load_trust(s, out_subject));
    TRY(load_policy(s, out_subject));
    *out_subject = "channels";
    TRY(ipc_channel_new(PROCESS_FD_API_SIGNER, IPC_CHANNEL_API, &s->api));
    TRY(ipc_channel_new(PROCESS_FD_JOBS_SIGNER, IPC_CHANNEL_JOBS, &s->jobs));
    TRY(record_sign_head(s, true)); /* also uses the audit key once before the seal */
    return seal(s, out_subject);
}
