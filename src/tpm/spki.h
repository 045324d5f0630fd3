/* Public keys as SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7, RFC 3279, RFC 5480), and how a key
 * gets into an EVP_PKEY. */
#ifndef ITL_TPM_SPKI_H
#define ITL_TPM_SPKI_H

#include "tpm/key.h"

#include <openssl/evp.h>

enum {
    SPKI_MAX_BYTES = 1024,      /* RSA-4096 takes 550 */
    SPKI_EXPONENT_MAX_BYTES = 4 /* a TPM holds it in 32 bits */
};

AUTO_DEFINE(pkey, EVP_PKEY, EVP_PKEY_free);

/* A key from SubjectPublicKeyInfo DER, which must be consumed exactly. RSA under rsaEncryption or,
 * as some vendors write it, id-RSAES-OAEP (*out_oaep is then set); EC on a curve that is named or,
 * against RFC 5480, spelled out. Errors: EK_UNREADABLE for bytes that are no such structure,
 * EK_KEY_UNSUPPORTED for a type, size or exponent that is not accepted or a point that is not on
 * its curve. */
ERRFN spki_parse(struct view der, EVP_PKEY **out_key, bool *out_oaep);

/* A key from RSAPublicKey (PKCS#1, RFC 8017 appendix A.1.1), which some tools write in its place.
 * The same errors. */
ERRFN spki_parse_pkcs1(struct view der, EVP_PKEY **out_key);

/* As spki_parse, from the structure inside a certificate. */
ERRFN spki_from_x509(const X509 *certificate, EVP_PKEY **out_key, bool *out_oaep);

/* A key from modulus and exponent or from affine coordinates, all big-endian; coordinates may lack
 * leading zeros. The exponent is odd and at least 3. Errors: EK_KEY_UNSUPPORTED, CRYPTO. */
ERRFN spki_key_from_rsa(struct view modulus, struct view exponent, EVP_PKEY **out_key);
ERRFN spki_key_from_point(enum tpm_key curve, struct view x, struct view y, EVP_PKEY **out_key);

/* The one DER encoding of a key: rsaEncryption with NULL parameters, or named curve with an
 * uncompressed point. Machine identity is a hash of exactly these bytes. Errors:
 * EK_KEY_UNSUPPORTED, CRYPTO, NO_MEMORY. */
ERRFN spki_encode(const EVP_PKEY *key, struct buf **out_der);

/* What kind of key it is. Errors: EK_KEY_UNSUPPORTED. */
ERRFN spki_key_type(const EVP_PKEY *key, enum tpm_key *out_type);

/* A number of the key by OpenSSL's parameter name, big-endian and padded to `width` bytes.
 * Errors: CRYPTO. */
ERRFN spki_key_number(const EVP_PKEY *key, const char *name, uint8_t *out_bytes, size_t width);

/* OpenSSL's group name of a curve, NULL for RSA. */
const char *spki_group_name(enum tpm_key curve);

#endif
