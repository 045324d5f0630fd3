#include "config/settings.h"

#include "config/shape.h"

#include <string.h>

#define AT(member) offsetof(struct config, member)
#define SIZE(member) sizeof(((struct config *)0)->member)
#define ITEMS(member) (SIZE(member) / SIZE(member[0]))

#define BOOL(path_, member) {.path = path_, .kind = SETTING_BOOL, .offset = AT(member)}
#define NUMBER(path_, member, min_, max_)                                                          \
    {.path = path_, .kind = SETTING_NUMBER, .offset = AT(member), .min = min_, .max = max_}
#define TEXT(path_, member, shape, expected_)                                                      \
    {.path = path_, .kind = SETTING_TEXT, .offset = AT(member), .size = SIZE(member),              \
     .is_shaped = shape, .expected = expected_}
#define PATH(path_, member)                                                                        \
    TEXT(path_, member, config_shape_is_path, "an absolute path without \"..\"")
#define ACCOUNT(path_, member)                                                                     \
    TEXT(path_, member, config_shape_is_account, "a user name or number other than root's")
#define CHOICE(path_, member, choices_)                                                            \
    {.path = path_, .kind = SETTING_CHOICE, .offset = AT(member), .choices = choices_}
#define LIST(path_, kind_, member, count_, min_)                                                   \
    .path = path_, .kind = kind_, .offset = AT(member), .count_offset = AT(count_),                \
    .size = SIZE(member[0]), .min = min_, .max = ITEMS(member)
#define TEXTS(path_, member, count_, min_, shape, expected_)                                       \
    {LIST(path_, SETTING_TEXTS, member, count_, min_), .is_shaped = shape, .expected = expected_}
#define VARIABLES(path_, member, count_) {LIST(path_, SETTING_VARIABLES, member, count_, 0)}
#define SELECTION(path_, member, count_) {LIST(path_, SETTING_SELECTION, member, count_, 1)}

static const char *const isolation_choices[] = {"none", "process", NULL};
static const char *const certificateless_choices[] = {"refuse", "pending", NULL};
static const char *const grants_choices[] = {"signed", "bearer", NULL};
static const char *const level_choices[] = {"debug", "info", "warn", "error", NULL};

#define PIN_EXPECTED "an absolute path or credential:NAME"

const struct setting config_settings[] = {
    PATH("state_directory", state_directory),
    PATH("runtime_directory", runtime_directory),
    TEXT("listen.address", listen.address, config_shape_is_listen_address,
         "host:port or [v6]:port"),
    TEXTS("listen.names", listen.names, listen.names_count, 1, config_shape_is_host,
          "a DNS name or an IP address"),
    NUMBER("listen.workers", listen.workers, 4, 256),
    TEXT("service_url", service_url, config_shape_is_service_url, "https://host[:port][/path]"),
    BOOL("high_assurance", high_assurance),
    CHOICE("hsm.isolation", hsm.isolation, isolation_choices),
    PATH("hsm.ca.module", hsm.ca.module),
    TEXT("hsm.ca.token_label", hsm.ca.token_label, NULL, NULL),
    TEXT("hsm.ca.pin_file", hsm.ca.pin_file, config_shape_is_pin_file, PIN_EXPECTED),
    VARIABLES("hsm.ca.environment", hsm.ca.environment, hsm.ca.environment_count),
    NUMBER("hsm.ca.sessions_max", hsm.ca.sessions_max, 2, 64),
    PATH("hsm.tls.module", hsm.tls.module),
    TEXT("hsm.tls.token_label", hsm.tls.token_label, NULL, NULL),
    TEXT("hsm.tls.pin_file", hsm.tls.pin_file, config_shape_is_pin_file, PIN_EXPECTED),
    VARIABLES("hsm.tls.environment", hsm.tls.environment, hsm.tls.environment_count),
    NUMBER("hsm.tls.sessions_max", hsm.tls.sessions_max, 2, 64),
    TEXT("ca.subject.country", ca.country, config_shape_is_country, "two capital letters"),
    TEXT("ca.subject.organization", ca.organization, NULL, NULL),
    TEXT("ca.subject.common_name", ca.common_name, NULL, NULL),
    ACCOUNT("accounts.front", accounts.front),
    ACCOUNT("accounts.keyholder", accounts.keyholder),
    ACCOUNT("accounts.signer", accounts.signer),
    ACCOUNT("accounts.courier", accounts.courier),
    PATH("ek_trust.roots_directory", ek_trust.roots_directory),
    PATH("ek_trust.intermediates_directory", ek_trust.intermediates_directory),
    TEXTS("ek_trust.allowed_hashes", ek_trust.allowed_hashes, ek_trust.allowed_hashes_count, 0,
          config_shape_is_hash, "64 or 96 hexadecimal digits"),
    CHOICE("ek_trust.certificateless", ek_trust.certificateless, certificateless_choices),
    PATH("policy_file", policy_file),
    SELECTION("attestation.pcr_selection", attestation.pcr_selection,
              attestation.pcr_selection_count),
    TEXTS("attestation.ak_keys", attestation.ak_keys, attestation.ak_keys_count, 1,
          config_shape_is_ak_key, "P-256, P-384, P-521, RSA-2048, RSA-3072 or RSA-4096"),
    BOOL("attestation.require_quote", attestation.require_quote),
    BOOL("attestation.require_nonce", attestation.require_nonce),
    NUMBER("attestation.nonce_ttl_seconds", attestation.nonce_ttl_s, 10, 600),
    NUMBER("attestation.session_ttl_seconds", attestation.session_ttl_s, 30, 3600),
    NUMBER("attestation.challenge_interval_ms", attestation.challenge_interval_ms, 0, 60000),
    PATH("machine_config.base_directory", machine_config.base_directory),
    TEXT("machine_config.installer_image", machine_config.installer_image, config_shape_is_image,
         "a container image reference"),
    BOOL("machine_config.sealed_delivery", machine_config.sealed_delivery),
    TEXTS("dual_control.roles", dual_control.roles, dual_control.roles_count, 0,
          config_shape_is_role, "controlplane, worker-infra or worker-app"),
    BOOL("dual_control.policy", dual_control.policy),
    NUMBER("dual_control.quorum", dual_control.quorum, 1, 10),
    NUMBER("dual_control.window_seconds", dual_control.window_seconds, 30, 7 * 24 * 3600),
    CHOICE("operator.grants", operator_grants, grants_choices),
    PATH("database.path", database.path),
    PATH("database.key_file", database.key_file),
    NUMBER("pki.certificate_days", pki.certificate_days, 1, 398),
    NUMBER("pki.svid_minutes", pki.svid_minutes, 5, 1440),
    NUMBER("pki.crl_hours", pki.crl_hours, 1, 720),
    TEXT("pki.public_url", pki.public_url, config_shape_is_public_url,
         "http or https://host[:port][/path]"),
    TEXT("pki.trust_domain", pki.trust_domain, config_shape_is_trust_domain,
         "lower-case letters, digits and .-_"),
    TEXT("pki.spiffe_id_template", pki.spiffe_id_template, config_shape_is_spiffe_template,
         "a path such as /agents/tpm/{{tpm_ek.public_hash}}"),
    BOOL("pki.certificate_enrollment", pki.certificate_enrollment),
    NUMBER("limits.requests_per_minute_per_address", limits.requests_per_minute_per_address, 1,
           10000000),
    NUMBER("limits.pending_machines_max", limits.pending_machines_max, 1, 1000000),
    NUMBER("limits.sessions_max", limits.sessions_max, 16, 1000000),
    CHOICE("logging.level", log_level, level_choices),
};

const size_t config_settings_count = sizeof config_settings / sizeof config_settings[0];

const struct setting *config_setting_find(const char *path)
{
    for (size_t i = 0; i < config_settings_count; i++) {
        if (strcmp(config_settings[i].path, path) == 0) {
            return &config_settings[i];
        }
    }
    return NULL;
}

bool config_setting_is_section(const char *path)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < config_settings_count; i++) {
        if (strncmp(config_settings[i].path, path, len) == 0 &&
            config_settings[i].path[len] == '.') {
            return true;
        }
    }
    return false;
}
