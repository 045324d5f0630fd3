#include "pki/software_ca.h"

#include <stdlib.h>

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "pki/x509_parts.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

static err_t sign_certificate(void *context, X509 *certificate)
{
    struct software_ca *software = context;
    software->signatures++;
    return X509_sign(certificate, software->key, EVP_sha384()) > 0 ? OK : E(TOKEN_FAILED);
}

static err_t sign_list(void *context, X509_CRL *list)
{
    struct software_ca *software = context;
    software->signatures++;
    return X509_CRL_sign(list, software->key, EVP_sha384()) > 0 ? OK : E(TOKEN_FAILED);
}

struct ca_key software_ca_key(struct software_ca *software)
{
    return (struct ca_key){software, sign_certificate, sign_list};
}

void software_ca_make(struct software_ca *software, const char *curve, const char *constraints, const char *usage)
{
    uint8_t serial[X509_SERIAL_BYTES];
    *software = (struct software_ca){.key = EVP_EC_gen(curve)};
    AUTO(X509) certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    assert_true(X509_set_version(certificate, X509_VERSION_3) == 1 && x509_serial_set(certificate, serial));
    assert_true(x509_name_add(name, "C", "NL") && x509_name_add(name, "O", "ITL Usions") && x509_name_add(name, "CN", "test CA"));
    assert_true(X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, software->key) == 1);
    assert_true(x509_time_set(X509_getm_notBefore(certificate), NOW_MS - 10 * DAY_MS));
    assert_true(x509_time_set(X509_getm_notAfter(certificate), NOW_MS + 3650 * DAY_MS));
    assert_true(x509_key_identifier_add(certificate));
    assert_true(x509_extension_add(certificate, NID_basic_constraints, constraints ? constraints : "critical,CA:TRUE,pathlen:0"));
    assert_true(x509_extension_add(certificate, NID_key_usage, usage ? usage : "critical,digitalSignature,keyCertSign,cRLSign"));
    assert_true(X509_sign(certificate, software->key, EVP_sha384()) > 0);
    assert_ok(buf_new(CA_PEM_MAX_BYTES, &software->pem));
    assert_ok(x509_put_pem(certificate, software->pem));
}

void software_ca_clear(struct software_ca *software)
{
    ca_free(software->ca);
    buf_free(software->pem);
    EVP_PKEY_free(software->key);
}

int software_ca_setup(void **state)
{
    struct software_ca *software = calloc(1, sizeof *software);
    software_ca_make(software, "P-384", NULL, NULL);
    struct ca_key key = software_ca_key(software);
    assert_ok(ca_new(buf_view(software->pem), software->key, NOW_MS, &key, &software->ca));
    *state = software;
    return 0;
}

int software_ca_teardown(void **state)
{
    software_ca_clear(*state);
    free(*state);
    return 0;
}

struct issue_facts sample_facts(enum issue_profile profile, EVP_PKEY *key)
{
    static uint8_t der[1024]; /* of the last call */
    uint8_t *at = der;
    int len = i2d_PUBKEY(key, NULL);
    assert_true(len > 0 && (size_t)len <= sizeof der && i2d_PUBKEY(key, &at) == len);
    return (struct issue_facts){
        .profile = profile,
        .spki = view_of(der, (size_t)len),
        .machine_id = "0b7c5b1e-1111-4222-8333-444455556666",
        .role = "worker-app",
        .uri = profile == ISSUE_SVID ? "spiffe://example.org/agents/tpm/a/b" : "urn:itl:ek:00ff",
        .crl_url = "",
        .now_ms = NOW_MS,
        .lifetime_ms = 30 * DAY_MS,
    };
}

X509 *parse_certificate(const struct buf *der)
{
    const uint8_t *at = der->data;
    X509 *certificate = d2i_X509(NULL, &at, (long)der->len);
    assert_non_null(certificate);
    assert_ptr_equal(at, der->data + der->len);
    return certificate;
}
