/* The enrollment CA as this folder sees it: its certificate, and someone who signs with its key. The
 * key itself may be in a token. */
#ifndef ITL_PKI_CA_H
#define ITL_PKI_CA_H

#include <openssl/types.h>

#include "base/bytes.h"

enum { CA_PEM_MAX_BYTES = 8192 /* one P-384 certificate takes 900 */ };

/* Signs what was filled in, with ecdsa-with-SHA384 (RFC 5758). */
struct ca_key {
    void *context;
    ERRFN (*sign_certificate)(void *context, X509 *certificate);
    ERRFN (*sign_list)(void *context, X509_CRL *list);
};

struct ca {
    struct ca_key key;
    X509 *certificate;
    EVP_PKEY *public_key;
    struct buf *pem; /* this certificate alone */
    struct buf *der;
    uint64_t not_before_ms;
    uint64_t not_after_ms;
};

/* Reads the first certificate of a PEM text. Errors: CA_CERTIFICATE unless it is a CA's that may sign certificates and revocation
 * lists, is in time, has a subjectKeyIdentifier and P-384, and `public_key` is its key. */
ERRFN ca_new(struct view pem, const EVP_PKEY *public_key, uint64_t now_ms, const struct ca_key *key, struct ca **out_ca);

void ca_free(struct ca *ca);
AUTO_DEFINE(ca, struct ca, ca_free);

/* Signs a certificate that is thrown away, and checks it: whatever a library does at first use is then done. Errors: those of the key,
 * CRYPTO. */
ERRFN ca_exercise(const struct ca *ca);

#endif
