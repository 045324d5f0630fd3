#include "tpm/ek.h"

#include "base/text.h"
#include "tpm/der.h"
#include "tpm/ek_container.h"
#include "tpm/ek_facts.h"
#include "tpm/pem.h"
#include "tpm/public.h"
#include "tpm/spki.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

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

/* Everything that follows from the key alone. */
static ERRFN finish_key(struct ek *ek)
{
    enum tpm_key type;
    TRY(spki_key_type(ek->key, &type));
    ek->key_type = (enum ek_key)type;
    set_template(ek);
    TRY(spki_encode(ek->key, &ek->spki));
    TRY(sha384(buf_view(ek->spki), ek->spki_sha384));
    return sha256(buf_view(ek->spki), ek->spki_sha256);
}

static ERRFN read_x509(struct ek *ek, struct view sent)
{
    TRY(ek_container_certificate(sent, &ek->cert, &ek->quirks));
    const uint8_t *end = ek->cert->data;
    ek->x509 = d2i_X509(NULL, &end, (long)ek->cert->len);
    ENSURE(ek->x509 && end == ek->cert->data + ek->cert->len, EK_UNREADABLE);
    return OK;
}

static ERRFN read_x509_key(struct ek *ek)
{
    bool oaep;
    TRY(spki_from_x509(ek->x509, &ek->key, &oaep));
    if (oaep) {
        ek->quirks |= EK_QUIRK_RSAES_OAEP;
    }
    return finish_key(ek);
}

static ERRFN finish_certificate(struct ek *ek)
{
    TRY(ek_facts_read(ek));
    TRY(sha384(buf_view(ek->cert), ek->cert_sha384));
    return sha256(buf_view(ek->cert), ek->cert_sha256);
}

static ERRFN read_certificate(struct ek *ek, struct view sent)
{
    TRY(read_x509(ek, sent));
    TRY(read_x509_key(ek));
    return finish_certificate(ek);
}

static ERRFN leave_out_key(struct ek *ek)
{
    EVP_PKEY_free(ek->key);
    ek->key = NULL;
    ek->key_type = EK_KEY_NONE;
    uint8_t *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(ek->x509), &der);
    ENSURE(len > 0, EK_UNREADABLE);
    buf_free(STEAL(ek->spki));
    err_t copied = buf_copy(view_of(der, (size_t)len), &ek->spki);
    OPENSSL_free(der);
    TRY(copied);
    TRY(sha384(buf_view(ek->spki), ek->spki_sha384));
    return sha256(buf_view(ek->spki), ek->spki_sha256);
}

static ERRFN read_certificate_for_display(struct ek *ek, struct view sent)
{
    TRY(read_x509(ek, sent));
    err_t key = read_x509_key(ek);
    if (IS_E(key, EK_KEY_UNSUPPORTED)) {
        key = leave_out_key(ek);
    }
    TRY(key);
    return finish_certificate(ek);
}

static ERRFN read_spki(struct ek *ek, struct view der)
{
    bool oaep;
    TRY(spki_parse(der, &ek->key, &oaep));
    if (oaep) {
        ek->quirks |= EK_QUIRK_RSAES_OAEP;
    }
    return finish_key(ek);
}

static ERRFN read_public_area(struct ek *ek, struct view sent)
{
    struct tpm_public pub;
    TRY(public_parse(sent, E(EK_UNREADABLE), &pub));
    TRY(check_template(&pub));
    enum tpm_key type;
    TRY(public_key(&pub, &ek->key, &type));
    TRY(finish_key(ek));
    take_algorithms(ek, &pub);
    return OK;
}

static ERRFN read_public(struct ek *ek, struct view sent)
{
    if (pem_is(sent)) {
        AUTO(buf) der = NULL;
        TRY(ek_container_pem(sent, PEM_PUBLIC_KEY, PEM_PUBLIC_KEY, &der));
        return read_spki(ek, buf_view(der));
    }
    return sent.data[0] == DER_SEQUENCE ? read_spki(ek, sent) : read_public_area(ek, sent);
}

static ERRFN begin(struct view sent, enum ek_source source, struct ek **out_ek)
{
    ENSURE(sent.len > 0, EK_MISSING);
    ENSURE(sent.len <= EK_MAX_BYTES, TOO_LONG);
    AUTO(ek) ek = calloc(1, sizeof *ek);
    ENSURE(ek, NO_MEMORY);
    ek->source = source;
    TRY(sha384(sent, ek->sent_sha384));
    TRY(sha256(sent, ek->sent_sha256));
    *out_ek = STEAL(ek);
    return OK;
}

static ERRFN parse(struct view sent, enum ek_source source, struct ek **out_ek)
{
    AUTO(ek) ek = NULL;
    TRY(begin(sent, source, &ek));
    if (source == EK_SOURCE_CERT) {
        TRY(read_certificate(ek, sent));
    } else {
        TRY(read_public(ek, sent));
        memcpy(ek->cert_sha384, ek->sent_sha384, sizeof ek->cert_sha384);
        memcpy(ek->cert_sha256, ek->sent_sha256, sizeof ek->cert_sha256);
    }
    *out_ek = STEAL(ek);
    return OK;
}

ERRFN ek_parse(struct view sent, enum ek_source source, struct ek **out_ek)
{
    ENSURE(source == EK_SOURCE_CERT || source == EK_SOURCE_PUB, EK_MISSING);
    ERR_set_mark();
    err_t parsed = parse(sent, source, out_ek);
    ERR_pop_to_mark();
    return parsed;
}

static ERRFN parse_for_display(struct view sent, struct ek **out_ek)
{
    AUTO(ek) ek = NULL;
    TRY(begin(sent, EK_SOURCE_CERT, &ek));
    TRY(read_certificate_for_display(ek, sent));
    *out_ek = STEAL(ek);
    return OK;
}

ERRFN ek_parse_for_display(struct view sent, struct ek **out_ek)
{
    ERR_set_mark();
    err_t parsed = parse_for_display(sent, out_ek);
    ERR_pop_to_mark();
    return parsed;
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

bool ek_fingerprint_matches(const struct ek *ek, struct view hex_text)
{
    uint8_t sent[SHA384_BYTES];
    size_t len = hex_text.len / 2;
    if ((len != SHA384_BYTES && len != SHA256_BYTES) || !IS_OK(hex_decode(hex_text, sent, len))) {
        return false;
    }
    bool long_one = len == SHA384_BYTES;
    const uint8_t *candidates[] = {
        long_one ? ek->spki_sha384 : ek->spki_sha256,
        long_one ? ek->cert_sha384 : ek->cert_sha256,
        long_one ? ek->sent_sha384 : ek->sent_sha256,
    };
    bool matches = false;
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        /* No early exit: which form matched is nobody's business. */
        matches |= view_equal_secret(view_of(sent, len), view_of(candidates[i], len));
    }
    return matches;
}

const char *ek_key_name(enum ek_key key)
{
    return tpm_key_name((enum tpm_key)key);
}

void ek_free(struct ek *ek)
{
    if (!ek) {
        return;
    }
    EVP_PKEY_free(ek->key);
    X509_free(ek->x509);
    buf_free(ek->cert);
    buf_free(ek->spki);
    free(ek);
}
