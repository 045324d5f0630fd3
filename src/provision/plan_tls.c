#include <openssl/evp.h>

#include "provision/certificate.h"
#include "provision/plan.h"
#include "provision/say.h"

AUTO_DEFINE(EVP_PKEY, EVP_PKEY, EVP_PKEY_free);

static ERRFN make_both(struct token_work *work)
{
    AUTO(hsm_provider) provider = NULL;
    AUTO(buf) chain = NULL;
    AUTO(buf) request = NULL;
    TRY(buf_new(CERTIFICATE_PEM_MAX_BYTES, &chain));
    TRY(buf_new(CERTIFICATE_PEM_MAX_BYTES, &request));
    TRY(hsm_provider_open(work->settings, &provider));
    AUTO(EVP_PKEY) key = NULL;
    TRY(hsm_provider_key(provider, HSM_ROLE_TLS, &key));
    TRY(certificate_make_server(provider, key, work->ceremony->config, chain));
    TRY(certificate_make_request(provider, key, work->ceremony->config, request));
    work->made[ARTIFACT_TLS_CHAIN] = STEAL(chain);
    work->made[ARTIFACT_TLS_REQUEST] = STEAL(request);
    return OK;
}

static void check_names(const struct config_listen *listen, const struct buf *chain)
{
    for (size_t i = 0; i < listen->names_count; i++) {
        if (!certificate_covers(buf_view(chain), listen->names[i])) {
            say("note",
                "the TLS certificate does not cover %s (listen.names); --renew-tls makes one that "
                "does",
                listen->names[i]);
        }
    }
}

static ERRFN check_chain(struct token_work *work, const struct buf *chain)
{
    struct hsm_key *key = NULL;
    struct certificate_facts facts;
    TRY(hsm_key_find(work->hsm, HSM_ROLE_TLS, &key));
    err_t err = certificate_check(buf_view(chain), key, &facts);
    if (!IS_OK(err)) {
        return say_problem(err, "TLS certificate in tls/chain.pem (--renew-tls makes a new one)");
    }
    say("checked", "TLS certificate: %s, valid until %s",
        facts.self_signed ? "self-signed" : "issued by a CA", facts.not_after);
    check_names(&work->ceremony->config->listen, chain);
    say("pin", "%s   (curl --pinnedpubkey, attestation login --pin)", facts.pin);
    say("sha256", "%s   (openssl x509 -fingerprint -sha256)", facts.fingerprint);
    return OK;
}

static ERRFN finish(struct token_work *work)
{
    const struct ceremony *c = work->ceremony;
    const struct buf *existing = work->existing[ARTIFACT_TLS_CHAIN];
    bool making = c->mode == CEREMONY_PROVISION;
    if (existing && !(making && c->renew_tls)) {
        return check_chain(work, existing);
    }
    if (!making) {
        return say_problem(E(CONFIG_UNREADABLE), "there is no tls/chain.pem; run itl-provision");
    }
    err_t err = make_both(work);
    if (!IS_OK(err)) {
        return say_problem(err, "making the TLS certificate");
    }
    return check_chain(work, work->made[ARTIFACT_TLS_CHAIN]);
}

struct token_plan plan_tls(const struct ceremony *c)
{
    static const enum hsm_role roles[] = {HSM_ROLE_TLS};
    static const enum artifact artifacts[] = {ARTIFACT_TLS_CHAIN};
    return (struct token_plan){.name = "tls",
                               .settings = &c->config->hsm.tls,
                               .account = &c->keyholder,
                               .roles = roles,
                               .roles_count = sizeof roles / sizeof *roles,
                               .artifacts = artifacts,
                               .artifacts_count = sizeof artifacts / sizeof *artifacts,
                               .finish = finish};
}
