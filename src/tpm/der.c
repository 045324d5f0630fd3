#include "tpm/der.h"

enum { DER_LENGTH_BYTES_MAX = 3 };

static bool take_length(struct view *v, size_t *out_len)
{
    uint8_t first;
    if (!IS_OK(view_get_u8(v, &first, E(FIELD_INVALID)))) {
        return false;
    }
    if (first < 0x80) {
        *out_len = first;
        return true;
    }
    size_t count = first & 0x7F;
    if (count == 0 || count > DER_LENGTH_BYTES_MAX) {
        return false;
    }
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t byte;
        if (!IS_OK(view_get_u8(v, &byte, E(FIELD_INVALID)))) {
            return false;
        }
        len = len << 8 | byte;
    }
    *out_len = len;
    return true;
}

bool der_take(struct view *v, uint8_t tag, struct view *out_value, struct view *out_content)
{
    struct view rest = *v;
    struct view content;
    uint8_t found;
    size_t len;
    if (!IS_OK(view_get_u8(&rest, &found, E(FIELD_INVALID))) || found != tag ||
        !take_length(&rest, &len) ||
        !IS_OK(view_get_bytes(&rest, len, &content, E(FIELD_INVALID)))) {
        return false;
    }
    *out_value = view_of(v->data, v->len - rest.len);
    *out_content = content;
    *v = rest;
    return true;
}

bool der_take_content(struct view *v, uint8_t tag, struct view *out_content)
{
    struct view value;
    return der_take(v, tag, &value, out_content);
}

uint8_t der_tag(struct view v)
{
    return v.len > 0 ? v.data[0] : 0;
}

bool der_take_any(struct view *v, struct view *out_content)
{
    return v->len > 0 && der_take_content(v, v->data[0], out_content);
}

static struct view without_zeros(struct view number)
{
    while (number.len > 0 && number.data[0] == 0) {
        number = view_of(number.data + 1, number.len - 1);
    }
    return number;
}

bool der_take_positive(struct view *v, struct view *out_number)
{
    struct view rest = *v;
    struct view content;
    if (!der_take_content(&rest, DER_INTEGER, &content) || content.len == 0 ||
        (content.data[0] & 0x80)) {
        return false;
    }
    struct view number = without_zeros(content);
    if (number.len == 0) {
        return false;
    }
    *v = rest;
    *out_number = number;
    return true;
}

static ERRFN put_header(struct buf *b, uint8_t tag, size_t len)
{
    TRY(buf_put_u8(b, tag));
    if (len < 0x80) {
        return buf_put_u8(b, (uint8_t)len);
    }
    if (len <= 0xFF) {
        TRY(buf_put_u8(b, 0x81));
        return buf_put_u8(b, (uint8_t)len);
    }
    ENSURE(len <= 0xFFFF, TOO_LONG);
    TRY(buf_put_u8(b, 0x82));
    return buf_put_u16(b, (uint16_t)len);
}

ERRFN der_put(struct buf *b, uint8_t tag, struct view content)
{
    TRY(put_header(b, tag, content.len));
    return buf_put(b, content);
}

ERRFN der_put_positive(struct buf *b, struct view number)
{
    number = without_zeros(number);
    bool sign_octet = number.len == 0 || (number.data[0] & 0x80);
    TRY(put_header(b, DER_INTEGER, number.len + sign_octet));
    if (sign_octet) {
        TRY(buf_put_u8(b, 0));
    }
    return buf_put(b, number);
}
