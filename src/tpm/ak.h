/* The attestation key: what signs quotes. Only a key that a TPM made, keeps and lets sign nothing
 * but what the TPM itself says is accepted. */
#ifndef ITL_TPM_AK_H
#define ITL_TPM_AK_H

#include "base/bytes.h"
#include "tpm/key.h"

#include <openssl/types.h>

enum {
    AK_PUBLIC_MAX_BYTES = 1024, /* RSA-4096 takes 538 */
    AK_NAME_MAX_BYTES = 2 + TPM_DIGEST_MAX_BYTES
};

enum ak_key {
    AK_KEY_NONE = TPM_KEY_NONE,
    AK_KEY_RSA_2048 = TPM_KEY_RSA_2048,
    AK_KEY_RSA_3072 = TPM_KEY_RSA_3072,
    AK_KEY_RSA_4096 = TPM_KEY_RSA_4096,
    AK_KEY_P256 = TPM_KEY_P256,
    AK_KEY_P384 = TPM_KEY_P384,
    AK_KEY_P521 = TPM_KEY_P521
};

struct ak {
    EVP_PKEY *key;
    enum ak_key key_type;
    uint16_t scheme;   /* TPM_ALG_RSASSA, TPM_ALG_RSAPSS or TPM_ALG_ECDSA */
    uint16_t hash_alg; /* the scheme's: TPM_ALG_SHA256, _SHA384 or _SHA512 */
    /* nameAlg followed by the hash of TPMT_PUBLIC, TPM 2.0 Part 1 section 16. */
    uint8_t name[AK_NAME_MAX_BYTES];
    size_t name_len;
    struct buf *public_area; /* TPM2B_PUBLIC as sent */
};

/* Reads TPM2B_PUBLIC (Part 2 section 12.2.5), exactly consumed. Errors: AK_UNREADABLE;
 * AK_ATTRIBUTES unless restricted, sign, not decrypt, fixedTPM, fixedParent, sensitiveDataOrigin
 * and no reserved bit; AK_ALGORITHM unless RSA of 2048, 3072 or 4096 bits with exponent 65537, or
 * P-256, P-384, P-521 with a point on the curve, signing by RSASSA, RSAPSS or ECDSA with SHA-256,
 * SHA-384 or SHA-512, named by one of these. */
ERRFN ak_parse(struct view tpm2b_public, struct ak **out_ak);

struct view ak_name(const struct ak *ak);

/* "RSA-2048" … "P-521". */
const char *ak_key_name(enum ak_key key);

void ak_free(struct ak *ak);
AUTO_DEFINE(ak, struct ak, ak_free);

#endif
