#include "tpm/event_bank.h"

#include <openssl/evp.h>

const struct event_bank event_banks[EVENT_BANK_COUNT] = {
    {TPM_ALG_SHA1, 20, "sha1", EVP_sha1},
    {TPM_ALG_SHA256, 32, "sha256", EVP_sha256},
    {TPM_ALG_SHA384, 48, "sha384", EVP_sha384},
    {TPM_ALG_SHA512, 64, "sha512", EVP_sha512},
    {TPM_ALG_SM3_256, 32, "sm3_256", EVP_sm3},
    {TPM_ALG_SHA3_256, 32, "sha3_256", EVP_sha3_256},
    {TPM_ALG_SHA3_384, 48, "sha3_384", EVP_sha3_384},
    {TPM_ALG_SHA3_512, 64, "sha3_512", EVP_sha3_512},
};

const struct event_bank *event_bank_of(uint16_t alg)
{
    for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
        if (event_banks[i].alg == alg) {
            return &event_banks[i];
        }
    }
    return NULL;
}

uint32_t event_bank_bit(uint16_t alg)
{
    const struct event_bank *bank = event_bank_of(alg);
    return bank ? 1U << (bank - event_banks) : 0;
}
