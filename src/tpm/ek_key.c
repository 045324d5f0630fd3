#include "tpm/ek_read.h"

#include "tpm/der.h"
#include "tpm/ek_container.h"
#include "tpm/pem.h"
#include "tpm/public.h"
#include "tpm/spki.h"

#include <openssl/err.h>

static const uint32_t required_attributes = TPM_OBJECT_RESTRICTED | TPM_OBJECT_DECRYPT |
                                            TPM_OBJECT_FIXED_TPM | TPM_OBJECT_FIXED_PARENT |
                                            TPM_OBJECT_SENSITIVE_DATA_ORIGIN;

/* TCG EK Credential Profile 2.5 annex B: the templates EKs are made from. */
static void set_template(struct ek *ek)
{
    switch (ek->key_type) {
    case EK_KEY_NONE:
    case EK_KEY_RSA_2048:
    case EK_KEY_P256:
        ek->name_alg = TPM_ALG_SHA256;
        ek->symmetric_bits = 128;
        return;
    case EK_KEY_RSA_3072:
    case EK_KEY_RSA_4096:
    case EK_KEY_P384:
        ek->name_alg = TPM_ALG_SHA384;
        ek->symmetric_bits = 256;
        return;
    case EK_KEY_P521:
        ek->name_alg = TPM_ALG_SHA512;
        ek->symmetric_bits = 256;
        return;
    }
}

static ERRFN check_template(const struct tpm_public *pub)
{
    uint32_t attributes = pub->attributes;
    ENSURE((attributes & required_attributes) == required_attributes, EK_TEMPLATE);
    ENSURE(!(attributes & TPM_OBJECT_SIGN_ENCRYPT), EK_TEMPLATE);
    ENSURE(tpm_hash_md(pub->name_alg), EK_TEMPLATE);
    ENSURE(pub->scheme == TPM_ALG_NULL, EK_TEMPLATE);
    ENSURE(pub->symmetric_alg == TPM_ALG_AES && pub->symmetric_mode == TPM_ALG_CFB, EK_TEMPLATE);
    ENSURE(pub->symmetric_bits == 128 || pub->symmetric_bits == 256, EK_TEMPLATE);
    return OK;
}

static void take_algorithms(struct ek *ek, const struct tpm_public *pub)
{
    ek->name_alg = pub->name_alg;
    ek->symmetric_bits = pub->symmetric_bits;
    ek->public_area_known = true;
}

ERRFN ek_key_finish(struct ek *ek)
{
    enum tpm_key type;
    TRY(spki_key_type(ek->key, &type));
    ek->key_type = (enum ek_key)type;
    set_template(ek);
    TRY(spki_encode(ek->key, &ek->spki));
    TRY(sha384(buf_view(ek->spki), ek->spki_sha384));
    return sha256(buf_view(ek->spki), ek->spki_sha256);
}

static ERRFN read_spki(struct ek *ek, struct view der)
{
    bool oaep = false;
    err_t parsed = spki_parse(der, &ek->key, &oaep);
    TRY(IS_E(parsed, EK_UNREADABLE) ? spki_parse_pkcs1(der, &ek->key) : parsed);
    if (oaep) {
        ek->quirks |= EK_QUIRK_RSAES_OAEP;
    }
    return ek_key_finish(ek);
}

static ERRFN read_public_area(struct ek *ek, struct view sent)
{
    struct tpm_public pub;
    TRY(public_parse(sent, E(EK_UNREADABLE), &pub));
    TRY(check_template(&pub));
    enum tpm_key type;
    TRY(public_key(&pub, &ek->key, &type));
    TRY(ek_key_finish(ek));
    take_algorithms(ek, &pub);
    return OK;
}

ERRFN ek_key_read(struct ek *ek, struct view sent)
{
    if (pem_is(sent)) {
        AUTO(buf) der = NULL;
        TRY(ek_container_pem(sent, PEM_PUBLIC_KEY, PEM_RSA_PUBLIC_KEY, &der));
        return read_spki(ek, buf_view(der));
    }
    return sent.data[0] == DER_SEQUENCE ? read_spki(ek, sent) : read_public_area(ek, sent);
}

static ERRFN set_public_area(struct ek *ek, struct view sent)
{
    struct tpm_public pub;
    TRY(public_parse(sent, E(EK_UNREADABLE), &pub));
    AUTO(pkey) key = NULL;
    enum tpm_key type;
    TRY(public_key(&pub, &key, &type));
    ENSURE(EVP_PKEY_eq(key, ek->key) == 1, EK_MISMATCH);
    TRY(check_template(&pub));
    take_algorithms(ek, &pub);
    return OK;
}

ERRFN ek_set_public_area(struct ek *ek, struct view tpm2b_public)
{
    ERR_set_mark();
    err_t set = set_public_area(ek, tpm2b_public);
    ERR_pop_to_mark();
    return set;
}
