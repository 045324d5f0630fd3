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

/* Base64 by table and not by libsodium's constant-time codec, which takes 13 ns a character: 0.7 ms for the event log in every attestation.
 * What must stay secret is not sent in a form that strangers can time. */
static const char digits_base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char digits_base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { NO_DIGIT = 0xff };

/* Writes the digits of `len` bytes, 1 to 3. */
static void put_group(const char *digits, const uint8_t *bytes, size_t len, uint8_t *out)
{
    uint32_t group = (uint32_t)bytes[0] << 16 | (len > 1 ? (uint32_t)bytes[1] << 8 : 0) | (len > 2 ? bytes[2] : 0u);
    for (size_t i = 0; i <= len; i++) {
        out[i] = (uint8_t)digits[group >> (18 - 6 * i) & 0x3f];
    }
}

static ERRFN put_base64(struct buf *b, struct view v, const char *digits, bool padded)
{
    size_t rest = v.len % 3;
    size_t size = v.len / 3 * 4 + (rest == 0 ? 0 : padded ? 4 : rest + 1);
    uint8_t *at;
    TRY(buf_extend(b, size, &at));
    size_t i = 0;
    for (; i + 3 <= v.len; i += 3, at += 4) {
        put_group(digits, v.data + i, 3, at);
    }
    if (rest > 0) {
        put_group(digits, v.data + i, rest, at);
        if (padded) {
            memset(at + rest + 1, '=', 3 - rest);
        }
    }
    return OK;
}

ERRFN buf_put_base64(struct buf *b, struct view v)
{
    return put_base64(b, v, digits_base64, true);
}

ERRFN buf_put_base64url(struct buf *b, struct view v)
{
    return put_base64(b, v, digits_base64url, false);
}

static void values_of(const char *digits, uint8_t out_values[static 256])
{
    memset(out_values, NO_DIGIT, 256);
    for (uint8_t i = 0; i < 64; i++) {
        out_values[(uint8_t)digits[i]] = i;
    }
}

/* Reads the last group, of 2 or 3 digits; the bits that no byte takes must be zero. */
static ERRFN get_last_group(const uint8_t *values, struct view text, uint8_t *out)
{
    uint32_t group = 0;
    for (size_t i = 0; i < text.len; i++) {
        ENSURE(values[text.data[i]] != NO_DIGIT, BASE64_INVALID);
        group |= (uint32_t)values[text.data[i]] << (18 - 6 * i);
    }
    ENSURE((group & (text.len == 2 ? 0xffffu : 0xffu)) == 0, BASE64_INVALID);
    out[0] = (uint8_t)(group >> 16);
    if (text.len == 3) {
        out[1] = (uint8_t)(group >> 8);
    }
    return OK;
}

static ERRFN get_groups(const uint8_t *values, struct view text, uint8_t *out)
{
    uint8_t seen = 0;
    for (; text.len >= 4; text.data += 4, text.len -= 4, out += 3) {
        uint8_t a = values[text.data[0]];
        uint8_t b = values[text.data[1]];
        uint8_t c = values[text.data[2]];
        uint8_t d = values[text.data[3]];
        seen |= a | b | c | d;
        out[0] = (uint8_t)(a << 2 | b >> 4);
        out[1] = (uint8_t)(b << 4 | c >> 2);
        out[2] = (uint8_t)(c << 6 | d);
    }
    ENSURE(seen < 64, BASE64_INVALID);
    return text.len > 0 ? get_last_group(values, text, out) : OK;
}

/* `text` without padding. */
static ERRFN decode_base64(struct view text, const char *digits, struct buf *out_bytes)
{
    size_t rest = text.len % 4;
    ENSURE(rest != 1, BASE64_INVALID);
    uint8_t values[256];
    size_t before = out_bytes->len;
    uint8_t *at;
    TRY(buf_extend(out_bytes, text.len / 4 * 3 + (rest ? rest - 1 : 0), &at));
    values_of(digits, values);
    err_t got = get_groups(values, text, at);
    if (!IS_OK(got)) {
        buf_truncate(out_bytes, before);
    }
    return got;
}

ERRFN base64_decode(struct view text, struct buf *out_bytes)
{
    ENSURE(text.len % 4 == 0, BASE64_INVALID);
    for (int i = 0; i < 2 && text.len > 0 && text.data[text.len - 1] == '='; i++) {
        text.len--;
    }
    return decode_base64(text, digits_base64, out_bytes);
}

ERRFN base64url_decode(struct view text, struct buf *out_bytes)
{
    return decode_base64(text, digits_base64url, out_bytes);
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
