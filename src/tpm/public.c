#include "tpm/public.h"

#include "tpm/spki.h"

/* TPM_ECC_CURVE, TCG Algorithm Registry section 6.4. */
enum { CURVE_NIST_P256 = 0x0003, CURVE_NIST_P384 = 0x0004, CURVE_NIST_P521 = 0x0005 };

/* Schemes and symmetric ciphers that are read only to be refused by those who use the structure. */
enum {
    ALG_RSAES = 0x0015,
    ALG_OAEP = 0x0017,
    ALG_ECDH = 0x0019,
    ALG_ECMQV = 0x001D,
    ALG_TDES = 0x0003,
    ALG_SM4 = 0x0013,
    ALG_CAMELLIA = 0x0026
};

static ERRFN get_sized(struct view *v, size_t max, struct view *out_bytes, err_t unreadable)
{
    uint16_t len;
    TRY(view_get_u16(v, &len, unreadable));
    if (len > max) {
        return unreadable;
    }
    return view_get_bytes(v, len, out_bytes, unreadable);
}

/* TPMT_SYM_DEF_OBJECT, Part 2 section 11.1.7. */
static ERRFN get_symmetric(struct view *v, struct tpm_public *p, err_t unreadable)
{
    TRY(view_get_u16(v, &p->symmetric_alg, unreadable));
    switch (p->symmetric_alg) {
    case TPM_ALG_NULL:
        return OK;
    case TPM_ALG_AES:
    case ALG_TDES:
    case ALG_SM4:
    case ALG_CAMELLIA:
        TRY(view_get_u16(v, &p->symmetric_bits, unreadable));
        return view_get_u16(v, &p->symmetric_mode, unreadable);
    }
    return unreadable;
}

/* TPMT_RSA_SCHEME and TPMT_ECC_SCHEME, Part 2 sections 11.2.4.2 and 11.2.5.6. */
static ERRFN get_scheme(struct view *v, struct tpm_public *p, err_t unreadable)
{
    TRY(view_get_u16(v, &p->scheme, unreadable));
    p->scheme_hash = TPM_ALG_NULL;
    switch (p->scheme) {
    case TPM_ALG_NULL:
    case ALG_RSAES:
        return OK;
    case TPM_ALG_RSASSA:
    case TPM_ALG_RSAPSS:
    case TPM_ALG_ECDSA:
    case ALG_OAEP:
    case ALG_ECDH:
    case TPM_ALG_SM2:
    case TPM_ALG_ECSCHNORR:
    case ALG_ECMQV:
        return view_get_u16(v, &p->scheme_hash, unreadable);
    case TPM_ALG_ECDAA: {
        uint16_t count;
        TRY(view_get_u16(v, &p->scheme_hash, unreadable));
        return view_get_u16(v, &count, unreadable);
    }
    }
    return unreadable;
}

/* TPMS_RSA_PARMS, Part 2 section 12.2.3.5, and the modulus. */
static ERRFN get_rsa(struct view *v, struct tpm_public *p, err_t unreadable)
{
    TRY(get_symmetric(v, p, unreadable));
    TRY(get_scheme(v, p, unreadable));
    TRY(view_get_u16(v, &p->rsa_bits, unreadable));
    TRY(view_get_u32(v, &p->rsa_exponent, unreadable));
    return get_sized(v, TPM_RSA_MAX_BYTES, &p->rsa_modulus, unreadable);
}

/* TPMS_ECC_PARMS, Part 2 section 12.2.3.6, and the point. */
static ERRFN get_ecc(struct view *v, struct tpm_public *p, err_t unreadable)
{
    TRY(get_symmetric(v, p, unreadable));
    TRY(get_scheme(v, p, unreadable));
    TRY(view_get_u16(v, &p->curve, unreadable));
    uint16_t kdf;
    TRY(view_get_u16(v, &kdf, unreadable));
    if (kdf != TPM_ALG_NULL) {
        uint16_t kdf_hash;
        TRY(view_get_u16(v, &kdf_hash, unreadable));
    }
    TRY(get_sized(v, TPM_ECC_MAX_BYTES, &p->x, unreadable));
    return get_sized(v, TPM_ECC_MAX_BYTES, &p->y, unreadable);
}

ERRFN public_parse(struct view sent, err_t unreadable, struct tpm_public *out_public)
{
    if (sent.len > PUBLIC_MAX_BYTES) {
        return unreadable;
    }
    struct view v = sent;
    uint16_t first;
    TRY(view_get_u16(&v, &first, unreadable));
    /* A TPMT_PUBLIC begins with its type, 1 or 0x23, and no key is that short, so the two can't be
     * confused. */
    struct tpm_public p = {.area = first == v.len ? v : sent};
    v = p.area;
    TRY(view_get_u16(&v, &p.type, unreadable));
    TRY(view_get_u16(&v, &p.name_alg, unreadable));
    TRY(view_get_u32(&v, &p.attributes, unreadable));
    TRY(get_sized(&v, TPM_DIGEST_MAX_BYTES, &p.auth_policy, unreadable));
    if (p.type == TPM_ALG_RSA) {
        TRY(get_rsa(&v, &p, unreadable));
    } else if (p.type == TPM_ALG_ECC) {
        TRY(get_ecc(&v, &p, unreadable));
    } else {
        return unreadable;
    }
    if (v.len != 0) {
        return unreadable;
    }
    *out_public = p;
    return OK;
}

static enum tpm_key curve_key(uint16_t curve)
{
    switch (curve) {
    case CURVE_NIST_P256:
        return TPM_KEY_P256;
    case CURVE_NIST_P384:
        return TPM_KEY_P384;
    case CURVE_NIST_P521:
        return TPM_KEY_P521;
    }
    return TPM_KEY_NONE;
}

ERRFN public_key(const struct tpm_public *pub, EVP_PKEY **out_key, enum tpm_key *out_type)
{
    AUTO(pkey) key = NULL;
    if (pub->type == TPM_ALG_RSA) {
        ENSURE(pub->rsa_modulus.len * 8 == pub->rsa_bits, EK_KEY_UNSUPPORTED);
        uint32_t e = pub->rsa_exponent ? pub->rsa_exponent : 65537;
        uint8_t exponent[4] = {(uint8_t)(e >> 24), (uint8_t)(e >> 16), (uint8_t)(e >> 8),
                               (uint8_t)e};
        TRY(spki_key_from_rsa(pub->rsa_modulus, view_of(exponent, sizeof exponent), &key));
    } else {
        TRY(spki_key_from_point(curve_key(pub->curve), pub->x, pub->y, &key));
    }
    TRY(spki_key_type(key, out_type));
    *out_key = STEAL(key);
    return OK;
}
