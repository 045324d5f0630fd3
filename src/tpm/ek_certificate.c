#include "tpm/ek_read.h"

#include "tpm/ek_container.h"
#include "tpm/ek_facts.h"
#include "tpm/spki.h"

#include <openssl/x509.h>

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
    return ek_key_finish(ek);
}

static ERRFN finish_certificate(struct ek *ek)
{
    TRY(ek_facts_read(ek));
    TRY(sha384(buf_view(ek->cert), ek->cert_sha384));
    return sha256(buf_view(ek->cert), ek->cert_sha256);
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
