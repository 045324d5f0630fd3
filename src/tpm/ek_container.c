#include "tpm/ek_container.h"

#include "tpm/der.h"
#include "tpm/ek.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <string.h>

static const char pem_begin[] = "-----BEGIN ";

/* TCG_PCCLIENT_STORED_CERT, TCG PC Client Specific Implementation Specification for Conventional
 * BIOS 1.21 section 7.4.5. */
static const uint8_t stored_cert_tag[] = {0x10, 0x01, 0x00};
static const uint8_t full_cert_tag[] = {0x10, 0x02};

AUTO_DEFINE(bio, BIO, BIO_free_all);

bool ek_container_is_pem(struct view sent)
{
    bool binary = sent.len == 0 || sent.data[0] == DER_SEQUENCE ||
                  sent.data[0] == DER_OCTET_STRING || sent.data[0] == stored_cert_tag[0];
    return !binary && memmem(sent.data, sent.len, pem_begin, sizeof pem_begin - 1);
}

static ERRFN copy_pem_block(const char *name, const char *header, struct view data,
                            const char *label, const char *other_label, struct buf **out_der)
{
    ENSURE(strcmp(name, label) == 0 || strcmp(name, other_label) == 0, EK_UNREADABLE);
    ENSURE(header[0] == '\0', EK_UNREADABLE);
    return buf_copy(data, out_der);
}

ERRFN ek_container_pem(struct view sent, const char *label, const char *other_label,
                       struct buf **out_der)
{
    AUTO(bio) bio = BIO_new_mem_buf(sent.data, (int)sent.len);
    ENSURE(bio, NO_MEMORY);
    char *name = NULL;
    char *header = NULL;
    uint8_t *data = NULL;
    long len = 0;
    ENSURE(PEM_read_bio(bio, &name, &header, &data, &len) == 1, EK_UNREADABLE);
    err_t copied =
        copy_pem_block(name, header, view_of(data, (size_t)len), label, other_label, out_der);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return copied;
}

static bool starts_with(struct view v, const uint8_t *bytes, size_t len)
{
    return v.len >= len && memcmp(v.data, bytes, len) == 0;
}

/* Tag, certificate type and a length that counts what follows; for a full certificate a second tag.
 * The rest is padding. */
static ERRFN strip_header(struct view *v, struct view *out_rest, uint32_t *quirks)
{
    *out_rest = VIEW_EMPTY;
    if (!starts_with(*v, stored_cert_tag, sizeof stored_cert_tag)) {
        return OK;
    }
    struct view rest = view_of(v->data + sizeof stored_cert_tag, v->len - sizeof stored_cert_tag);
    struct view body;
    uint16_t len;
    TRY(view_get_u16(&rest, &len, E(EK_UNREADABLE)));
    TRY(view_get_bytes(&rest, len, &body, E(EK_UNREADABLE)));
    if (starts_with(body, full_cert_tag, sizeof full_cert_tag)) {
        body = view_of(body.data + sizeof full_cert_tag, body.len - sizeof full_cert_tag);
    }
    *v = body;
    *out_rest = rest;
    *quirks |= EK_QUIRK_TCG_HEADER;
    return OK;
}

/* Behind the certificate there may be further certificates, and what NV memory is filled with. */
static ERRFN check_rest(struct view rest, uint32_t *quirks)
{
    struct view value;
    struct view content;
    while (der_take(&rest, DER_SEQUENCE, &value, &content)) {
        *quirks |= EK_QUIRK_SECOND_CERT;
    }
    if (rest.len > 0) {
        *quirks |= EK_QUIRK_PADDED;
    }
    for (size_t i = 0; i < rest.len; i++) {
        ENSURE(rest.data[i] == 0x00 || rest.data[i] == 0xFF, EK_UNREADABLE);
    }
    return OK;
}

static ERRFN from_der(struct view sent, struct buf **out_der, uint32_t *out_quirks)
{
    uint32_t quirks = 0;
    struct view v = sent;
    struct view behind_header;
    struct view value;
    struct view content;
    TRY(strip_header(&v, &behind_header, &quirks));
    TRY(check_rest(behind_header, &quirks));
    if (der_take(&v, DER_OCTET_STRING, &value, &content)) {
        TRY(check_rest(v, &quirks));
        v = content;
        quirks |= EK_QUIRK_OCTET_STRING;
    }
    ENSURE(der_take(&v, DER_SEQUENCE, &value, &content), EK_UNREADABLE);
    TRY(check_rest(v, &quirks));
    TRY(buf_copy(value, out_der));
    *out_quirks = quirks;
    return OK;
}

ERRFN ek_container_certificate(struct view sent, struct buf **out_der, uint32_t *out_quirks)
{
    if (!ek_container_is_pem(sent)) {
        return from_der(sent, out_der, out_quirks);
    }
    AUTO(buf) body = NULL;
    TRY(ek_container_pem(sent, "CERTIFICATE", "X509 CERTIFICATE", &body));
    return from_der(buf_view(body), out_der, out_quirks);
}
