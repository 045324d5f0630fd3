#include "tpm/pkcs7.h"

#include <openssl/pkcs7.h>
#include <openssl/x509.h>

AUTO_DEFINE(pkcs7, PKCS7, PKCS7_free);

static ERRFN put(struct buf *ders, X509 *cert)
{
    uint8_t *der = NULL;
    int len = i2d_X509(cert, &der);
    ENSURE(len > 0, FIELD_INVALID);
    err_t added = buf_put(ders, view_of(der, (size_t)len));
    OPENSSL_free(der);
    return added;
}

ERRFN pkcs7_certificates(struct view sent, struct buf **out_ders)
{
    AUTO(buf) ders = NULL;
    ENSURE(sent.len > 0, FIELD_INVALID);
    ENSURE(sent.len <= PKCS7_MAX_BYTES, TOO_LONG);
    const uint8_t *end = sent.data;
    AUTO(pkcs7) bag = d2i_PKCS7(NULL, &end, (long)sent.len);
    ENSURE(bag && PKCS7_type_is_signed(bag) && bag->d.sign, FIELD_INVALID);
    const STACK_OF(X509) *found = bag->d.sign->cert;
    ENSURE(sk_X509_num(found) > 0, FIELD_INVALID);
    TRY(buf_new(PKCS7_MAX_BYTES, &ders));
    for (int i = 0; i < sk_X509_num(found); i++) {
        TRY(put(ders, sk_X509_value(found, i)));
    }
    *out_ders = STEAL(ders);
    return OK;
}
