#include "supervisor/settings.h"

#include "base/secret.h"
#include "ipc/settings.h"

#include <stdio.h>

#ifndef ITL_P11_KIT_CLIENT
#error "the build names p11-kit-client.so"
#endif

enum { PIN_MAX_BYTES = 34 /* 32 and a line end: more than tokens take */ };

void settings_chain_path(const struct config *config, char out_path[static PATH_MAX])
{
    snprintf(out_path, PATH_MAX, "%s/tls/chain.pem", config->state_directory);
}

static ERRFN put_account(const struct supervisor *s, const struct child *child, struct buf *out)
{
    if (!s->privileged) {
        return OK;
    }
    TRY(settings_put_number(out, "account_uid", child->account.uid));
    return settings_put_number(out, "account_gid", child->account.gid);
}

static ERRFN put_token(const struct supervisor *s, const struct config_token *token, struct buf *out)
{
    bool isolated = s->config->hsm.isolation == CONFIG_ISOLATION_PROCESS;
    const char *folder = token == &s->config->hsm.ca ? s->ca_token_directory : s->tls_token_directory;
    bool softhsm = !isolated && folder[0] != '\0';
    TRY(settings_put(out, "hsm_module", isolated ? ITL_P11_KIT_CLIENT : token->module));
    TRY(settings_put(out, "hsm_token_label", token->token_label));
    TRY(settings_put_number(out, "hsm_sessions", token->sessions_max));
    TRY(settings_put_number(out, "softhsm", softhsm));
    return settings_put(out, "token_directory", softhsm ? folder : "");
}

static ERRFN put_policy(const struct config *c, struct buf *out)
{
    const struct config_attestation *a = &c->attestation;
    TRY(settings_put(out, "policy_file", c->policy_file));
    TRY(settings_put_number(out, "require_quote", a->require_quote));
    TRY(settings_put_number(out, "require_nonce", a->require_nonce));
    TRY(settings_put_number(out, "nonce_ttl_ms", (uint64_t)a->nonce_ttl_s * 1000));
    TRY(settings_put_number(out, "session_ttl_ms", (uint64_t)a->session_ttl_s * 1000));
    TRY(settings_put_number(out, "challenge_interval_ms", a->challenge_interval_ms));
    for (size_t i = 0; i < a->pcr_selection_count; i++) {
        TRY(buf_printf(out, "pcr_bank %s:%u\n", a->pcr_selection[i].bank, a->pcr_selection[i].mask));
    }
    for (size_t i = 0; i < a->ak_keys_count; i++) {
        TRY(settings_put(out, "ak_key", a->ak_keys[i]));
    }
    return OK;
}

static ERRFN put_trust(const struct config *c, struct buf *out)
{
    const struct config_ek_trust *t = &c->ek_trust;
    TRY(settings_put(out, "roots_directory", t->roots_directory));
    TRY(settings_put(out, "intermediates_directory", t->intermediates_directory));
    TRY(settings_put_number(out, "certificateless_pending", t->certificateless == CONFIG_CERTIFICATELESS_PENDING));
    for (size_t i = 0; i < t->allowed_hashes_count; i++) {
        TRY(settings_put(out, "allowed_hash", t->allowed_hashes[i]));
    }
    return OK;
}

static ERRFN put_pki(const struct config *c, struct buf *out)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/pki/enrollment-ca.pem", c->state_directory);
    TRY(settings_put(out, "ca_certificate_path", path));
    TRY(settings_put(out, "pki_url", c->pki.public_url));
    TRY(settings_put(out, "trust_domain", c->pki.trust_domain));
    TRY(settings_put(out, "spiffe_id_template", c->pki.spiffe_id_template));
    TRY(settings_put_number(out, "certificate_ms", (uint64_t)c->pki.certificate_days * 24 * 3600 * 1000));
    TRY(settings_put_number(out, "svid_ms", (uint64_t)c->pki.svid_minutes * 60 * 1000));
    TRY(settings_put_number(out, "crl_ms", (uint64_t)c->pki.crl_hours * 3600 * 1000));
    return settings_put_number(out, "certificate_enrollment", c->pki.certificate_enrollment);
}

static ERRFN put_signer(const struct supervisor *s, struct buf *out)
{
    const struct config *c = s->config;
    TRY(put_token(s, &c->hsm.ca, out));
    TRY(put_policy(c, out));
    TRY(put_trust(c, out));
    TRY(put_pki(c, out));
    TRY(settings_put(out, "database_path", c->database.path));
    TRY(settings_put(out, "database_key_path", c->database.key_file));
    TRY(settings_put(out, "base_directory", c->machine_config.base_directory));
    TRY(settings_put(out, "installer_image", c->machine_config.installer_image));
    TRY(settings_put(out, "service_url", c->service_url));
    TRY(settings_put_number(out, "high_assurance", c->high_assurance));
    TRY(settings_put_number(out, "sealed_only", c->machine_config.sealed_delivery));
    TRY(settings_put_number(out, "grants_signed", c->operator_grants == CONFIG_GRANTS_SIGNED));
    TRY(settings_put_number(out, "sessions_max", c->limits.sessions_max));
    TRY(settings_put_number(out, "pending_max", c->limits.pending_machines_max));
    TRY(settings_put_number(out, "dual_control_policy", c->dual_control.policy));
    for (size_t i = 0; i < c->dual_control.roles_count; i++) {
        TRY(settings_put(out, "dual_control_role", c->dual_control.roles[i]));
    }
    return OK;
}

static ERRFN put_front(const struct supervisor *s, struct buf *out)
{
    const struct config *c = s->config;
    AUTO(buf) downgrades = NULL;
    TRY(buf_new(2048, &downgrades));
    for (size_t i = 0; i < s->downgrade_count; i++) {
        TRY(buf_printf(downgrades, "%s%s", i ? "," : "", s->downgrades[i].setting));
    }
    TRY(buf_put_u8(downgrades, 0));
    TRY(settings_put(out, "service_url", c->service_url));
    TRY(settings_put_number(out, "workers", c->listen.workers));
    TRY(settings_put_number(out, "rate_per_minute", c->limits.requests_per_minute_per_address));
    TRY(settings_put_number(out, "high_assurance", c->high_assurance));
    TRY(settings_put(out, "downgrades", (const char *)downgrades->data));
    return settings_put_number(out, "sealed_only", c->machine_config.sealed_delivery);
}

static ERRFN put_settings(const struct supervisor *s, const struct child *child, struct buf *out)
{
    TRY(put_account(s, child, out));
    switch (child->kind) {
    case CHILD_SIGNER:
        return put_signer(s, out);
    case CHILD_KEYHOLDER:
        return put_token(s, &s->config->hsm.tls, out);
    case CHILD_FRONT:
        return put_front(s, out);
    case CHILD_COURIER:
    case CHILD_MODULE_CA:
    case CHILD_MODULE_TLS:
    case CHILD_COUNT:
        return OK;
    }
    return OK;
}

static ERRFN read_pin(const struct supervisor *s, const struct child *child, struct secret **out_pin)
{
    switch (child->kind) {
    case CHILD_SIGNER:
        return secret_read_file(s->config->hsm.ca.pin_file, PIN_MAX_BYTES, out_pin);
    case CHILD_KEYHOLDER:
        return secret_read_file(s->config->hsm.tls.pin_file, PIN_MAX_BYTES, out_pin);
    case CHILD_FRONT:
    case CHILD_COURIER:
    case CHILD_MODULE_CA:
    case CHILD_MODULE_TLS:
    case CHILD_COUNT:
        return OK;
    }
    return OK;
}

ERRFN settings_for_child(const struct supervisor *s, const struct child *child, struct buf *out_body)
{
    AUTO(buf) lines = NULL;
    AUTO(secret) pin = NULL;
    AUTO(buf) chain = NULL;
    TRY(buf_new(IPC_SETTINGS_MAX, &lines));
    TRY(put_settings(s, child, lines));
    TRY(read_pin(s, child, &pin));
    /* The front serves it; the signer knows by it which handshakes of clients were with this appliance. */
    if (child->kind == CHILD_FRONT || child->kind == CHILD_SIGNER) {
        char path[PATH_MAX];
        settings_chain_path(s->config, path);
        TRY(fd_read_file(path, IPC_CHAIN_MAX, &chain));
    }
    struct ipc_setup_request setup = {
        .settings = buf_view(lines),
        .pin = pin ? secret_view(pin) : VIEW_EMPTY,
        .chain = chain ? buf_view(chain) : VIEW_EMPTY,
    };
    return ipc_put_setup_request(out_body, &setup);
}
