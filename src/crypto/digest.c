#include "crypto/digest.h"

#include <openssl/evp.h>

static ERRFN digest(struct view data, const EVP_MD *md, uint8_t *out_digest)
{
    unsigned len = 0;
    ENSURE(EVP_Digest(data.data, data.len, out_digest, &len, md, NULL) == 1, CRYPTO);
    return OK;
}

ERRFN sha256(struct view data, uint8_t out_digest[static SHA256_BYTES])
{
    return digest(data, EVP_sha256(), out_digest);
}

ERRFN sha384(struct view data, uint8_t out_digest[static SHA384_BYTES])
{
    return digest(data, EVP_sha384(), out_digest);
}

ERRFN sha512(struct view data, uint8_t out_digest[static SHA512_BYTES])
{
    return digest(data, EVP_sha512(), out_digest);
}
