#include "config/complete.h"

#include "config/environment.h"
#include "config/shape.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SET(member, text) snprintf((member), sizeof(member), "%s", (text))

static void default_token(struct config_token *token, const char *label)
{
    SET(token->token_label, label);
    token->sessions_max = 4; /* small tokens have 16 for everyone */
}

void config_defaults(struct config *c)
{
    SET(c->state_directory, "/var/lib/itl-attestation");
    SET(c->runtime_directory, "/run/itl-attestation");
    SET(c->listen.address, "0.0.0.0:8443");
    c->listen.workers = 64;
    c->high_assurance = true;
    c->hsm.isolation = CONFIG_ISOLATION_NONE;
    default_token(&c->hsm.ca, "itl-ca");
    default_token(&c->hsm.tls, "itl-tls");
    SET(c->ca.country, "NL");
    SET(c->ca.organization, "ITL Usions");
    SET(c->ca.common_name, "ITL Machine Enrollment CA");
    c->accounts = (struct config_accounts){"itl-front", "itl-keyholder", "itl-signer",
                                           "itl-courier"};
    c->ek_trust.certificateless = CONFIG_CERTIFICATELESS_REFUSE;
    c->attestation.require_quote = true;
    c->attestation.require_nonce = true;
    c->attestation.nonce_ttl_s = 60;
    c->attestation.session_ttl_s = 300;
    c->attestation.challenge_interval_ms = 1000;
    c->machine_config.sealed_delivery = true;
    SET(c->dual_control.roles[0], "controlplane");
    c->dual_control.roles_count = 1;
    c->dual_control.quorum = 2;
    c->dual_control.window_seconds = 600;
    c->operator_grants = CONFIG_GRANTS_SIGNED;
    c->pki.certificate_days = 30;
    c->pki.svid_minutes = 60;
    c->pki.crl_hours = 24;
    SET(c->pki.spiffe_id_template, "/agents/tpm/{{tpm_ek.manufacturer}}/{{tpm_ek.public_hash}}");
    c->limits = (struct config_limits){.requests_per_minute_per_address = 600,
                                       .pending_machines_max = 10000,
                                       .sessions_max = 10000};
    c->log_level = LOG_INFO;
}

static ERRFN refuse(struct config_problem *problem, const char *setting, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static ERRFN refuse(struct config_problem *problem, const char *setting, const char *format, ...)
{
    memset(problem, 0, sizeof *problem);
    va_list args;
    va_start(args, format);
    vsnprintf(problem->text, sizeof problem->text, format, args);
    va_end(args);
    SET(problem->path, setting);
    return E(CONFIG_INVALID);
}

/* An unset path becomes one below the state directory. */
static ERRFN default_path(const struct config *c, char out_path[CONFIG_PATH_SIZE],
                          const char *below, const char *setting,
                          struct config_problem *out_problem)
{
    if (out_path[0] != '\0') {
        return OK;
    }
    int len = snprintf(out_path, CONFIG_PATH_SIZE, "%s/%s", c->state_directory, below);
    if (len < 0 || len >= CONFIG_PATH_SIZE) {
        return refuse(out_problem, setting,
                      "its default is too long below this state_directory; set it");
    }
    return OK;
}

static ERRFN default_paths(struct config *c, struct config_problem *out_problem)
{
    TRY(default_path(c, c->hsm.ca.pin_file, "pins/ca.pin", "hsm.ca.pin_file", out_problem));
    TRY(default_path(c, c->hsm.tls.pin_file, "pins/tls.pin", "hsm.tls.pin_file", out_problem));
    TRY(default_path(c, c->machine_config.base_directory, "configs",
                     "machine_config.base_directory", out_problem));
    TRY(default_path(c, c->database.path, "db/attestation.db", "database.path", out_problem));
    return default_path(c, c->database.key_file, "db/database.key.sealed", "database.key_file",
                        out_problem);
}

static ERRFN resolve_credential(char pin_file[CONFIG_PATH_SIZE], const char *setting,
                                char *const *environment, struct config_problem *out_problem)
{
    static const char prefix[] = "credential:";
    if (strncmp(pin_file, prefix, sizeof prefix - 1) != 0) {
        return OK;
    }
    const char *directory = config_environment_find(environment, "CREDENTIALS_DIRECTORY");
    if (!directory || !config_shape_is_path(directory)) {
        return refuse(
            out_problem, setting,
            "a credential is only there when systemd starts the appliance with LoadCredential=");
    }
    char path[CONFIG_PATH_SIZE];
    int len = snprintf(path, sizeof path, "%s/%s", directory, pin_file + sizeof prefix - 1);
    if (len < 0 || (size_t)len >= sizeof path) {
        return refuse(out_problem, setting, "the credential's path is too long");
    }
    memcpy(pin_file, path, sizeof path);
    return OK;
}

static ERRFN complete_hsm(struct config *c, char *const *environment,
                          struct config_problem *out_problem)
{
    if (c->hsm.ca.module[0] == '\0') {
        return refuse(out_problem, "hsm.ca.module",
                      "required: the path of the PKCS#11 module of the CA's token");
    }
    if (c->hsm.tls.module[0] == '\0') {
        return refuse(out_problem, "hsm.tls.module",
                      "required: the path of the PKCS#11 module of the TLS token");
    }
    if (strcmp(c->hsm.ca.token_label, c->hsm.tls.token_label) == 0) {
        return refuse(out_problem, "hsm.tls.token_label",
                      "must differ from hsm.ca.token_label: the TLS key has "
                      "its own token, so that its PIN opens nothing else");
    }
    TRY(resolve_credential(c->hsm.ca.pin_file, "hsm.ca.pin_file", environment, out_problem));
    return resolve_credential(c->hsm.tls.pin_file, "hsm.tls.pin_file", environment, out_problem);
}

/* Paths are appended to it. */
static void complete_pki(struct config *c)
{
    size_t len = strlen(c->pki.public_url);
    while (len > 0 && c->pki.public_url[len - 1] == '/') {
        c->pki.public_url[--len] = '\0';
    }
}

static ERRFN complete_listen(struct config *c, struct config_problem *out_problem)
{
    if (c->listen.names_count == 0) {
        return refuse(out_problem, "listen.names",
                      "required: the DNS names and addresses by which machines and operators reach "
                      "the appliance");
    }
    config_shape_split_address(c->listen.address, c->listen.host, sizeof c->listen.host,
                               &c->listen.port);
    if (c->service_url[0] == '\0') {
        bool v6 = strchr(c->listen.names[0], ':');
        snprintf(c->service_url, sizeof c->service_url, "https://%s%s%s:%u", v6 ? "[" : "",
                 c->listen.names[0], v6 ? "]" : "", (unsigned)c->listen.port);
    }
    size_t len = strlen(c->service_url);
    while (c->service_url[len - 1] == '/') {
        c->service_url[--len] = '\0';
    }
    return OK;
}

static ERRFN complete_attestation(struct config *c, struct config_problem *out_problem)
{
    struct config_attestation *a = &c->attestation;
    bool is_inline = a->pcr_selection_count > 0 || a->ak_keys_count > 0;
    if (c->policy_file[0] != '\0' && is_inline) {
        return refuse(
            out_problem, "policy_file",
            "attestation.pcr_selection and attestation.ak_keys belong into the policy file then");
    }
    if (a->pcr_selection_count == 0) {
        a->pcr_selection[0] =
            (struct config_pcr_bank){"sha256", 1u << 0 | 1u << 2 | 1u << 4 | 1u << 7};
        a->pcr_selection_count = 1;
    }
    if (a->ak_keys_count == 0) {
        static const char keys[CONFIG_AK_KEYS_MAX][12] = {"P-384",    "P-521",    "P-256",
                                                          "RSA-4096", "RSA-3072", "RSA-2048"};
        memcpy(a->ak_keys, keys, sizeof keys);
        a->ak_keys_count = CONFIG_AK_KEYS_MAX;
    }
    return OK;
}

/* Processes of one user could look into each other. */
static ERRFN check_accounts(const struct config *c, struct config_problem *out_problem)
{
    static const char *const paths[] = {"accounts.front", "accounts.keyholder", "accounts.signer",
                                        "accounts.courier"};
    const char *names[] = {c->accounts.front, c->accounts.keyholder, c->accounts.signer,
                           c->accounts.courier};
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(names[i], names[k]) == 0) {
                return refuse(out_problem, paths[i], "must differ from %s", paths[k]);
            }
        }
    }
    return OK;
}

static void lower_hashes(struct config *c)
{
    for (size_t i = 0; i < c->ek_trust.allowed_hashes_count; i++) {
        for (char *p = c->ek_trust.allowed_hashes[i]; *p; p++) {
            *p = (char)tolower((unsigned char)*p);
        }
    }
}

ERRFN config_complete(struct config *c, char *const *environment,
                      struct config_problem *out_problem)
{
    TRY(default_paths(c, out_problem));
    TRY(complete_hsm(c, environment, out_problem));
    TRY(complete_listen(c, out_problem));
    complete_pki(c);
    TRY(complete_attestation(c, out_problem));
    TRY(check_accounts(c, out_problem));
    if (strcmp(c->database.path, c->database.key_file) == 0) {
        return refuse(out_problem, "database.key_file", "must differ from database.path");
    }
    lower_hashes(c);
    return OK;
}
