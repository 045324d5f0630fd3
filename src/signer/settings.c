#include "signer/settings.h"

#include "ipc/settings.h"

#include <string.h>

static ERRFN read_texts(struct view lines, struct signer_settings *s, const char **out_name)
{
    const struct {
        const char *name;
        char *text;
        size_t size;
    } texts[] = {
        {"database_path", s->database_path, sizeof s->database_path},
        {"database_key_path", s->database_key_path, sizeof s->database_key_path},
        {"hsm_module", s->hsm_module, sizeof s->hsm_module},
        {"hsm_token_label", s->hsm_token_label, sizeof s->hsm_token_label},
        {"token_directory", s->token_directory, sizeof s->token_directory},
        {"roots_directory", s->roots_directory, sizeof s->roots_directory},
        {"intermediates_directory", s->intermediates_directory, sizeof s->intermediates_directory},
        {"policy_file", s->policy_file, sizeof s->policy_file},
        {"base_directory", s->base_directory, sizeof s->base_directory},
        {"installer_image", s->installer_image, sizeof s->installer_image},
        {"service_url", s->service_url, sizeof s->service_url},
        {"ca_certificate_path", s->ca_certificate_path, sizeof s->ca_certificate_path},
        {"pki_url", s->pki_url, sizeof s->pki_url},
        {"trust_domain", s->trust_domain, sizeof s->trust_domain},
        {"spiffe_id_template", s->spiffe_id_template, sizeof s->spiffe_id_template},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *out_name = texts[i].name;
        TRY(settings_get_text(lines, texts[i].name, 0, texts[i].text, texts[i].size));
    }
    return OK;
}

static ERRFN read_switches(struct view lines, struct signer_settings *s, const char **out_name)
{
    const struct {
        const char *name;
        bool *value;
    } switches[] = {
        {"softhsm", &s->softhsm},
        {"high_assurance", &s->high_assurance},
        {"sealed_only", &s->sealed_only},
        {"require_quote", &s->require_quote},
        {"require_nonce", &s->require_nonce},
        {"grants_signed", &s->grants_signed},
        {"certificateless_pending", &s->certificateless_pending},
        {"dual_control_policy", &s->dual_control_policy},
        {"certificate_enrollment", &s->certificate_enrollment},
    };
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        uint64_t number;
        *out_name = switches[i].name;
        TRY(settings_get_number(lines, switches[i].name, &number));
        ENSURE(number <= 1, FIELD_INVALID);
        *switches[i].value = number == 1;
    }
    return OK;
}

static ERRFN read_numbers(struct view lines, struct signer_settings *s, const char **out_name)
{
    uint64_t sessions = 0;
    const struct {
        const char *name;
        uint64_t *value;
    } numbers[] = {
        {"hsm_sessions", &sessions},
        {"certificate_ms", &s->certificate_ms},
        {"svid_ms", &s->svid_ms},
        {"crl_ms", &s->crl_ms},
        {"nonce_ttl_ms", &s->nonce_ttl_ms},
        {"session_ttl_ms", &s->session_ttl_ms},
        {"challenge_interval_ms", &s->challenge_interval_ms},
        {"sessions_max", &s->sessions_max},
        {"pending_max", &s->pending_max},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        *out_name = numbers[i].name;
        TRY(settings_get_number(lines, numbers[i].name, numbers[i].value));
    }
    s->hsm_sessions = (unsigned)sessions;
    return OK;
}

ERRFN signer_settings_read(struct view lines, struct signer_settings *out_settings, const char **out_name)
{
    struct signer_settings s = {0};
    TRY(read_texts(lines, &s, out_name));
    TRY(read_switches(lines, &s, out_name));
    TRY(read_numbers(lines, &s, out_name));
    *out_name = "dual_control_role";
    struct view role;
    while (IS_OK(settings_get(lines, "dual_control_role", s.dual_control_count, &role))) {
        ENSURE(s.dual_control_count < DUAL_CONTROL_ROLES_MAX, TOO_LONG);
        TRY(view_to_text(role, s.dual_control_roles[s.dual_control_count], sizeof s.dual_control_roles[0]));
        s.dual_control_count++;
    }
    *out_settings = s;
    return OK;
}

bool signer_settings_dual_control(const struct signer_settings *settings, const char *role)
{
    for (size_t i = 0; i < settings->dual_control_count; i++) {
        if (strcmp(settings->dual_control_roles[i], role) == 0) {
            return true;
        }
    }
    return false;
}
