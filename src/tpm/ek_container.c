#include "tpm/ek_container.h"

#include "tpm/der.h"
#include "tpm/ek.h"
#include "tpm/pem.h"

#include <string.h>

/* TCG_PCCLIENT_STORED_CERT, TCG PC Client Specific Implementation Specification for Conventional
 * BIOS 1.21 section 7.4.5. */
static const uint8_t stored_cert_tag[] = {0x10, 0x01, 0x00};
static const uint8_t full_cert_tag[] = {0x10, 0x02};

static ERRFN take_pem_block(struct pem_reader *reader, const char *label, const char *other_label,
                            struct buf **out_der)
{
    struct pem_block block;
    err_t read = pem_next(reader, &block);
    ENSURE(!IS_E(read, NOT_FOUND) && !IS_E(read, FIELD_INVALID), EK_UNREADABLE);
    TRY(read);
    AUTO(buf) der = block.der;
    ENSURE(strcmp(block.label, label) == 0 || strcmp(block.label, other_label) == 0, EK_UNREADABLE);
    *out_der = STEAL(der);
    return OK;
}

ERRFN ek_container_pem(struct view sent, const char *label, const char *other_label,
                       struct buf **out_der)
{
    struct pem_reader reader;
    TRY(pem_open(sent, &reader));
    err_t taken = take_pem_block(&reader, label, other_label, out_der);
    pem_close(&reader);
    return taken;
}

static bool starts_with(struct view v, const uint8_t *bytes, size_t len)
{
    return v.len >= len && memcmp(v.data, bytes, len) == 0;
}

static void skip(struct view *v, size_t len)
{
    *v = view_of(v->data + len, v->len - len);
}

static void skip_padding(struct view *v, uint32_t *quirks)
{
    while (v->len > 0 && (v->data[0] == 0x00 || v->data[0] == 0xFF)) {
        *quirks |= EK_QUIRK_PADDED;
        skip(v, 1);
    }
}

/* Tag, certificate type and a length that counts what follows; for a full certificate a second tag.
 * The certificate has a length of its own, so that this one must only not promise too much. */
static ERRFN strip_header(struct view *v, uint32_t *quirks)
{
    if (!starts_with(*v, stored_cert_tag, sizeof stored_cert_tag)) {
        return OK;
    }
    struct view rest = view_of(v->data + sizeof stored_cert_tag, v->len - sizeof stored_cert_tag);
    uint16_t len;
    TRY(view_get_u16(&rest, &len, E(EK_UNREADABLE)));
    ENSURE(len <= rest.len, EK_UNREADABLE);
    if (starts_with(rest, full_cert_tag, sizeof full_cert_tag)) {
        skip(&rest, sizeof full_cert_tag);
    }
    *v = rest;
    *quirks |= EK_QUIRK_TCG_HEADER;
    return OK;
}

/* What an OCTET STRING holds is one certificate and nothing else but padding. */
static ERRFN unwrap(struct view content, struct view *out_der, uint32_t *quirks)
{
    struct view inner;
    ENSURE(der_take(&content, DER_SEQUENCE, out_der, &inner), EK_UNREADABLE);
    skip_padding(&content, quirks);
    ENSURE(content.len == 0, EK_UNREADABLE);
    *quirks |= EK_QUIRK_OCTET_STRING;
    return OK;
}

ERRFN ek_area_next(struct view *area, struct view *out_der, uint32_t *quirks)
{
    skip_padding(area, quirks);
    ENSURE(area->len > 0, NOT_FOUND);
    TRY(strip_header(area, quirks));
    struct view value;
    struct view content;
    if (der_take(area, DER_OCTET_STRING, &value, &content)) {
        return unwrap(content, out_der, quirks);
    }
    ENSURE(der_take(area, DER_SEQUENCE, out_der, &content), EK_UNREADABLE);
    return OK;
}

static ERRFN from_der(struct view sent, struct buf **out_der, uint32_t *out_quirks)
{
    uint32_t quirks = 0;
    struct view area = sent;
    struct view first;
    struct view further;
    err_t taken = ek_area_next(&area, &first, &quirks);
    ENSURE(!IS_E(taken, NOT_FOUND), EK_UNREADABLE);
    TRY(taken);
    while (IS_OK(taken = ek_area_next(&area, &further, &quirks))) {
        quirks |= EK_QUIRK_SECOND_CERT;
    }
    ENSURE(IS_E(taken, NOT_FOUND), EK_UNREADABLE);
    TRY(buf_copy(first, out_der));
    *out_quirks = quirks;
    return OK;
}

ERRFN ek_container_certificate(struct view sent, struct buf **out_der, uint32_t *out_quirks)
{
    if (!pem_is(sent)) {
        return from_der(sent, out_der, out_quirks);
    }
    AUTO(buf) body = NULL;
    TRY(ek_container_pem(sent, PEM_CERTIFICATE, PEM_CERTIFICATE_OLD, &body));
    return from_der(buf_view(body), out_der, out_quirks);
}
