#include "keyholder/sign.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/digest.h"
#include "keyholder/certificate_verify.h"

ERRFN signing_key_open(struct hsm *hsm, struct signing_key *out_key)
{
    struct signing_key key;
    TRY(hsm_key_find(hsm, HSM_ROLE_TLS, &key.key));
    TRY(hsm_public_key(key.key, &key.public_key));
    *out_key = key;
    return OK;
}

static bool verifies(EVP_PKEY *public_key, const uint8_t digest[static SHA384_BYTES],
                     struct view signature)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(public_key, NULL);
    bool good = context && EVP_PKEY_verify_init(context) == 1 &&
                EVP_PKEY_verify(context, signature.data, signature.len, digest, SHA384_BYTES) == 1;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return good;
}

ERRFN sign_certificate_verify(const struct signing_key *key, struct view content,
                              struct buf *out_signature)
{
    uint8_t digest[SHA384_BYTES];
    AUTO(buf) signature = NULL;
    TRY(certificate_verify_check(content));
    TRY(sha384(content, digest));
    TRY(buf_new(HSM_SIGNATURE_MAX_BYTES, &signature));
    TRY(hsm_sign_p384(key->key, digest, signature));
    ENSURE(verifies(key->public_key, digest, buf_view(signature)), TOKEN_FAILED);
    return buf_put(out_signature, buf_view(signature));
}
