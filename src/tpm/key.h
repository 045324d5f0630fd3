/* Public keys as a TPM shows them, and the algorithm identifiers of the TCG registry that this
 * folder reads. */
#ifndef ITL_TPM_KEY_H
#define ITL_TPM_KEY_H

#include "base/bytes.h"

#include <openssl/types.h>

/* TPM_ALG_ID, TCG Algorithm Registry section 6. */
enum tpm_alg {
    TPM_ALG_NONE = 0x0000,
    TPM_ALG_RSA = 0x0001,
    TPM_ALG_SHA1 = 0x0004,
    TPM_ALG_HMAC = 0x0005,
    TPM_ALG_AES = 0x0006,
    TPM_ALG_SHA256 = 0x000B,
    TPM_ALG_SHA384 = 0x000C,
    TPM_ALG_SHA512 = 0x000D,
    TPM_ALG_NULL = 0x0010,
    TPM_ALG_RSASSA = 0x0014,
    TPM_ALG_RSAPSS = 0x0016,
    TPM_ALG_ECDSA = 0x0018,
    TPM_ALG_ECDAA = 0x001A,
    TPM_ALG_SM2 = 0x001B,
    TPM_ALG_ECSCHNORR = 0x001C,
    TPM_ALG_ECC = 0x0023,
    TPM_ALG_CFB = 0x0043
};

/* Every key type this appliance works with; EK and AK use the same values under their own names. */
enum tpm_key {
    TPM_KEY_NONE = 0,
    TPM_KEY_RSA_2048,
    TPM_KEY_RSA_3072,
    TPM_KEY_RSA_4096,
    TPM_KEY_P256,
    TPM_KEY_P384,
    TPM_KEY_P521
};

enum { TPM_DIGEST_MAX_BYTES = 64, TPM_ECC_MAX_BYTES = 66, TPM_RSA_MAX_BYTES = 512 };

/* Bytes of a digest of this TPM_ALG_ID (SHA-1, SHA-256, SHA-384, SHA-512), 0 for anything else. */
size_t tpm_hash_size(uint16_t alg);

/* OpenSSL's hash for a TPM_ALG_ID we sign, name or derive with: SHA-256, SHA-384, SHA-512; NULL for
 * anything else, SHA-1 included. */
const EVP_MD *tpm_hash_md(uint16_t alg);

/* Hashes with one of those three. out_digest has TPM_DIGEST_MAX_BYTES. Errors: BUG for another
 * algorithm, CRYPTO. */
ERRFN tpm_hash(uint16_t alg, struct view data, uint8_t *out_digest, size_t *out_len);

/* "RSA-2048" … "P-521", "none". */
const char *tpm_key_name(enum tpm_key key);

bool tpm_key_is_rsa(enum tpm_key key);

/* Bytes of one coordinate for the curves, 0 for RSA. */
size_t tpm_key_ecc_bytes(enum tpm_key key);

#endif
