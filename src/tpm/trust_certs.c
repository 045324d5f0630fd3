#include "tpm/trust_store.h"

#include "tpm/der.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

AUTO_DEFINE(bio, BIO, BIO_free_all);

static ERRFN reserve(struct trust_certs *certs)
{
    if (certs->count < certs->cap) {
        return OK;
    }
    size_t cap = certs->cap ? certs->cap * 2 : 16;
    X509 **grown = reallocarray(certs->at, cap, sizeof *grown);
    ENSURE(grown, NO_MEMORY);
    certs->at = grown;
    certs->cap = cap;
    return OK;
}

static ERRFN append_der(struct trust_certs *certs, size_t max, struct view der)
{
    ENSURE(certs->count < max, TOO_LONG);
    TRY(reserve(certs));
    const uint8_t *end = der.data;
    X509 *cert = d2i_X509(NULL, &end, (long)der.len);
    if (!cert || end != der.data + der.len) {
        X509_free(cert);
        return E(FIELD_INVALID);
    }
    certs->at[certs->count] = cert;
    certs->count++;
    return OK;
}

static ERRFN append_pem_block(struct trust_certs *certs, size_t max, const char *name,
                              struct view der)
{
    bool certificate = strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0;
    ENSURE(certificate, FIELD_INVALID);
    return append_der(certs, max, der);
}

static ERRFN read_pem(struct view sent, size_t max, struct trust_certs *certs)
{
    AUTO(bio) bio = BIO_new_mem_buf(sent.data, (int)sent.len);
    ENSURE(bio, NO_MEMORY);
    for (;;) {
        char *name = NULL;
        char *header = NULL;
        uint8_t *data = NULL;
        long len = 0;
        if (PEM_read_bio(bio, &name, &header, &data, &len) != 1) {
            bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            return end ? OK : E(FIELD_INVALID);
        }
        err_t added = append_pem_block(certs, max, name, view_of(data, (size_t)len));
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(data);
        TRY(added);
    }
}

static ERRFN read_der(struct view sent, size_t max, struct trust_certs *certs)
{
    struct view rest = sent;
    struct view value;
    struct view content;
    while (der_take(&rest, DER_SEQUENCE, &value, &content)) {
        TRY(append_der(certs, max, value));
    }
    for (size_t i = 0; i < rest.len; i++) {
        /* NV memory is filled with either. */
        ENSURE(rest.data[i] == 0x00 || rest.data[i] == 0xFF, FIELD_INVALID);
    }
    return OK;
}

ERRFN trust_certs_read(struct view sent, size_t max, struct trust_certs *certs)
{
    ENSURE(sent.len > 0, FIELD_INVALID);
    ENSURE(sent.len <= TRUST_FILE_MAX_BYTES, TOO_LONG);
    size_t before = certs->count;
    TRY(sent.data[0] == DER_SEQUENCE ? read_der(sent, max, certs) : read_pem(sent, max, certs));
    ENSURE(certs->count > before, FIELD_INVALID);
    return OK;
}

void trust_certs_clear(struct trust_certs *certs)
{
    for (size_t i = 0; i < certs->count; i++) {
        X509_free(certs->at[i]);
    }
    free(certs->at);
    *certs = (struct trust_certs){0};
}
