#include "tpm/trust_store.h"

#include "tpm/der.h"
#include "tpm/pem.h"

#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

AUTO_DEFINE(pkcs7, PKCS7, PKCS7_free);

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

static ERRFN append_pem_block(struct trust_certs *certs, size_t max, const struct pem_block *block)
{
    bool certificate = strcmp(block->label, PEM_CERTIFICATE) == 0 ||
                       strcmp(block->label, PEM_CERTIFICATE_OLD) == 0;
    ENSURE(certificate, FIELD_INVALID);
    return append_der(certs, max, buf_view(block->der));
}

static ERRFN append_next_pem(struct pem_reader *reader, size_t max, struct trust_certs *certs)
{
    struct pem_block block;
    TRY(pem_next(reader, &block));
    err_t added = append_pem_block(certs, max, &block);
    buf_free(block.der);
    return added;
}

/* Blocks that are no certificates end it, or are counted where that is wanted. */
static ERRFN read_pem(struct view sent, size_t max, struct trust_certs *certs, size_t *skipped)
{
    struct pem_reader reader;
    TRY(pem_open(sent, &reader));
    err_t read;
    do {
        read = append_next_pem(&reader, max, certs);
        if (skipped && IS_E(read, FIELD_INVALID)) {
            (*skipped)++;
            read = OK;
        }
    } while (IS_OK(read));
    pem_close(&reader);
    return IS_E(read, NOT_FOUND) ? OK : read;
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
    TRY(pem_is(sent) ? read_pem(sent, max, certs, NULL) : read_der(sent, max, certs));
    ENSURE(certs->count > before, FIELD_INVALID);
    return OK;
}

/* PKCS#7 SignedData without signers, which is how some vendors hand out a chain. */
static ERRFN read_pkcs7(struct view sent, size_t max, struct trust_certs *certs)
{
    const uint8_t *end = sent.data;
    AUTO(pkcs7) bag = d2i_PKCS7(NULL, &end, (long)sent.len);
    ENSURE(bag && PKCS7_type_is_signed(bag), FIELD_INVALID);
    const STACK_OF(X509) *found = bag->d.sign->cert;
    for (int i = 0; i < sk_X509_num(found); i++) {
        ENSURE(certs->count < max, TOO_LONG);
        TRY(reserve(certs));
        X509 *cert = sk_X509_value(found, i);
        ENSURE(X509_up_ref(cert) == 1, BUG);
        certs->at[certs->count++] = cert;
    }
    return OK;
}

ERRFN trust_certs_collect(struct view sent, size_t max, struct trust_certs *certs,
                          size_t *out_skipped)
{
    ENSURE(sent.len > 0, FIELD_INVALID);
    ENSURE(sent.len <= TRUST_FILE_MAX_BYTES, TOO_LONG);
    size_t before = certs->count;
    size_t skipped = 0;
    if (pem_is(sent)) {
        TRY(read_pem(sent, max, certs, &skipped));
    } else {
        err_t read = read_der(sent, max, certs);
        read = IS_E(read, FIELD_INVALID) ? read_pkcs7(sent, max, certs) : read;
        TRY(read);
    }
    ENSURE(certs->count > before, FIELD_INVALID);
    *out_skipped = skipped;
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
