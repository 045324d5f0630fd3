#include "hsm/role.h"

#define P384_KEY(label_)                                                              \
    {                                                                                 \
        .label = label_, .class = CKO_PRIVATE_KEY, .type = CKK_EC, .usage = CKA_SIGN, \
        .use = {CKM_ECDSA, CKF_SIGN, P384_BITS},                                      \
        .generate = {CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR, P384_BITS},          \
    }

static const struct role_shape shapes[HSM_ROLE_COUNT] = {
    [HSM_ROLE_ENROLLMENT_CA] = P384_KEY("itl-enrollment-ca"),
    [HSM_ROLE_AUDIT] = P384_KEY("itl-audit"),
    [HSM_ROLE_TLS] = P384_KEY("itl-tls"),
    [HSM_ROLE_VAULT] =
        {
            .label = "itl-vault",
            .class = CKO_SECRET_KEY,
            .type = CKK_AES,
            .usage = CKA_ENCRYPT, /* key derivation runs the block cipher forward only */
            .use = {CKM_AES_ECB, CKF_ENCRYPT, AES256_BYTES},
            .generate = {CKM_AES_KEY_GEN, CKF_GENERATE, AES256_BYTES},
        },
};

const struct role_shape *role_shape(enum hsm_role role)
{
    if (role <= HSM_ROLE_NONE || role >= HSM_ROLE_COUNT) {
        return NULL;
    }
    return &shapes[role];
}

const char *hsm_role_label(enum hsm_role role)
{
    const struct role_shape *shape = role_shape(role);
    return shape ? shape->label : "";
}

struct view role_p384_params(void)
{
    static const uint8_t secp384r1[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
    return view_of(secp384r1, sizeof secp384r1);
}
