/* How an operator signs a request that grants something, and how that is checked: HTTP Message
 * Signatures (RFC 9421) in one fixed shape, over a Content-Digest (RFC 9530). The command line
 * signs with this text, the signer verifies with it.
 *
 *   Content-Digest: sha-512=:<base64 of SHA-512 over the body>:
 *   Signature-Input: itl=("@method" "@path" "@query"
 * "content-digest");created=<unix>;expires=<unix>;nonce="<base64url, 16 bytes>" ;keyid="<hex
 * SHA-256 of the key's SubjectPublicKeyInfo>";alg="ecdsa-p384-sha384"           (one line, no
 * blanks between) Signature: itl=:<base64 of r || s, 96 bytes>:
 *
 * Nothing else is accepted: other labels, components, orders, parameters or spellings are
 * SIGNATURE_INVALID. What this folder does not decide is whether now lies between created and
 * expires, whether the nonce is fresh and whether the key may do this. */
#ifndef ITL_API_SIGNATURE_BASE_H
#define ITL_API_SIGNATURE_BASE_H

#include "base/bytes.h"
#include "base/text.h"
#include "crypto/digest.h"

#include <openssl/types.h>

enum {
    SIGNATURE_BYTES = 96, /* r and s of P-384, 48 bytes each, big-endian */
    SIGNATURE_NONCE_BYTES = 16,
    SIGNATURE_NONCE_CHARS = 22, /* the same in base64url */
    SIGNATURE_KEYID_BYTES = SHA256_BYTES,
    SIGNATURE_KEYID_CHARS = 2 * SIGNATURE_KEYID_BYTES,
    SIGNATURE_LIFETIME_S =
        60, /* expires - created as the command line makes it, and the most that is accepted */
    SIGNATURE_HEADER_MAX_BYTES =
        512, /* Signature-Input takes 279, Content-Digest 98, Signature 134 */
    SIGNATURE_TARGET_MAX_BYTES = 512,
    SIGNATURE_BASE_MAX_BYTES = 2048
};

/* The parameters of a signature. Views point into the header parsed. */
struct signature_params {
    uint64_t created;  /* seconds since 1970 */
    uint64_t expires;  /* created < expires <= created + SIGNATURE_LIFETIME_S */
    struct view nonce; /* SIGNATURE_NONCE_CHARS of base64url */
    struct view keyid; /* SIGNATURE_KEYID_CHARS of lower-case hexadecimal */
    struct view
        text; /* everything after "itl=": what stands behind "@signature-params" in the base */
};

/* The parts of a request that are signed, as they stand on the request line and in its header. */
struct signature_request {
    struct view method; /* "POST" */
    struct view target; /* path, and "?" and query where there is one; not decoded, no fragment */
    struct view content_digest; /* the header's value */
};

/* Appends a Content-Digest value for the body. */
ERRFN content_digest_put(struct view body, struct buf *out_header);

/* Errors: SIGNATURE_MISSING when the header is empty, SIGNATURE_INVALID unless it is of the shape
 * above and of this body. */
ERRFN content_digest_check(struct view header, struct view body);

/* Appends a Signature-Input value, valid for SIGNATURE_LIFETIME_S from `created` (seconds since
 * 1970). */
ERRFN signature_input_put(uint64_t created, const uint8_t nonce[static SIGNATURE_NONCE_BYTES],
                          const uint8_t keyid[static SIGNATURE_KEYID_BYTES],
                          struct buf *out_header);

/* Reads a Signature-Input value. Errors: SIGNATURE_MISSING when it is empty, SIGNATURE_INVALID. */
ERRFN signature_input_parse(struct view header, struct signature_params *out_params);

/* Appends the signature base (RFC 9421 section 2.5): the bytes that are signed. Errors:
 * SIGNATURE_INVALID when method or target is not what a request line may hold, TOO_LONG. */
ERRFN signature_base_put(const struct signature_request *request,
                         const struct signature_params *params, struct buf *out_base);

/* Appends a Signature value; reads one. Errors of the latter: SIGNATURE_MISSING when it is empty,
 * SIGNATURE_INVALID. */
ERRFN signature_header_put(const uint8_t signature[static SIGNATURE_BYTES], struct buf *out_header);
ERRFN signature_header_parse(struct view header, uint8_t out_signature[static SIGNATURE_BYTES]);

/* SHA-256 of the key's SubjectPublicKeyInfo DER. Errors: CRYPTO. */
ERRFN signature_keyid(EVP_PKEY *key, uint8_t out_keyid[static SIGNATURE_KEYID_BYTES]);

/* ECDSA with SHA-384 over the base by a P-384 private key. Errors: FIELD_INVALID for another kind
 * of key, CRYPTO. */
ERRFN signature_make(EVP_PKEY *key, struct view base,
                     uint8_t out_signature[static SIGNATURE_BYTES]);

/* Errors: SIGNATURE_INVALID when it does not verify or the key is not P-384. */
ERRFN signature_check(EVP_PKEY *key, struct view base,
                      const uint8_t signature[static SIGNATURE_BYTES]);

#endif
