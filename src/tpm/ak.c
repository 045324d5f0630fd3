#include "tpm/ak.h"

#include "tpm/public.h"
#include "tpm/spki.h"

#include <openssl/err.h>
#include <stdlib.h>

_Static_assert((int)AK_PUBLIC_MAX_BYTES <= (int)PUBLIC_MAX_BYTES, "public_parse takes every AK");

static const uint32_t required = TPM_OBJECT_RESTRICTED | TPM_OBJECT_SIGN_ENCRYPT |
                                 TPM_OBJECT_FIXED_TPM | TPM_OBJECT_FIXED_PARENT |
                                 TPM_OBJECT_SENSITIVE_DATA_ORIGIN;

/* What an AK may have besides; everything else is forbidden (decrypt), contradicts fixedTPM
 * (encryptedDuplication) or is reserved. */
static const uint32_t allowed = TPM_OBJECT_ST_CLEAR | TPM_OBJECT_USER_WITH_AUTH |
                                TPM_OBJECT_ADMIN_WITH_POLICY | TPM_OBJECT_FIRMWARE_LIMITED |
                                TPM_OBJECT_SVN_LIMITED | TPM_OBJECT_NO_DA | TPM_OBJECT_X509_SIGN;

static ERRFN check_attributes(uint32_t attributes)
{
    ENSURE((attributes & required) == required, AK_ATTRIBUTES);
    ENSURE((attributes & ~(required | allowed)) == 0, AK_ATTRIBUTES);
    return OK;
}

static ERRFN check_algorithms(const struct tpm_public *pub)
{
    bool rsa = pub->type == TPM_ALG_RSA;
    bool rsa_scheme = pub->scheme == TPM_ALG_RSASSA || pub->scheme == TPM_ALG_RSAPSS;
    ENSURE(rsa ? rsa_scheme : pub->scheme == TPM_ALG_ECDSA, AK_ALGORITHM);
    ENSURE(tpm_hash_md(pub->scheme_hash) && tpm_hash_md(pub->name_alg), AK_ALGORITHM);
    ENSURE(pub->symmetric_alg == TPM_ALG_NULL, AK_ALGORITHM);
    ENSURE(!rsa || pub->rsa_exponent == 0 || pub->rsa_exponent == 65537, AK_ALGORITHM);
    return OK;
}

/* TPM 2.0 Part 1 section 16: the name is nameAlg and the hash of TPMT_PUBLIC. */
static ERRFN set_name(struct ak *ak, const struct tpm_public *pub)
{
    size_t digest_len;
    TRY(tpm_hash(pub->name_alg, pub->area, ak->name + 2, &digest_len));
    ak->name[0] = (uint8_t)(pub->name_alg >> 8);
    ak->name[1] = (uint8_t)pub->name_alg;
    ak->name_len = 2 + digest_len;
    return OK;
}

static ERRFN parse(struct view sent, struct ak **out_ak)
{
    ENSURE(sent.len > 2 && sent.len <= AK_PUBLIC_MAX_BYTES, AK_UNREADABLE);
    ENSURE((size_t)(sent.data[0] << 8 | sent.data[1]) == sent.len - 2, AK_UNREADABLE);
    struct tpm_public pub;
    TRY(public_parse(sent, E(AK_UNREADABLE), &pub));
    TRY(check_attributes(pub.attributes));
    TRY(check_algorithms(&pub));

    AUTO(ak) ak = calloc(1, sizeof *ak);
    ENSURE(ak, NO_MEMORY);
    enum tpm_key type;
    err_t read = public_key(&pub, &ak->key, &type);
    ENSURE(!IS_E(read, EK_KEY_UNSUPPORTED), AK_ALGORITHM);
    TRY(read);
    ak->key_type = (enum ak_key)type;
    ak->scheme = pub.scheme;
    ak->hash_alg = pub.scheme_hash;
    TRY(set_name(ak, &pub));
    TRY(buf_copy(sent, &ak->public_area));
    *out_ak = STEAL(ak);
    return OK;
}

ERRFN ak_parse(struct view tpm2b_public, struct ak **out_ak)
{
    ERR_set_mark();
    err_t parsed = parse(tpm2b_public, out_ak);
    ERR_pop_to_mark();
    return parsed;
}

struct view ak_name(const struct ak *ak)
{
    return view_of(ak->name, ak->name_len);
}

const char *ak_key_name(enum ak_key key)
{
    return tpm_key_name((enum tpm_key)key);
}

void ak_free(struct ak *ak)
{
    if (!ak) {
        return;
    }
    EVP_PKEY_free(ak->key);
    buf_free(ak->public_area);
    free(ak);
}
