#include "tpm/trust_store.h"

#include "tpm/der.h"
#include "tpm/pem.h"
#include "tpm/pkcs7.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

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

/* -- every one must be a certificate ------------------------------------------------------------
 */

static ERRFN append_next_pem(struct pem_reader *reader, size_t max, struct trust_certs *certs)
{
    struct pem_block block;
    TRY(pem_next(reader, &block));
    AUTO(buf) der = block.der;
    ENSURE(pem_is_certificate(&block), FIELD_INVALID);
    return append_der(certs, max, buf_view(der));
}

static ERRFN read_pem(struct view sent, size_t max, struct trust_certs *certs)
{
    struct pem_reader reader = pem_open(sent);
    err_t read;
    do {
        read = append_next_pem(&reader, max, certs);
    } while (IS_OK(read));
    return IS_E(read, NOT_FOUND) ? OK : read;
}

static bool is_padding(struct view rest)
{
    for (size_t i = 0; i < rest.len; i++) {
        /* NV memory is filled with either. */
        if (rest.data[i] != 0x00 && rest.data[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

static ERRFN read_der(struct view sent, size_t max, struct trust_certs *certs)
{
    struct view value;
    struct view content;
    while (der_take(&sent, DER_SEQUENCE, &value, &content)) {
        TRY(append_der(certs, max, value));
    }
    ENSURE(is_padding(sent), FIELD_INVALID);
    return OK;
}

ERRFN trust_certs_read(struct view sent, size_t max, struct trust_certs *certs)
{
    ENSURE(sent.len > 0, FIELD_INVALID);
    ENSURE(sent.len <= TRUST_FILE_MAX_BYTES, TOO_LONG);
    size_t before = certs->count;
    TRY(pem_is(sent) ? read_pem(sent, max, certs) : read_der(sent, max, certs));
    ENSURE(certs->count > before, FIELD_INVALID);
    return OK;
}

/* -- what is none is counted --------------------------------------------------------------------
 */

static ERRFN collect_bag(struct view sent, size_t max, struct trust_certs *certs, size_t *skipped)
{
    AUTO(buf) ders = NULL;
    err_t opened = pkcs7_certificates(sent, &ders);
    if (IS_E(opened, FIELD_INVALID)) {
        (*skipped)++;
        return OK;
    }
    TRY(opened);
    return read_der(buf_view(ders), max, certs);
}

/* Certificates and PKCS#7 bags one behind the other; a bag may have an indefinite length, so that
 * only OpenSSL knows where it ends. */
static ERRFN collect_der(struct view sent, size_t max, struct trust_certs *certs, size_t *skipped)
{
    struct view rest = sent;
    struct view value;
    struct view content;
    while (der_take(&rest, DER_SEQUENCE, &value, &content)) {
        err_t added = append_der(certs, max, value);
        TRY(IS_E(added, FIELD_INVALID) ? collect_bag(value, max, certs, skipped) : added);
    }
    return is_padding(rest) ? OK : collect_bag(rest, max, certs, skipped);
}

static ERRFN collect_next_pem(struct pem_reader *reader, size_t max, struct trust_certs *certs,
                              size_t *skipped)
{
    struct pem_block block;
    err_t read = pem_next(reader, &block);
    if (IS_E(read, FIELD_INVALID)) {
        (*skipped)++;
        return OK;
    }
    TRY(read);
    AUTO(buf) der = block.der;
    bool bag = strcmp(block.label, PEM_PKCS7) == 0 || strcmp(block.label, PEM_PKCS7_OLD) == 0;
    if (!bag && !pem_is_certificate(&block)) {
        (*skipped)++;
        return OK;
    }
    return collect_der(buf_view(der), max, certs, skipped);
}

static ERRFN collect_pem(struct view sent, size_t max, struct trust_certs *certs, size_t *skipped)
{
    struct pem_reader reader = pem_open(sent);
    err_t read;
    do {
        read = collect_next_pem(&reader, max, certs, skipped);
    } while (IS_OK(read));
    return IS_E(read, NOT_FOUND) ? OK : read;
}

ERRFN trust_certs_collect(struct view sent, size_t max, struct trust_certs *certs,
                          size_t *out_skipped)
{
    ENSURE(sent.len > 0, FIELD_INVALID);
    ENSURE(sent.len <= TRUST_FILE_MAX_BYTES, TOO_LONG);
    size_t before = certs->count;
    size_t skipped = 0;
    TRY(pem_is(sent) ? collect_pem(sent, max, certs, &skipped)
                     : collect_der(sent, max, certs, &skipped));
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
