#include "front/json_text.h"

#include <string.h>

#include "base/text.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

void json_skip(struct view *left, size_t bytes)
{
    left->data += bytes;
    left->len -= bytes;
}

uint8_t json_peek(struct view left)
{
    return left.len > 0 ? left.data[0] : 0;
}

bool json_take(struct view *left, char c)
{
    bool there = json_peek(*left) == (uint8_t)c;
    if (there) {
        json_skip(left, 1);
    }
    return there;
}

void json_skip_space(struct view *left)
{
    while (left->len > 0 && memchr(" \t\n\r", left->data[0], 4)) {
        json_skip(left, 1);
    }
}

static int hex_digit(uint8_t c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    uint8_t lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The code unit of the four hex digits at `at`, or -1. */
static int code_unit(struct view v, size_t at)
{
    if (v.len < at + 4) {
        return -1;
    }
    int unit = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = hex_digit(v.data[at + i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

/* Length of the escape at the front of v, or 0 when it is malformed; the character it stands
 * for. */
static size_t escape_length(struct view v, uint32_t *out_character)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter = v.len > 1 && v.data[1] != 0 ? strchr(letters, v.data[1]) : NULL;
    if (letter) {
        *out_character = (uint8_t)meanings[letter - letters];
        return 2;
    }
    int unit = v.len > 1 && v.data[1] == 'u' ? code_unit(v, 2) : -1;
    bool low_alone = unit >= 0xdc00 && unit <= 0xdfff;
    if (unit <= 0 || low_alone) {
        return 0;
    }
    if (unit < 0xd800 || unit > 0xdbff) {
        *out_character = (uint32_t)unit;
        return 6;
    }
    int low = v.len > 7 && v.data[6] == '\\' && v.data[7] == 'u' ? code_unit(v, 8) : -1;
    if (low < 0xdc00 || low > 0xdfff) {
        return 0;
    }
    *out_character = 0x10000u + (((uint32_t)unit - 0xd800u) << 10) + ((uint32_t)low - 0xdc00u);
    return 12;
}

/* Length of the run of bytes beyond ASCII at the front of v, or 0 when it is not UTF-8 of
 * printable characters. */
static size_t foreign_length(struct view v)
{
    size_t len = 0;
    while (len < v.len && v.data[len] >= 0x80) {
        len++;
    }
    return text_is_clean(view_of(v.data, len)) ? len : 0;
}

/* Length of what is not plain ASCII at the front of v, or 0 when it may not stand in a string. */
static size_t special_length(struct view v, bool *out_escaped)
{
    uint32_t character;
    if (v.data[0] == '\\') {
        *out_escaped = true;
        return escape_length(v, &character);
    }
    return foreign_length(v);
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* A string from its opening quote on. */
ERRFN json_read_string(struct view *left, struct view *out_text, bool *out_escaped)
{
    ENSURE(json_take(left, '"'), JSON_INVALID);
    struct view text = {left->data, 0};
    bool escaped = false;
    while (left->len > 0 && left->data[0] != '"') {
        size_t len = 0;
        while (len < left->len && is_plain(left->data[len])) {
            len++;
        }
        if (len == 0) {
            len = special_length(*left, &escaped);
            ENSURE(len > 0, JSON_INVALID);
        }
        json_skip(left, len);
    }
    text.len = (size_t)(left->data - text.data);
    ENSURE(json_take(left, '"'), JSON_INVALID);
    *out_text = text;
    *out_escaped = escaped;
    return OK;
}

static bool take_digits(struct view *left)
{
    bool any = false;
    while (is_digit(json_peek(*left))) {
        json_skip(left, 1);
        any = true;
    }
    return any;
}

ERRFN json_read_number(struct view *left, struct view *out_text)
{
    struct view text = {left->data, 0};
    json_take(left, '-');
    bool whole = json_take(left, '0') ? !is_digit(json_peek(*left)) : take_digits(left);
    ENSURE(whole, JSON_INVALID);
    ENSURE(!json_take(left, '.') || take_digits(left), JSON_INVALID);
    if (json_take(left, 'e') || json_take(left, 'E')) {
        if (!json_take(left, '+')) {
            json_take(left, '-');
        }
        ENSURE(take_digits(left), JSON_INVALID);
    }
    text.len = (size_t)(left->data - text.data);
    *out_text = text;
    return OK;
}

ERRFN json_read_word(struct view *left, const char *word)
{
    size_t len = strlen(word);
    ENSURE(left->len >= len && memcmp(left->data, word, len) == 0, JSON_INVALID);
    json_skip(left, len);
    return OK;
}

static ERRFN put_utf8(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        return buf_put_u8(out, (uint8_t)c);
    }
    if (c < 0x800) {
        return buf_put_u16(out, (uint16_t)(0xc080 | (c & 0x7c0) << 2 | (c & 0x3f)));
    }
    uint8_t bytes[4] = {(uint8_t)(0xf0 | c >> 18), (uint8_t)(0x80 | (c >> 12 & 0x3f)),
                        (uint8_t)(0x80 | (c >> 6 & 0x3f)), (uint8_t)(0x80 | (c & 0x3f))};
    if (c < 0x10000) {
        bytes[1] = (uint8_t)(0xe0 | c >> 12);
        return buf_put(out, view_of(bytes + 1, 3));
    }
    return buf_put(out, view_of(bytes, 4));
}

ERRFN json_unescape_text(struct view content, struct buf *out_text)
{
    struct view left = content;
    while (left.len > 0) {
        size_t len = 0;
        while (len < left.len && left.data[len] != '\\') {
            len++;
        }
        TRY(buf_put(out_text, view_of(left.data, len)));
        if (len < left.len) {
            uint32_t character = 0;
            struct view escape = view_of(left.data + len, left.len - len);
            len += escape_length(escape, &character);
            TRY(put_utf8(out_text, character));
        }
        left.data += len;
        left.len -= len;
    }
    return OK;
}
