/* TPM2B_PUBLIC and TPMT_PUBLIC (TPM 2.0 Part 2 section 12.2) of RSA and ECC keys. */
#ifndef ITL_TPM_PUBLIC_H
#define ITL_TPM_PUBLIC_H

#include "tpm/key.h"

enum { PUBLIC_MAX_BYTES = 1024 };

/* TPMA_OBJECT bits, Part 2 section 8.3. */
enum tpm_object_attribute {
    TPM_OBJECT_FIXED_TPM = 1U << 1,
    TPM_OBJECT_ST_CLEAR = 1U << 2,
    TPM_OBJECT_FIXED_PARENT = 1U << 4,
    TPM_OBJECT_SENSITIVE_DATA_ORIGIN = 1U << 5,
    TPM_OBJECT_USER_WITH_AUTH = 1U << 6,
    TPM_OBJECT_ADMIN_WITH_POLICY = 1U << 7,
    TPM_OBJECT_FIRMWARE_LIMITED = 1U << 8,
    TPM_OBJECT_SVN_LIMITED = 1U << 9,
    TPM_OBJECT_NO_DA = 1U << 10,
    TPM_OBJECT_ENCRYPTED_DUPLICATION = 1U << 11,
    TPM_OBJECT_RESTRICTED = 1U << 16,
    TPM_OBJECT_DECRYPT = 1U << 17,
    TPM_OBJECT_SIGN_ENCRYPT = 1U << 18,
    TPM_OBJECT_X509_SIGN = 1U << 19
};

/* The fields as the TPM wrote them. Algorithms are TPM_ALG_ID, TPM_ALG_NULL where the structure
 * says null. Views point into the bytes parsed. */
struct tpm_public {
    struct view area; /* TPMT_PUBLIC: what the name is a hash of */
    uint16_t type;    /* TPM_ALG_RSA or TPM_ALG_ECC */
    uint16_t name_alg;
    uint32_t attributes;
    struct view auth_policy;
    uint16_t symmetric_alg;
    uint16_t symmetric_bits;
    uint16_t symmetric_mode;
    uint16_t scheme;
    uint16_t scheme_hash;
    uint16_t rsa_bits;
    uint32_t rsa_exponent; /* 0 means 65537, as in the structure */
    struct view rsa_modulus;
    uint16_t curve;
    struct view x;
    struct view y;
};

/* Reads TPM2B_PUBLIC or, when its size does not fit, TPMT_PUBLIC; exactly consumed. Errors:
 * `unreadable` for anything that is not such a structure, including key types other than RSA and
 * ECC. */
ERRFN public_parse(struct view sent, err_t unreadable, struct tpm_public *out_public);

/* The key in it. Errors: EK_KEY_UNSUPPORTED. */
ERRFN public_key(const struct tpm_public *pub, EVP_PKEY **out_key, enum tpm_key *out_type);

#endif
