/* Reads a certificate that claims to be one of ours. Whether it is in the inventory and not revoked is for the caller to look up. */
#ifndef ITL_PKI_PRESENTED_H
#define ITL_PKI_PRESENTED_H

#include "crypto/digest.h"
#include "pki/ca.h"
#include "pki/x509_parts.h"

struct presented {
    EVP_PKEY *key; /* owned */
    uint8_t serial[X509_SERIAL_BYTES];
    uint8_t sha256[SHA256_BYTES]; /* of the DER */
};
void presented_clear(struct presented *presented);

/* DER, exactly consumed. Errors: CERTIFICATE_INVALID unless it is of version 3, issued and signed by this CA, in time, not a CA, with
 * digitalSignature and clientAuth, and a serial number of ours. */
ERRFN presented_parse(const struct ca *ca, struct view der, uint64_t now_ms, struct presented *out_presented);

/* ECDSA with SHA-384 in DER, or RSASSA-PKCS1-v1_5 with SHA-256 (contract B.4.4), over the message, by the certificate's key. Errors:
 * CERTIFICATE_SIGNATURE. */
ERRFN presented_check_signature(const struct presented *presented, struct view message, struct view signature);

#endif
