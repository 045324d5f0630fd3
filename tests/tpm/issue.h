/* Makes keys and certificates for tests, good ones and every kind of bad one. */
#ifndef ITL_TESTS_TPM_ISSUE_H
#define ITL_TESTS_TPM_ISSUE_H

#include "base/bytes.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>

/* A year: 2020-01-01, 2025-01-01 and so on in seconds. */
enum {
    Y2010 = 1262304000,
    Y2015 = 1420070400,
    Y2020 = 1577836800,
    Y2025 = 1735689600,
    Y2030 = 1893456000
};
#define Y2040 INT64_C(2208988800)

/* Extensions in OpenSSL's configuration language; NULL leaves one out. */
struct issue_spec {
    const char *subject; /* CN */
    const char *issuer;  /* CN */
    EVP_PKEY *key;       /* of the subject */
    EVP_PKEY *signer;
    const EVP_MD *hash; /* SHA-256 when NULL */
    int64_t from;
    int64_t until;
    const char *basic_constraints;
    const char *key_usage;
    const char *purposes;
    const char *name_constraints;
    const char *permitted_directory; /* CN of a directory name, as a name constraint */
    bool tpm_san;                    /* manufacturer, model, version */
    bool unknown_critical;           /* a critical extension nobody knows */
    const char *extra_oid;           /* a further non-critical extension */
    bool extra_twice;                /* which occurs a second time */
    long version;                    /* of X.509, 3 when 0 */
};

EVP_PKEY *issue_rsa(unsigned bits);
EVP_PKEY *issue_ec(const char *group);

X509 *issue_certificate(const struct issue_spec *spec);

/* Specs with what a good one has. */
struct issue_spec issue_root(const char *name, EVP_PKEY *key);
struct issue_spec issue_intermediate(const char *name, EVP_PKEY *key, const char *issuer,
                                     EVP_PKEY *signer);
struct issue_spec issue_ek(EVP_PKEY *key, const char *issuer, EVP_PKEY *signer);

struct buf *issue_der(X509 *cert);
struct buf *issue_pem(X509 *cert);
struct buf *issue_spki(EVP_PKEY *key);

#endif
