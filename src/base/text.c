#include "base/text.h"

#include <sodium.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

void hex_encode(struct view v, char *out_text)
{
    for (size_t i = 0; i < v.len; i++) {
        out_text[2 * i] = hex_digits[v.data[i] >> 4];
        out_text[2 * i + 1] = hex_digits[v.data[i] & 0x0f];
    }
    out_text[2 * v.len] = '\0';
}

ERRFN buf_put_hex(struct buf *b, struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        TRY(buf_put_u8(b, (uint8_t)hex_digits[v.data[i] >> 4]));
        TRY(buf_put_u8(b, (uint8_t)hex_digits[v.data[i] & 0x0f]));
    }
    return OK;
}

ERRFN hex_decode(struct view text, uint8_t *out_bytes, size_t len)
{
    ENSURE(text.len == len * 2, FIELD_INVALID);
    if (len == 0) {
        return OK;
    }
    size_t got = 0;
    int status = sodium_hex2bin(out_bytes, len, (const char *)text.data, text.len, NULL, &got, NULL);
    ENSURE(status == 0 && got == len, FIELD_INVALID);
    return OK;
}

static ERRFN put_base64(struct buf *b, struct view v, int variant)
{
    size_t size = sodium_base64_encoded_len(v.len, variant);
    uint8_t *at;
    TRY(buf_extend(b, size - 1, &at));
    /* The encoder ends its text with a NUL, for which the buffer has no room to spare. */
    size_t whole = v.len / 3 * 3;
    char last[8] = "";
    for (size_t i = 0; i < whole; i += 3) {
        char quad[8];
        sodium_bin2base64(quad, sizeof quad, v.data + i, 3, variant);
        memcpy(at + i / 3 * 4, quad, 4);
    }
    if (v.len > whole) {
        sodium_bin2base64(last, sizeof last, v.data + whole, v.len - whole, variant);
        memcpy(at + whole / 3 * 4, last, strlen(last));
    }
    return OK;
}

ERRFN buf_put_base64(struct buf *b, struct view v)
{
    return put_base64(b, v, sodium_base64_VARIANT_ORIGINAL);
}

ERRFN buf_put_base64url(struct buf *b, struct view v)
{
    return put_base64(b, v, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static ERRFN decode_base64(struct view text, struct buf *out_bytes, int variant)
{
    if (text.len == 0) {
        return OK;
    }
    size_t before = out_bytes->len;
    size_t most = text.len / 4 * 3 + 3;
    size_t room = out_bytes->max - out_bytes->len;
    size_t size = most < room ? most : room;
    uint8_t *at;
    TRY(buf_extend(out_bytes, size, &at));
    size_t got = 0;
    const char *end = NULL;
    int status = sodium_base642bin(at, size, (const char *)text.data, text.len, NULL, &got, &end, variant);
    bool whole = status == 0 && end == (const char *)text.data + text.len;
    buf_truncate(out_bytes, whole ? before + got : before);
    ENSURE(whole || size == most, TOO_LONG);
    ENSURE(whole, BASE64_INVALID);
    return OK;
}

ERRFN base64_decode(struct view text, struct buf *out_bytes)
{
    return decode_base64(text, out_bytes, sodium_base64_VARIANT_ORIGINAL);
}

ERRFN base64url_decode(struct view text, struct buf *out_bytes)
{
    return decode_base64(text, out_bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* Length of the UTF-8 sequence at the front of v, or 0 when it is malformed. */
static size_t utf8_length(struct view v)
{
    uint8_t first = v.data[0];
    if (first < 0x80) {
        return 1;
    }
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || v.len < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((v.data[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (first == 0xe0 && v.data[1] < 0xa0) || (first == 0xf0 && v.data[1] < 0x90);
    bool surrogate = first == 0xed && v.data[1] >= 0xa0;
    bool beyond = first == 0xf4 && v.data[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : len;
}

bool text_is_clean(struct view text)
{
    while (text.len > 0) {
        size_t len = utf8_length(text);
        bool c1_control = len == 2 && text.data[0] == 0xc2 && text.data[1] < 0xa0;
        if (len == 0 || text.data[0] < 0x20 || text.data[0] == 0x7f || c1_control) {
            return false;
        }
        text.data += len;
        text.len -= len;
    }
    return true;
}
