/* What a struct trust holds. For the files of trust.h only. */
#ifndef ITL_TPM_TRUST_STORE_H
#define ITL_TPM_TRUST_STORE_H

#include "tpm/trust.h"

struct trust_certs {
    X509 **at;
    size_t count;
    size_t cap;
};

/* SHA-384 or SHA-256 digests; open addressing, a power of two of slots, at most half of them
 * taken. */
struct trust_hash {
    uint8_t len; /* 0: free */
    uint8_t digest[SHA384_BYTES];
};

struct trust_hashes {
    struct trust_hash *slots;
    size_t cap;
    size_t count;
};

struct trust {
    struct trust_certs roots;
    struct trust_certs intermediates;
    struct trust_hashes hashes;
};

/* Reads every certificate of a PEM bundle, or the DER certificates that follow one another. Errors:
 * FIELD_INVALID when there is none, or something that is none; TOO_LONG past max. */
ERRFN trust_certs_read(struct view sent, size_t max, struct trust_certs *certs);

/* The same, but what is no certificate is counted and left out, and PKCS#7 bags are opened. Errors:
 * FIELD_INVALID when it holds no certificate at all, TOO_LONG past max. */
ERRFN trust_certs_collect(struct view sent, size_t max, struct trust_certs *certs,
                          size_t *out_skipped);

void trust_certs_clear(struct trust_certs *certs);

ERRFN trust_hashes_add(struct trust_hashes *hashes, struct view digest);
bool trust_hashes_has(const struct trust_hashes *hashes, struct view digest);
void trust_hashes_clear(struct trust_hashes *hashes);

#endif
