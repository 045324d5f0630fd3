/* issue_load MODULE TOKEN_LABEL PIN_FILE CA_PEM SECONDS raw|certificates: what the CA token signs a second, one signature after another:
 * digests, or whole enrollment certificates as the signer makes them, without the database. */
#include "base/clock.h"
#include "base/fd.h"
#include "base/secret.h"
#include "bench/load.h"
#include "hsm/hsm.h"
#include "hsm/provider.h"
#include "pki/issue.h"

#include <openssl/ec.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bench {
    struct hsm_key *raw_key;
    struct hsm_provider *provider;
    EVP_PKEY *ca_key;
    struct buf *node_key; /* SubjectPublicKeyInfo */
    struct ca *ca;
};

static err_t sign_certificate(void *context, X509 *certificate)
{
    struct bench *bench = context;
    return hsm_provider_sign_certificate(bench->provider, bench->ca_key, certificate);
}

static err_t sign_list(void *context, X509_CRL *list)
{
    struct bench *bench = context;
    return hsm_provider_sign_crl(bench->provider, bench->ca_key, list);
}

static bool sign_raw(void *context, size_t thread)
{
    (void)thread;
    static const uint8_t digest[HSM_DIGEST_BYTES] = {1};
    const struct bench *bench = context;
    AUTO(buf) signature = NULL;
    return IS_OK(buf_new(HSM_SIGNATURE_MAX_BYTES, &signature)) && IS_OK(hsm_sign_p384(bench->raw_key, digest, signature));
}

static bool issue(void *context, size_t thread)
{
    (void)thread;
    const struct bench *bench = context;
    const struct issue_facts facts = {.profile = ISSUE_ENROLLMENT,
                                      .spki = buf_view(bench->node_key),
                                      .machine_id = "0b7c5b1e-1111-4222-8333-444455556666",
                                      .role = "worker-app",
                                      .uri = "urn:itl:ek:00ff",
                                      .crl_url = "",
                                      .now_ms = clock_utc_ms(),
                                      .lifetime_ms = 3600000};
    struct issued issued;
    bool done = IS_OK(certificate_issue(bench->ca, &facts, &issued));
    if (done) {
        issued_clear(&issued);
    }
    return done;
}

static ERRFN make_node_key(struct buf **out_spki)
{
    EVP_PKEY *key = EVP_EC_gen("P-384");
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    ENSURE(len > 0, CRYPTO);
    return buf_copy(view_of(der, (size_t)len), out_spki);
}

/* What is opened lives until the process ends. */
static ERRFN open_bench(char **argv, struct bench *bench)
{
    AUTO(secret) pin = NULL;
    AUTO(buf) pem = NULL;
    struct hsm *hsm;
    EVP_PKEY *public_key;
    TRY(secret_setup());
    TRY(secret_read_file(argv[3], HSM_PIN_MAX_BYTES, &pin));
    const struct hsm_settings settings = {.module = argv[1], .token_label = argv[2], .pin = secret_view(pin)};
    TRY(hsm_open(&settings, &hsm));
    TRY(hsm_key_find(hsm, HSM_ROLE_ENROLLMENT_CA, &bench->raw_key));
    TRY(hsm_public_key(bench->raw_key, &public_key));
    TRY(hsm_provider_open(&settings, &bench->provider));
    TRY(hsm_provider_key(bench->provider, HSM_ROLE_ENROLLMENT_CA, &bench->ca_key));
    TRY(fd_read_file(argv[4], CA_PEM_MAX_BYTES, &pem));
    const struct ca_key key = {bench, sign_certificate, sign_list};
    TRY(make_node_key(&bench->node_key));
    return ca_new(buf_view(pem), public_key, clock_utc_ms(), &key, &bench->ca);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    err_t opened = argc == 7 ? open_bench(argv, &bench) : E(BAD_REQUEST);
    if (!IS_OK(opened)) {
        fprintf(stderr, "issue_load: %s\n", err_text(opened));
        _exit(2);
    }
    bool raw = strcmp(argv[6], "raw") == 0;
    struct load_result result = load_run(1, atof(argv[5]), raw ? sign_raw : issue, &bench);
    load_print(raw ? "signatures" : "certificates", &result);
    fflush(stdout);
    _exit(result.failed > 0); /* SoftHSM crashes in its destructors under OpenSSL 3 */
}
