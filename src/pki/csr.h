/* Certificate requests and other public keys that come from nodes. */
#ifndef ITL_PKI_CSR_H
#define ITL_PKI_CSR_H

#include <openssl/types.h>

#include "base/bytes.h"

enum { CSR_MAX_BYTES = 4096 /* PKCS #10 with RSA-4096 takes 1,200 */ };

/* The key (SubjectPublicKeyInfo in DER) of a PKCS #10 request (RFC 2986) in DER, exactly consumed, whose own signature verifies with SHA-256 or better. Its subject and
 * attributes are ignored: what a certificate says is ours to say. Accepted are P-256 and P-384 as named curves and RSA of 2048 to
 * 4096 bits with exponent 65537. Errors: CSR_UNREADABLE, CSR_KEY, CSR_SIGNATURE. */
ERRFN csr_parse(struct view der, struct buf **out_spki);

/* Makes such a request for a P-384 key, without a subject; appends its DER. For nodes. Errors: CRYPTO, TOO_LONG. */
ERRFN csr_make(EVP_PKEY *key, struct buf *out_der);

/* An RSA key that something can be encrypted to, as SubjectPublicKeyInfo DER. Errors: WRAPPING_KEY. The caller
 * frees the key. */
ERRFN csr_wrapping_key_parse(struct view der, EVP_PKEY **out_key);

#endif
