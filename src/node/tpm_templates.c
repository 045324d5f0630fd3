#include "node/tpm_templates.h"

#include <string.h>

const struct ek_template ek_templates[EK_TEMPLATES_COUNT] = {
    {"H-3", TPM_KEY_P384, 0x01C00016, true, TPM2_ALG_SHA384, 256},
    {"L-2", TPM_KEY_P256, 0x01C0000A, false, TPM2_ALG_SHA256, 128},
    {"H-2", TPM_KEY_P256, 0x01C00014, true, TPM2_ALG_SHA256, 128},
    {"H-4", TPM_KEY_P521, 0x01C00018, true, TPM2_ALG_SHA512, 256},
    {"H-6", TPM_KEY_RSA_3072, 0x01C0001C, true, TPM2_ALG_SHA384, 256},
    {"H-7", TPM_KEY_RSA_4096, 0x01C0001E, true, TPM2_ALG_SHA384, 256},
    {"L-1", TPM_KEY_RSA_2048, 0x01C00002, false, TPM2_ALG_SHA256, 128},
    {"H-1", TPM_KEY_RSA_2048, 0x01C00012, true, TPM2_ALG_SHA256, 128},
};

/* Annex B.6.2: PolicySecret(TPM_RH_ENDORSEMENT). */
static const uint8_t policy_a_sha256[] = {
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
    0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};

/* Annex B.6.5: PolicyOR of policy A and PolicyAuthorizeNV, for each hash. */
static const uint8_t policy_b_sha256[] = {
    0xca, 0x3d, 0x0a, 0x99, 0xa2, 0xb9, 0x39, 0x06, 0xf7, 0xa3, 0x34, 0x24, 0x14, 0xef, 0xcf, 0xb3,
    0xa3, 0x85, 0xd4, 0x4c, 0xd1, 0xfd, 0x45, 0x90, 0x89, 0xd1, 0x9b, 0x50, 0x71, 0xc0, 0xb7, 0xa0};
static const uint8_t policy_b_sha384[] = {
    0xb2, 0x6e, 0x7d, 0x28, 0xd1, 0x1a, 0x50, 0xbc, 0x53, 0xd8, 0x82, 0xbc, 0xf5, 0xfd, 0x3a, 0x1a,
    0x07, 0x41, 0x48, 0xbb, 0x35, 0xd3, 0xb4, 0xe4, 0xcb, 0x1c, 0x0a, 0xd9, 0xbd, 0xe4, 0x19, 0xca,
    0xcb, 0x47, 0xba, 0x09, 0x69, 0x96, 0x46, 0x15, 0x0f, 0x9f, 0xc0, 0x00, 0xf3, 0xf8, 0x0e, 0x12};
static const uint8_t policy_b_sha512[] = {
    0xb8, 0x22, 0x1c, 0xa6, 0x9e, 0x85, 0x50, 0xa4, 0x91, 0x4d, 0xe3, 0xfa, 0xa6, 0xa1, 0x8c, 0x07,
    0x2c, 0xc0, 0x12, 0x08, 0x07, 0x3a, 0x92, 0x8d, 0x5d, 0x66, 0xd5, 0x9e, 0xf7, 0x9e, 0x49, 0xa4,
    0x29, 0xc4, 0x1a, 0x6b, 0x26, 0x95, 0x71, 0xd5, 0x7e, 0xdb, 0x25, 0xfb, 0xdb, 0x18, 0x38, 0x42,
    0x56, 0x08, 0xb4, 0x13, 0xcd, 0x61, 0x6a, 0x5f, 0x6d, 0xb5, 0xb6, 0x07, 0x1a, 0xf9, 0x9b, 0xea};

/* Annex B.6.3: PolicyAuthorizeNV, the other branch of policy B. */
static const uint8_t policy_c_sha256[] = {
    0x37, 0x67, 0xe2, 0xed, 0xd4, 0x3f, 0xf4, 0x5a, 0x3a, 0x7e, 0x1e, 0xae, 0xfc, 0xef, 0x78, 0x64,
    0x3d, 0xca, 0x96, 0x46, 0x32, 0xe7, 0xaa, 0xd8, 0x2c, 0x67, 0x3a, 0x30, 0xd8, 0x63, 0x3f, 0xde};
static const uint8_t policy_c_sha384[] = {
    0xd6, 0x03, 0x2c, 0xe6, 0x1f, 0x2f, 0xb3, 0xc2, 0x40, 0xeb, 0x3c, 0xf6, 0xa3, 0x32, 0x37, 0xef,
    0x2b, 0x6a, 0x16, 0xf4, 0x29, 0x3c, 0x22, 0xb4, 0x55, 0xe2, 0x61, 0xcf, 0xfd, 0x21, 0x7a, 0xd5,
    0xb4, 0x94, 0x7c, 0x2d, 0x73, 0xe6, 0x30, 0x05, 0xee, 0xd2, 0xdc, 0x2b, 0x35, 0x93, 0xd1, 0x65};
static const uint8_t policy_c_sha512[] = {
    0x58, 0x9e, 0xe1, 0xe1, 0x46, 0x54, 0x47, 0x16, 0xe8, 0xde, 0xaf, 0xe6, 0xdb, 0x24, 0x7b, 0x01,
    0xb8, 0x1e, 0x9f, 0x9c, 0x7d, 0xd1, 0x6b, 0x81, 0x4a, 0xa1, 0x59, 0x13, 0x87, 0x49, 0x10, 0x5f,
    0xba, 0x53, 0x88, 0xdd, 0x1d, 0xea, 0x70, 0x2f, 0x35, 0x24, 0x0c, 0x18, 0x49, 0x33, 0x12, 0x1e,
    0x2c, 0x61, 0xb8, 0xf5, 0x0d, 0x3e, 0xf9, 0x13, 0x93, 0xa4, 0x9a, 0x38, 0xc3, 0xf7, 0x3f, 0xc8};

static struct view ek_policy(const struct ek_template *t)
{
    if (!t->high_range) {
        return view_of(policy_a_sha256, sizeof policy_a_sha256);
    }
    switch (t->name_alg) {
    case TPM2_ALG_SHA384:
        return view_of(policy_b_sha384, sizeof policy_b_sha384);
    case TPM2_ALG_SHA512:
        return view_of(policy_b_sha512, sizeof policy_b_sha512);
    default:
        return view_of(policy_b_sha256, sizeof policy_b_sha256);
    }
}

struct view ek_template_other_branch(const struct ek_template *t)
{
    if (!t->high_range) {
        return VIEW_EMPTY;
    }
    switch (t->name_alg) {
    case TPM2_ALG_SHA384:
        return view_of(policy_c_sha384, sizeof policy_c_sha384);
    case TPM2_ALG_SHA512:
        return view_of(policy_c_sha512, sizeof policy_c_sha512);
    default:
        return view_of(policy_c_sha256, sizeof policy_c_sha256);
    }
}

static TPMI_ECC_CURVE curve_of(enum tpm_key key)
{
    switch (key) {
    case TPM_KEY_P256:
        return TPM2_ECC_NIST_P256;
    case TPM_KEY_P384:
        return TPM2_ECC_NIST_P384;
    case TPM_KEY_P521:
        return TPM2_ECC_NIST_P521;
    case TPM_KEY_NONE:
    case TPM_KEY_RSA_2048:
    case TPM_KEY_RSA_3072:
    case TPM_KEY_RSA_4096:
        break;
    }
    return TPM2_ECC_NONE;
}

static TPMI_RSA_KEY_BITS rsa_bits_of(enum tpm_key key)
{
    return key == TPM_KEY_RSA_4096 ? 4096 : key == TPM_KEY_RSA_3072 ? 3072 : 2048;
}

static void set_parameters(TPMT_PUBLIC *area, enum tpm_key key, TPMT_SYM_DEF_OBJECT symmetric)
{
    if (tpm_key_is_rsa(key)) {
        area->type = TPM2_ALG_RSA;
        area->parameters.rsaDetail =
            (TPMS_RSA_PARMS){.symmetric = symmetric, .keyBits = rsa_bits_of(key)};
        area->parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
    } else {
        area->type = TPM2_ALG_ECC;
        area->parameters.eccDetail =
            (TPMS_ECC_PARMS){.symmetric = symmetric, .curveID = curve_of(key)};
        area->parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
        area->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
    }
}

/* The low range derives from zero bytes of the key's length, the high range from nothing. */
static void set_low_range_unique(TPMT_PUBLIC *area)
{
    if (area->type == TPM2_ALG_RSA) {
        area->unique.rsa.size = 256;
    } else {
        area->unique.ecc.x.size = 32;
        area->unique.ecc.y.size = 32;
    }
}

void ek_template_public(const struct ek_template *t, TPM2B_PUBLIC *out_public)
{
    memset(out_public, 0, sizeof *out_public);
    TPMT_PUBLIC *area = &out_public->publicArea;
    area->nameAlg = t->name_alg;
    area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                             TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY |
                             TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT |
                             (t->high_range ? TPMA_OBJECT_USERWITHAUTH : 0);
    struct view policy = ek_policy(t);
    area->authPolicy.size = (UINT16)policy.len;
    memcpy(area->authPolicy.buffer, policy.data, policy.len);
    TPMT_SYM_DEF_OBJECT aes = {.algorithm = TPM2_ALG_AES, .mode.aes = TPM2_ALG_CFB};
    aes.keyBits.aes = t->symmetric_bits;
    set_parameters(area, t->key, aes);
    if (!t->high_range) {
        set_low_range_unique(area);
    }
}

void ak_template_public(enum ak_kind kind, TPM2B_PUBLIC *out_public)
{
    memset(out_public, 0, sizeof *out_public);
    TPMT_PUBLIC *area = &out_public->publicArea;
    TPMI_ALG_HASH hash = kind == AK_KIND_P384 ? TPM2_ALG_SHA384 : TPM2_ALG_SHA256;
    area->nameAlg = hash;
    area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                             TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                             TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
    TPMT_SYM_DEF_OBJECT none = {.algorithm = TPM2_ALG_NULL};
    if (kind == AK_KIND_RSA_2048) {
        set_parameters(area, TPM_KEY_RSA_2048, none);
        area->parameters.rsaDetail.scheme.scheme = TPM2_ALG_RSASSA;
        area->parameters.rsaDetail.scheme.details.rsassa.hashAlg = hash;
    } else {
        set_parameters(area, kind == AK_KIND_P384 ? TPM_KEY_P384 : TPM_KEY_P256, none);
        area->parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
        area->parameters.eccDetail.scheme.details.ecdsa.hashAlg = hash;
    }
}

const char *ak_kind_name(enum ak_kind kind)
{
    switch (kind) {
    case AK_KIND_P384:
        return "P-384";
    case AK_KIND_P256:
        return "P-256";
    case AK_KIND_RSA_2048:
        return "RSA-2048";
    case AK_KIND_NONE:
        break;
    }
    return "none";
}

void storage_template_public(bool ecc, TPM2B_PUBLIC *out_public)
{
    memset(out_public, 0, sizeof *out_public);
    TPMT_PUBLIC *area = &out_public->publicArea;
    area->nameAlg = TPM2_ALG_SHA256;
    area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                             TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                             TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
    TPMT_SYM_DEF_OBJECT aes = {.algorithm = TPM2_ALG_AES, .mode.aes = TPM2_ALG_CFB};
    aes.keyBits.aes = 128;
    set_parameters(area, ecc ? TPM_KEY_P256 : TPM_KEY_RSA_2048, aes);
}
