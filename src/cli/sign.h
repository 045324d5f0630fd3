/* The headers that make a request an operator's own (api/signature_base.h). */
#ifndef ITL_CLI_SIGN_H
#define ITL_CLI_SIGN_H

#include "base/bytes.h"

#include <openssl/types.h>

/* "Name: value", each NUL-terminated. */
struct signed_headers {
    struct buf *digest;
    struct buf *input;
    struct buf *signature;
};
void signed_headers_clear(struct signed_headers *headers);

/* Signs now, for SIGNATURE_LIFETIME_S, with a nonce of its own. Fills in *headers, which the caller
 * clears whatever comes back. Errors: FIELD_INVALID when the key is not P-384, CRYPTO. */
ERRFN signed_headers_make(EVP_PKEY *key, const char *method, const char *target, struct view body,
                          struct signed_headers *headers);

#endif
