#include "tpm/key.h"

#include <openssl/evp.h>

size_t tpm_hash_size(uint16_t alg)
{
    switch (alg) {
    case TPM_ALG_SHA1:
        return 20;
    case TPM_ALG_SHA256:
        return 32;
    case TPM_ALG_SHA384:
        return 48;
    case TPM_ALG_SHA512:
        return 64;
    }
    return 0;
}

const EVP_MD *tpm_hash_md(uint16_t alg)
{
    switch (alg) {
    case TPM_ALG_SHA256:
        return EVP_sha256();
    case TPM_ALG_SHA384:
        return EVP_sha384();
    case TPM_ALG_SHA512:
        return EVP_sha512();
    }
    return NULL;
}

ERRFN tpm_hash(uint16_t alg, struct view data, uint8_t *out_digest, size_t *out_len)
{
    const EVP_MD *md = tpm_hash_md(alg);
    ENSURE(md, BUG);
    unsigned len = 0;
    ENSURE(EVP_Digest(data.data, data.len, out_digest, &len, md, NULL) == 1, CRYPTO);
    *out_len = len;
    return OK;
}

const char *tpm_key_name(enum tpm_key key)
{
    switch (key) {
    case TPM_KEY_NONE:
        return "none";
    case TPM_KEY_RSA_2048:
        return "RSA-2048";
    case TPM_KEY_RSA_3072:
        return "RSA-3072";
    case TPM_KEY_RSA_4096:
        return "RSA-4096";
    case TPM_KEY_P256:
        return "P-256";
    case TPM_KEY_P384:
        return "P-384";
    case TPM_KEY_P521:
        return "P-521";
    }
    return "none";
}

bool tpm_key_is_rsa(enum tpm_key key)
{
    return key == TPM_KEY_RSA_2048 || key == TPM_KEY_RSA_3072 || key == TPM_KEY_RSA_4096;
}

size_t tpm_key_ecc_bytes(enum tpm_key key)
{
    switch (key) {
    case TPM_KEY_P256:
        return 32;
    case TPM_KEY_P384:
        return 48;
    case TPM_KEY_P521:
        return 66;
    case TPM_KEY_NONE:
    case TPM_KEY_RSA_2048:
    case TPM_KEY_RSA_3072:
    case TPM_KEY_RSA_4096:
        return 0;
    }
    return 0;
}
