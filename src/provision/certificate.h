/* The certificates and the request that the ceremony makes, as PEM. Keys are those of the token. */
#ifndef ITL_PROVISION_CERTIFICATE_H
#define ITL_PROVISION_CERTIFICATE_H

#include "config/config.h"
#include "hsm/provider.h"

enum {
    CERTIFICATE_PEM_MAX_BYTES = 64 * 1024, /* a chain of ten long certificates */
    CERTIFICATE_CA_DAYS = 3650,
    CERTIFICATE_TLS_DAYS = 825,    /* the longest that all TLS clients accept */
    CERTIFICATE_BACKDATE_S = 3600, /* clocks of machines that boot for the first time are off */
    CERTIFICATE_DATE_SIZE = 32
};

/* Self-signed: CA:TRUE with path length 0; keyCertSign, cRLSign and digitalSignature. Errors:
 * CRYPTO, TOKEN_FAILED. */
ERRFN certificate_make_ca(struct hsm_provider *p, EVP_PKEY *key, const struct config_ca *subject,
                          struct buf *out_pem);

/* Self-signed server certificate for listen.names: CA:FALSE, digitalSignature, serverAuth. */
ERRFN certificate_make_server(struct hsm_provider *p, EVP_PKEY *key, const struct config *config,
                              struct buf *out_pem);

/* PKCS#10 (RFC 2986) request for the same key, subject and names. */
ERRFN certificate_make_request(struct hsm_provider *p, EVP_PKEY *key, const struct config *config,
                               struct buf *out_pem);

/* What a certificate in use must be: the first of the PEM text has this key and is valid now. */
struct certificate_facts {
    char not_after[CERTIFICATE_DATE_SIZE]; /* 2036-11-19T12:00:00.000Z */
    char fingerprint[96];                  /* SHA-256 of the DER, as openssl prints it */
    char pin[64]; /* sha256//base64 over SubjectPublicKeyInfo, as curl takes it */
    bool is_ca;
    bool self_signed;
};

/* Errors: TLS_CERTIFICATE (unreadable, another key, out of its time), CRYPTO. */
ERRFN certificate_check(struct view pem, const struct hsm_key *key,
                        struct certificate_facts *out_facts);

/* Whether the first certificate covers this DNS name or IP address. */
bool certificate_covers(struct view pem, const char *name);

#endif
