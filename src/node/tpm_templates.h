/* The key templates the agent works with, as data: endorsement keys of the TCG EK Credential
 * Profile for TPM 2.0 (version 2.6, annex B), the attestation keys this product accepts, and the
 * storage key they live under. */
#ifndef ITL_NODE_TPM_TEMPLATES_H
#define ITL_NODE_TPM_TEMPLATES_H

#include "node/tpm_device.h"
#include "tpm/key.h"

struct ek_template {
    const char *name; /* the profile's: "L-1", "H-3", … */
    enum tpm_key key;
    TPM2_HANDLE certificate_index; /* NV index of the certificate */
    bool high_range; /* usable with the empty password too, but not when the TPM is in lockout; the
                        low ones need PolicySecret(endorsement) */
    TPMI_ALG_HASH name_alg;
    TPMI_AES_KEY_BITS symmetric_bits;
};

/* In the order in which "auto" prefers them: the strongest curve first, then RSA. */
enum { EK_TEMPLATES_COUNT = 8 };
extern const struct ek_template ek_templates[EK_TEMPLATES_COUNT];

void ek_template_public(const struct ek_template *t, TPM2B_PUBLIC *out_public);

/* What else than PolicySecret(endorsement) the key's policy takes: the other digest of its
 * PolicyOR; empty where the policy is PolicySecret alone. */
struct view ek_template_other_branch(const struct ek_template *t);

enum ak_kind { AK_KIND_NONE = 0, AK_KIND_P384, AK_KIND_P256, AK_KIND_RSA_2048 };

/* A restricted signing key: ECDSA P-384 with SHA-384, ECDSA P-256 with SHA-256, RSASSA 2048 with
 * SHA-256. */
void ak_template_public(enum ak_kind kind, TPM2B_PUBLIC *out_public);

/* "P-384" … */
const char *ak_kind_name(enum ak_kind kind);

/* The parent of attestation keys: a storage key with P-256 or, where a TPM lacks that, RSA-2048. */
void storage_template_public(bool ecc, TPM2B_PUBLIC *out_public);

#endif
