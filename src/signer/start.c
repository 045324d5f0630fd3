#include "signer/start.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/settings.h"
#include "sandbox/sandbox.h"
#include "signer/in_force.h"
#include "signer/issuer.h"
#include "signer/record.h"

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
    TRY(trust_new(&s->appliance_trust));
    if (s->settings.roots_directory[0]) {
        *out_subject = "ek_trust.roots_directory";
        TRY(trust_load_folder(s->appliance_trust, s->settings.roots_directory, true, bad_file, sizeof bad_file));
    }
    if (s->settings.intermediates_directory[0]) {
        *out_subject = "ek_trust.intermediates_directory";
        TRY(trust_load_folder(s->appliance_trust, s->settings.intermediates_directory, false, bad_file, sizeof bad_file));
    }
    *out_subject = "ek_trust.allowed_hashes";
    struct view hash;
    for (size_t i = 0; IS_OK(settings_get(process_settings(s->process), "allowed_hash", i, &hash)); i++) {
        TRY(trust_allow_hash(s->appliance_trust, hash));
    }
    *out_subject = "ek_trust (no root certificate and no allowed hash)";
    ENSURE(!s->settings.high_assurance || trust_root_count(s->appliance_trust) + trust_hash_count(s->appliance_trust) > 0, CONFIG_INVALID);
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
    *out_subject = "tls chain";
    TRY(tls_anchors_open(&s->tls_anchors, process_chain(s->process)));
    TRY(open_database(s, out_subject));
    TRY(load_trust(s, out_subject));
    TRY(in_force_load(s, out_subject));
    *out_subject = "channels";
    TRY(ipc_channel_new(PROCESS_FD_API_SIGNER, IPC_CHANNEL_API, &s->api));
    TRY(ipc_channel_new(PROCESS_FD_JOBS_SIGNER, IPC_CHANNEL_JOBS, &s->jobs));
    TRY(record_sign_head(s, true)); /* also uses the audit key once before the seal */
    return seal(s, out_subject);
}
