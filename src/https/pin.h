/* A server's pinned identity: which certificate, or which key, and no other. */
#ifndef ITL_HTTPS_PIN_H
#define ITL_HTTPS_PIN_H

#include "base/bytes.h"
#include "crypto/digest.h"

#include <openssl/types.h>

enum pin_kind {
    PIN_NONE = 0,
    PIN_KEY,        /* SHA-256 of the SubjectPublicKeyInfo, as in RFC 7469 */
    PIN_CERTIFICATE /* SHA-256 of the certificate's DER */
};

struct pin {
    enum pin_kind kind;
    uint8_t digest[SHA256_BYTES];
};

/* Reads "sha256//BASE64" (a key), or 64 hexadecimal digits with or without colons between the bytes
 * (a certificate). Errors: FIELD_INVALID. */
ERRFN pin_parse(const char *text, struct pin *out_pin);

/* Errors: TLS_PIN when the certificate is not the pinned one, CRYPTO. */
ERRFN pin_check(const struct pin *pin, X509 *certificate);

#endif
