/* Builds TPMT_PUBLIC and TPM2B_PUBLIC around OpenSSL keys, field by field, so that tests can get
 * each field wrong. */
#ifndef ITL_TESTS_TPM_AREA_H
#define ITL_TESTS_TPM_AREA_H

#include "base/bytes.h"

#include <openssl/evp.h>

enum {
    AREA_AK_ATTRIBUTES =
        0x00050072, /* restricted, sign, userWithAuth, sensitiveDataOrigin, fixedParent, fixedTPM */
    AREA_EK_ATTRIBUTES = 0x000300b2 /* restricted, decrypt, adminWithPolicy, the same three */
};

struct area_spec {
    EVP_PKEY *key;
    uint16_t name_alg;
    uint32_t attributes;
    uint16_t symmetric; /* TPM_ALG_NULL, or AES with the two below */
    uint16_t symmetric_bits;
    uint16_t symmetric_mode;
    uint16_t scheme; /* TPM_ALG_NULL or one with a hash */
    uint16_t scheme_hash;
    uint32_t exponent;
    bool odd_point; /* y is not the key's */
};

struct area_spec area_ak(EVP_PKEY *key, uint16_t scheme, uint16_t hash);
struct area_spec area_ek(EVP_PKEY *key, uint16_t name_alg, uint16_t bits);

struct buf *area_tpmt(const struct area_spec *spec);
struct buf *area_tpm2b(const struct area_spec *spec);

#endif
