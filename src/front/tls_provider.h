/* A built-in OpenSSL 3 provider (provider(7), provider-signature(7)) for a P-384 key that is not
 * here: libssl hands over the content of a TLS 1.3 CertificateVerify (RFC 8446 section 4.4.3)
 * whole, and a function of the caller's gets it signed elsewhere. */
#ifndef ITL_FRONT_TLS_PROVIDER_H
#define ITL_FRONT_TLS_PROVIDER_H

#include "base/bytes.h"

#include <openssl/types.h>

/* DER of ECDSA-Sig-Value over the content's SHA-384 into out_signature. Called by many threads
 * at once. */
struct tls_signer {
    void *context;
    ERRFN (*sign)(void *context, struct view content, struct buf *out_signature);
};

/* Once per process, before any other use of OpenSSL: loads the default provider and then ours.
 * `signer` is copied. Errors: CRYPTO. */
ERRFN tls_provider_load(const struct tls_signer *signer);

/* A private key object for the public key of a P-384 certificate: it signs through tls_signer.
 * The caller frees it with EVP_PKEY_free. Errors: TLS_CERTIFICATE when the key is not P-384,
 * CRYPTO. */
ERRFN tls_provider_key(EVP_PKEY *public_key, EVP_PKEY **out_key);

#endif
