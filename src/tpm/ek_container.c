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
    struct pem_reader reader = pem_open(sent);
    return take_pem_block(&reader, label, other_label, out_der);
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

struct certificates {
    struct buf *ders;
    size_t count;
    uint32_t quirks;
};

static ERRFN add(struct view der, struct certificates *found)
{
    ENSURE(found->count <= EK_CHAIN_MAX, TOO_LONG);
    found->quirks |= found->count > 0 ? EK_QUIRK_SECOND_CERT : 0;
    found->count++;
    return buf_put(found->ders, der);
}

static ERRFN add_area(struct view area, struct certificates *found)
{
    struct view der;
    err_t taken;
    while (IS_OK(taken = ek_area_next(&area, &der, &found->quirks))) {
        TRY(add(der, found));
    }
    return IS_E(taken, NOT_FOUND) ? OK : taken;
}

static ERRFN add_blocks(struct pem_reader *reader, struct certificates *found)
{
    AUTO(buf) first = NULL;
    TRY(take_pem_block(reader, PEM_CERTIFICATE, PEM_CERTIFICATE_OLD, &first));
    TRY(add_area(buf_view(first), found));
    struct pem_block block;
    err_t read;
    while (!IS_E(read = pem_next(reader, &block), NOT_FOUND)) {
        if (IS_E(read, FIELD_INVALID)) {
            continue;
        }
        TRY(read);
        AUTO(buf) der = block.der;
        if (pem_is_certificate(&block)) {
            TRY(add_area(buf_view(der), found));
        }
    }
    return OK;
}

static ERRFN add_pem(struct view sent, struct certificates *found)
{
    struct pem_reader reader = pem_open(sent);
    return add_blocks(&reader, found);
}

ERRFN ek_container_certificates(struct view sent, struct buf **out_ders, uint32_t *out_quirks)
{
    AUTO(buf) ders = NULL;
    TRY(buf_new(sent.len, &ders));
    struct certificates found = {.ders = ders};
    TRY(pem_is(sent) ? add_pem(sent, &found) : add_area(sent, &found));
    ENSURE(found.count > 0, EK_UNREADABLE);
    *out_ders = STEAL(ders);
    *out_quirks = found.quirks;
    return OK;
}
