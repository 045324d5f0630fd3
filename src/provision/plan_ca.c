#include <openssl/evp.h>

#include "provision/certificate.h"
#include "provision/plan.h"
#include "provision/say.h"

AUTO_DEFINE(EVP_PKEY, EVP_PKEY, EVP_PKEY_free);

enum { DATABASE_KEY_BYTES = 32 };

/* Must be what the signer opens it with. */
static const char database_key_name[] = "itl-database-key-v1";

static ERRFN make_ca_certificate(struct token_work *work, struct buf **out_pem)
{
    AUTO(hsm_provider) provider = NULL;
    AUTO(buf) pem = NULL;
    TRY(buf_new(CERTIFICATE_PEM_MAX_BYTES, &pem));
    TRY(hsm_provider_open(work->settings, &provider));
    AUTO(EVP_PKEY) key = NULL;
    TRY(hsm_provider_key(provider, HSM_ROLE_ENROLLMENT_CA, &key));
    TRY(certificate_make_ca(provider, key, &work->ceremony->config->ca, pem));
    *out_pem = STEAL(pem);
    return OK;
}

static ERRFN check_ca_certificate(struct token_work *work, const struct buf *pem)
{
    struct hsm_key *key = NULL;
    struct certificate_facts facts;
    TRY(hsm_key_find(work->hsm, HSM_ROLE_ENROLLMENT_CA, &key));
    err_t err = certificate_check(buf_view(pem), key, &facts);
    if (!IS_OK(err) || !facts.is_ca) {
        return say_problem(IS_OK(err) ? E(TLS_CERTIFICATE) : err,
                           "enrollment CA certificate in pki/enrollment-ca.pem");
    }
    say("checked", "enrollment CA certificate: valid until %s, SHA-256 %s", facts.not_after,
        facts.fingerprint);
    return OK;
}

static ERRFN ensure_ca_certificate(struct token_work *work)
{
    const struct buf *existing = work->existing[ARTIFACT_CA_CERTIFICATE];
    if (existing) {
        return check_ca_certificate(work, existing);
    }
    if (work->ceremony->mode != CEREMONY_PROVISION) {
        return say_problem(E(CONFIG_UNREADABLE),
                           "there is no pki/enrollment-ca.pem; run itl-provision");
    }
    err_t err = make_ca_certificate(work, &work->made[ARTIFACT_CA_CERTIFICATE]);
    if (!IS_OK(err)) {
        return say_problem(err, "making the enrollment CA certificate");
    }
    return check_ca_certificate(work, work->made[ARTIFACT_CA_CERTIFICATE]);
}

static ERRFN make_database_key(struct hsm_key *vault, struct buf **out_sealed)
{
    AUTO(secret) plain = NULL;
    AUTO(buf) sealed = NULL;
    TRY(secret_random(DATABASE_KEY_BYTES, &plain));
    TRY(buf_new(DATABASE_KEY_BYTES + HSM_SEAL_OVERHEAD_BYTES, &sealed));
    TRY(hsm_seal(vault, view_text(database_key_name), secret_view(plain), sealed));
    *out_sealed = STEAL(sealed);
    return OK;
}

static ERRFN check_database_key(struct hsm_key *vault, const struct buf *sealed)
{
    AUTO(secret) plain = NULL;
    err_t err = hsm_open_sealed(vault, view_text(database_key_name), buf_view(sealed), &plain);
    if (IS_OK(err) && plain->len != DATABASE_KEY_BYTES) {
        err = E(TOKEN_OPEN);
    }
    if (!IS_OK(err)) {
        return say_problem(err, "database key (database.key_file)");
    }
    say("checked", "database key: opens in the token");
    return OK;
}

static ERRFN ensure_database_key(struct token_work *work)
{
    const struct config_database *database = &work->ceremony->config->database;
    struct hsm_key *vault = NULL;
    TRY(hsm_key_find(work->hsm, HSM_ROLE_VAULT, &vault));
    if (work->existing[ARTIFACT_DATABASE_KEY]) {
        return check_database_key(vault, work->existing[ARTIFACT_DATABASE_KEY]);
    }
    if (work->ceremony->mode != CEREMONY_PROVISION) {
        return say_problem(E(CONFIG_UNREADABLE), "there is no %s; run itl-provision",
                           database->key_file);
    }
    if (work->database_exists) {
        return say_problem(E(DB_KEY),
                           "%s exists but its key %s does not: restore the key from a backup",
                           database->path, database->key_file);
    }
    err_t err = make_database_key(vault, &work->made[ARTIFACT_DATABASE_KEY]);
    if (!IS_OK(err)) {
        return say_problem(err, "sealing a database key");
    }
    return check_database_key(vault, work->made[ARTIFACT_DATABASE_KEY]);
}

static ERRFN finish(struct token_work *work)
{
    TRY(ensure_ca_certificate(work));
    return ensure_database_key(work);
}

struct token_plan plan_ca(const struct ceremony *c)
{
    static const enum hsm_role roles[] = {HSM_ROLE_ENROLLMENT_CA, HSM_ROLE_AUDIT, HSM_ROLE_VAULT};
    static const enum artifact artifacts[] = {ARTIFACT_CA_CERTIFICATE, ARTIFACT_DATABASE_KEY};
    return (struct token_plan){.name = "ca",
                               .settings = &c->config->hsm.ca,
                               .account = &c->signer,
                               .roles = roles,
                               .roles_count = sizeof roles / sizeof *roles,
                               .artifacts = artifacts,
                               .artifacts_count = sizeof artifacts / sizeof *artifacts,
                               .finish = finish};
}
