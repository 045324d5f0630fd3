#include "tpm/ek_facts.h"

#include "tpm/der.h"

#include <openssl/x509.h>
#include <string.h>

/* tcg-at-tpmSpecification, 2.23.133.2.16. */
static const uint8_t tpm_specification[] = {0x67, 0x81, 0x05, 0x02, 0x10};

enum { ATTRIBUTES_MAX = 16, NUMBER_MAX_BYTES = 4 };

static bool take_number(struct view *v, uint32_t *out_number)
{
    struct view content;
    if (!der_take_content(v, DER_INTEGER, &content) || content.len == 0 ||
        content.len > NUMBER_MAX_BYTES || (content.data[0] & 0x80)) {
        return false;
    }
    uint32_t number = 0;
    for (size_t i = 0; i < content.len; i++) {
        number = number << 8 | content.data[i];
    }
    *out_number = number;
    return true;
}

/* TPMSpecification ::= SEQUENCE { family UTF8String, level INTEGER, revision INTEGER } */
static void read_value(struct view value, struct ek *ek)
{
    struct view specification;
    struct view family;
    uint32_t level;
    uint32_t revision;
    char text[sizeof ek->family];
    if (!der_take_content(&value, DER_SEQUENCE, &specification) ||
        !der_take_content(&specification, DER_UTF8_STRING, &family) ||
        !IS_OK(view_to_text(family, text, sizeof text)) || !take_number(&specification, &level) ||
        !take_number(&specification, &revision)) {
        return;
    }
    memcpy(ek->family, text, sizeof text);
    ek->level = level;
    ek->revision = revision;
}

/* SubjectDirectoryAttributes, RFC 5280 section 4.2.1.8. */
static void read_attributes(struct view sent, struct ek *ek)
{
    struct view attributes;
    struct view attribute;
    if (!der_take_content(&sent, DER_SEQUENCE, &attributes)) {
        return;
    }
    for (size_t i = 0;
         i < ATTRIBUTES_MAX && der_take_content(&attributes, DER_SEQUENCE, &attribute); i++) {
        struct view type;
        struct view values;
        if (der_take_content(&attribute, DER_OID, &type) &&
            view_equal(type, view_of(tpm_specification, sizeof tpm_specification)) &&
            der_take_content(&attribute, DER_SET, &values)) {
            read_value(values, ek);
        }
    }
}

void ek_specification_read(struct ek *ek)
{
    int at = X509_get_ext_by_NID(ek->x509, NID_subject_directory_attributes, -1);
    if (at >= 0) {
        const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(ek->x509, at));
        read_attributes(view_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
                        ek);
    }
}
