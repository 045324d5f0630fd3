#include "config/environment.h"

#include "config/store.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { VALUE_MAX_BYTES = 4096 };

/* A variable either sets `setting`, or is accepted with `accepted` only, because that is what the
 * appliance does anyway, or (accepted NULL) never; `instead` then says what to do. */
struct variable {
    const char *name;
    const char *setting;
    const char *accepted;
    const char *instead;
};

#define KEYS_IN_TOKEN "keys live in the token; see hsm.ca and itl-provision"
#define NO_OIDC       "logins through an OpenID provider are not part of this release"
#define NO_PULUMI     "the Pulumi state backend is not part of this release"
#define NO_FACTORY    "boot images are not built by this release"

static const struct variable variables[] = {
    {"ITL_SERVICE_URL", "service_url", NULL, NULL},
    {"ITL_HIGH_ASSURANCE", "high_assurance", NULL, NULL},
    {"ITL_REQUIRE_QUOTE", "attestation.require_quote", NULL, NULL},
    {"ITL_REQUIRE_NONCE", "attestation.require_nonce", NULL, NULL},
    {"ITL_TPM_CA_BUNDLE_DIR", "ek_trust.roots_directory", NULL, NULL},
    {"ITL_CONFIG_CACHE_DIR", "machine_config.base_directory", NULL, NULL},
    {"ITL_INSTALLER_IMAGE", "machine_config.installer_image", NULL, NULL},
    {"ITL_REQUIRE_ENCRYPTED_DELIVERY", "machine_config.sealed_delivery", NULL, NULL},
    {"ITL_DUAL_CONTROL_ROLES", "dual_control.roles", NULL, NULL},
    {"ITL_DUAL_CONTROL_QUORUM", "dual_control.quorum", NULL, NULL},
    {"ITL_DUAL_CONTROL_WINDOW_SECONDS", "dual_control.window_seconds", NULL, NULL},
    {"ITL_TPM_VERIFY_CA", NULL, "true",
     "EK certificates are always verified; see ek_trust for exceptions"},
    {"ITL_TPM_VERIFY_CA_STRICT", NULL, "true",
     "EK certificates are always verified; see ek_trust for exceptions"},
    {"ITL_TLS_MIN_VERSION", NULL, "TLSv1.3", "TLSv1.3 is the only version"},
    {"ITL_TLS_CIPHERS", NULL, "TLS_AES_256_GCM_SHA384",
     "TLS_AES_256_GCM_SHA384 is the only cipher suite"},
    {"ITL_ENROLLMENT_CA_ALGORITHM", NULL, "ecdsa-p384", "ecdsa-p384 is the only algorithm"},
    {"ITL_ENROLLMENT_CERT_DAYS", "pki.certificate_days", NULL, NULL},
    {"ITL_ENROLLMENT_CA_DIR", NULL, NULL, KEYS_IN_TOKEN},
    {"ITL_SHARED_SECRET_MASTER_KEY", NULL, NULL, KEYS_IN_TOKEN},
    {"ITL_SHARED_SECRET_PASSPHRASE", NULL, NULL, KEYS_IN_TOKEN},
    {"ITL_CONFIG_ENCRYPTION_KEY", NULL, NULL, KEYS_IN_TOKEN},
    {"ITL_CONFIG_ENCRYPTION_PASSPHRASE", NULL, NULL, KEYS_IN_TOKEN},
    {"ITL_ADMIN_TOKEN", NULL, "",
     "there is no shared token; break-glass is opened on the appliance's console"},
    {"ITL_DB_URL", NULL, NULL, "set database.path"},
    {"ITL_OIDC_ENABLED", NULL, "false", NO_OIDC},
    {"ITL_OIDC_ISSUER", NULL, "", NO_OIDC},
    {"ITL_OIDC_AUDIENCE", NULL, "", NO_OIDC},
    {"ITL_OIDC_OPERATOR_ROLE", NULL, "", NO_OIDC},
    {"ITL_PULUMI_ENABLED", NULL, "false", NO_PULUMI},
    {"ITL_PULUMI_TOKEN", NULL, "", NO_PULUMI},
    {"ITL_PULUMI_ORG", NULL, "", NO_PULUMI},
    {"ITL_FACTORY_URL", NULL, "", NO_FACTORY},
    {"ITL_FACTORY_EXTENSIONS", NULL, "", NO_FACTORY},
    {"ITL_TALOS_VERSION", NULL, "", NO_FACTORY},
    {"ITL_ISO_URL", NULL, "", NO_FACTORY},
};

static const struct variable *find_variable(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        if (strlen(variables[i].name) == len && strncmp(variables[i].name, name, len) == 0) {
            return &variables[i];
        }
    }
    return NULL;
}

static ERRFN refuse(struct config_problem *problem, const char *name, size_t name_len,
                    const char *text)
{
    memset(problem, 0, sizeof *problem);
    snprintf(problem->text, sizeof problem->text, "this environment variable can't be honoured: %s",
             text);
    snprintf(problem->path, sizeof problem->path, "%.*s", (int)(name_len < 100 ? name_len : 100),
             name);
    return E(CONFIG_INVALID);
}

/* The reference took the spellings of its language. */
static const char *bool_text(const char *value)
{
    static const char *const yes[] = {"true", "1", "yes", "on"};
    static const char *const no[] = {"false", "0", "no", "off"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcasecmp(value, yes[i]) == 0) {
            return "true";
        }
        if (strcasecmp(value, no[i]) == 0) {
            return "false";
        }
    }
    return value;
}

static ERRFN put_quoted(struct buf *out_yaml, const char *text)
{
    TRY(buf_put_text(out_yaml, "'"));
    for (; *text; text++) {
        TRY(buf_printf(out_yaml, "%s%c", *text == '\'' ? "'" : "", *text));
    }
    return buf_put_text(out_yaml, "'");
}

/* Writes the value as YAML: a list as it stands or in brackets (JSON lists are YAML), everything
 * else in single quotes or plain. */
static ERRFN value_as_yaml(const struct setting *s, const char *value, struct buf *out_yaml)
{
    switch (s->kind) {
    case SETTING_BOOL:
        return buf_put_text(out_yaml, bool_text(value));
    case SETTING_NUMBER:
        return buf_put_text(out_yaml, value);
    case SETTING_TEXTS:
        return value[0] == '[' ? buf_put_text(out_yaml, value)
                               : buf_printf(out_yaml, "[%s]", value);
    case SETTING_TEXT:
        return put_quoted(out_yaml, value);
    case SETTING_CHOICE:
    case SETTING_VARIABLES:
    case SETTING_SELECTION:
    case SETTING_NONE:
        break;
    }
    return E(BUG);
}

static ERRFN set_from_value(struct config *config, const struct setting *s, const char *value,
                            struct yaml_problem *out_problem)
{
    static const struct yaml_limits limits = {
        .bytes_max = 2 * VALUE_MAX_BYTES + 2, .depth_max = 2, .documents_max = 1};
    AUTO(buf) yaml = NULL;
    TRY(buf_new(limits.bytes_max, &yaml));
    TRY(value_as_yaml(s, value, yaml));
    AUTO(yaml_tree) tree = NULL;
    TRY(yaml_tree_read(buf_view(yaml), &limits, &tree, out_problem));
    return config_store_setting(config, s, tree, 0, out_problem);
}

static ERRFN apply_variable(struct config *config, const char *entry,
                            struct config_problem *out_problem)
{
    size_t len = strcspn(entry, "=");
    const char *value = entry[len] == '=' ? entry + len + 1 : "";
    const struct variable *v = find_variable(entry, len);
    if (!v) {
        return refuse(out_problem, entry, len, "the appliance has no variable of this name");
    }
    if (!v->setting) {
        bool as_is = v->accepted && strcasecmp(value, v->accepted) == 0;
        return as_is ? OK : refuse(out_problem, entry, len, v->instead);
    }
    if (strlen(value) > VALUE_MAX_BYTES) {
        return refuse(out_problem, entry, len, "its value is too long");
    }
    const struct setting *setting = config_setting_find(v->setting);
    ENSURE(setting, BUG);
    struct yaml_problem problem = {0};
    err_t e = set_from_value(config, setting, value, &problem);
    return IS_E(e, YAML_INVALID) ? refuse(out_problem, entry, len, problem.text) : e;
}

ERRFN config_environment_apply(struct config *config, char *const *environment,
                               struct config_problem *out_problem)
{
    for (size_t i = 0; environment[i]; i++) {
        if (strncmp(environment[i], "ITL_", 4) == 0) {
            TRY(apply_variable(config, environment[i], out_problem));
        }
    }
    return OK;
}

const char *config_environment_find(char *const *environment, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; environment[i]; i++) {
        if (strncmp(environment[i], name, len) == 0 && environment[i][len] == '=') {
            return environment[i] + len + 1;
        }
    }
    return NULL;
}
