#include "tpm/ek_read.h"

#include "tpm/ek_container.h"
#include "tpm/ek_facts.h"
#include "tpm/spki.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

AUTO_DEFINE(x509, X509, X509_free);

static X509 *read_der(struct view der)
{
    const uint8_t *end = der.data;
    AUTO(x509) certificate = d2i_X509(NULL, &end, (long)der.len);
    return end == der.data + der.len ? STEAL(certificate) : NULL;
}

/* What can't be read, and what is no CA, such as the certificate of another EK, is no help. */
static bool may_be_issuer(struct view der)
{
    AUTO(x509) certificate = der.len <= EK_CHAIN_CERT_MAX_BYTES ? read_der(der) : NULL;
    return certificate && X509_check_ca(certificate) > 0;
}

static ERRFN read_x509(struct ek *ek, struct view sent)
{
    uint32_t nothing_around = 0;
    struct view der;
    TRY(ek_container_certificates(sent, &ek->area, &ek->quirks));
    struct view area = buf_view(ek->area);
    TRY(ek_area_next(&area, &ek->cert, &nothing_around));
    ek->x509 = read_der(ek->cert);
    ENSURE(ek->x509, EK_UNREADABLE);
    while (ek->chain_count < EK_CHAIN_MAX && IS_OK(ek_area_next(&area, &der, &nothing_around))) {
        if (may_be_issuer(der)) {
            ek->chain[ek->chain_count++] = der;
        }
    }
    return OK;
}

static ERRFN read_x509_key(struct ek *ek)
{
    bool oaep;
    TRY(spki_from_x509(ek->x509, &ek->key, &oaep));
    if (oaep) {
        ek->quirks |= EK_QUIRK_RSAES_OAEP;
    }
    return ek_key_finish(ek);
}

static ERRFN finish_certificate(struct ek *ek)
{
    TRY(ek_facts_read(ek));
    TRY(sha384(ek->cert, ek->cert_sha384));
    return sha256(ek->cert, ek->cert_sha256);
}

ERRFN ek_certificate_read(struct ek *ek, struct view sent)
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

ERRFN ek_certificate_read_for_display(struct ek *ek, struct view sent)
{
    TRY(read_x509(ek, sent));
    err_t key = read_x509_key(ek);
    if (IS_E(key, EK_KEY_UNSUPPORTED)) {
        key = leave_out_key(ek);
    }
    TRY(key);
    return finish_certificate(ek);
}
