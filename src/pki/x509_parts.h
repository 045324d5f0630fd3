/* What every certificate that we make is put together from. */
#ifndef ITL_PKI_X509_PARTS_H
#define ITL_PKI_X509_PARTS_H

#include <openssl/x509v3.h>

#include "base/bytes.h"

enum {
    X509_SERIAL_BYTES = 16, /* RFC 5280 allows 20; 126 random bits never meet */
    X509_KEY_ID_BYTES = 20,
    X509_DER_MAX_BYTES = 4096 /* ours take 700 with a P-384 key, 1,200 with RSA-4096 */
};

AUTO_DEFINE(X509, X509, X509_free);
AUTO_DEFINE(X509_REQ, X509_REQ, X509_REQ_free);
AUTO_DEFINE(X509_CRL, X509_CRL, X509_CRL_free);
AUTO_DEFINE(X509_EXTENSION, X509_EXTENSION, X509_EXTENSION_free);
AUTO_DEFINE(GENERAL_NAMES, GENERAL_NAMES, GENERAL_NAMES_free);
AUTO_DEFINE(ASN1_OCTET_STRING, ASN1_OCTET_STRING, ASN1_OCTET_STRING_free);
AUTO_DEFINE(EVP_PKEY, EVP_PKEY, EVP_PKEY_free);
AUTO_DEFINE(BIO, BIO, BIO_free_all);

/* Appends one field ("C", "O", "OU", "CN") of UTF-8; nothing for an empty value. False when it does not fit the field. */
bool x509_name_add(X509_NAME *name, const char *field, const char *value);

/* A random positive serial number that always takes X509_SERIAL_BYTES. */
bool x509_serial_set(X509 *certificate, uint8_t out_serial[static X509_SERIAL_BYTES]);

/* The subject's key, as SubjectPublicKeyInfo in DER that was checked before. X509_set_pubkey would encode and decode it anew, which takes a
 * third of the time of a signature. */
bool x509_key_set(X509 *certificate, struct view spki);

/* An extension in OpenSSL's notation ("critical,CA:FALSE"); `value` is a text of ours, never made from input. */
bool x509_extension_add(X509 *certificate, int nid, const char *value);

/* subjectKeyIdentifier by RFC 7093 section 2, method 1: 160 bits of SHA-256, so that nothing asks for SHA-1. The public key is set
 * before. */
bool x509_key_identifier_add(X509 *certificate);

/* authorityKeyIdentifier: the issuer's subjectKeyIdentifier. */
bool x509_authority_add(X509 *certificate, const X509 *issuer);

/* A URI as the one subjectAltName. */
bool x509_uri_add(X509 *certificate, const char *uri);

/* cRLDistributionPoints with one URI. */
bool x509_distribution_point_add(X509 *certificate, const char *uri);

/* Milliseconds since 1970 into a time of a certificate, and back. Errors of the latter: CERTIFICATE_INVALID. */
bool x509_time_set(ASN1_TIME *time, uint64_t utc_ms);
ERRFN x509_time_get(const ASN1_TIME *time, uint64_t *out_utc_ms);

/* The first certificate of a PEM text; NULL when there is none. */
X509 *x509_first_of_pem(struct view pem);

/* Append. Errors: CRYPTO, TOO_LONG. */
ERRFN x509_put_pem(X509 *certificate, struct buf *out_pem);
ERRFN x509_put_der(X509 *certificate, struct buf *out_der);

#endif
