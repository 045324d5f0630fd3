/* Hashes, over OpenSSL. */
#ifndef ITL_CRYPTO_DIGEST_H
#define ITL_CRYPTO_DIGEST_H

#include "base/bytes.h"

enum { SHA256_BYTES = 32, SHA384_BYTES = 48, SHA512_BYTES = 64, DIGEST_MAX_BYTES = 64 };

/* One-shot FIPS 180-4 hashes. Errors: CRYPTO. */
ERRFN sha256(struct view data, uint8_t out_digest[static SHA256_BYTES]);
ERRFN sha384(struct view data, uint8_t out_digest[static SHA384_BYTES]);
ERRFN sha512(struct view data, uint8_t out_digest[static SHA512_BYTES]);

#endif
