#include "cli/evidence_text.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "tpm/pem.h"

/* What no encoding of fewer characters is worth: a SHA-1 nonce has 28. */
enum { TEXT_MIN_CHARS = 8 };

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_hex(uint8_t c)
{
    return isxdigit(c);
}

static bool is_base64(uint8_t c)
{
    return isalnum(c) || c == '+' || c == '/' || c == '-' || c == '_';
}

static struct view without_space(struct view text)
{
    while (text.len > 0 && is_space(text.data[0])) {
        text = view_of(text.data + 1, text.len - 1);
    }
    while (text.len > 0 && is_space(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

static struct view without_quotes(struct view text)
{
    text = without_space(text);
    bool quoted = text.len >= 2 && (text.data[0] == '"' || text.data[0] == '\'') &&
                  text.data[text.len - 1] == text.data[0];
    return quoted ? view_of(text.data + 1, text.len - 2) : text;
}

/* -- hexadecimal ------------------------------------------------------------------------------- */

static bool separates(uint8_t c)
{
    return is_space(c) || c == ':' || c == ',' || c == '-';
}

/* The digits of the next group, at most one "0x" off. */
static struct view next_group(struct view *text)
{
    while (text->len > 0 && separates(text->data[0])) {
        *text = view_of(text->data + 1, text->len - 1);
    }
    size_t len = 0;
    while (len < text->len && !separates(text->data[len])) {
        len++;
    }
    struct view group = view_of(text->data, len);
    *text = view_of(text->data + len, text->len - len);
    bool marked = len > 2 && group.data[0] == '0' && (group.data[1] | 0x20) == 'x';
    return marked ? view_of(group.data + 2, len - 2) : group;
}

/* Whole bytes in each group. Single bytes where there are hyphens, which base64url has too. */
static ERRFN decode_hex(struct view text, struct buf **out_bytes)
{
    AUTO(buf) bytes = NULL;
    bool hyphens = text.len > 0 && memchr(text.data, '-', text.len);
    TRY(buf_new(text.len, &bytes));
    for (struct view group = next_group(&text); group.len > 0; group = next_group(&text)) {
        uint8_t *at;
        ENSURE(group.len % 2 == 0 && (!hyphens || group.len == 2), NOT_FOUND);
        TRY(buf_extend(bytes, group.len / 2, &at));
        ENSURE(IS_OK(hex_decode(group, at, group.len / 2)), NOT_FOUND);
    }
    ENSURE(bytes->len >= TEXT_MIN_CHARS / 2, NOT_FOUND);
    *out_bytes = STEAL(bytes);
    return OK;
}

/* -- base64 ------------------------------------------------------------------------------------ */

/* Only the bytes of it that are not white space; "%3D" and its like become what they stand for. */
static ERRFN squeeze(struct view text, struct buf **out_text)
{
    AUTO(buf) squeezed = NULL;
    TRY(buf_new(text.len, &squeezed));
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '%' && i + 2 < text.len &&
            IS_OK(hex_decode(view_of(text.data + i + 1, 2), &c, 1))) {
            i += 2;
        }
        if (!is_space(c)) {
            TRY(buf_put_u8(squeezed, c));
        }
    }
    *out_text = STEAL(squeezed);
    return OK;
}

static bool all_of(struct view text, bool belongs(uint8_t c))
{
    for (size_t i = 0; i < text.len; i++) {
        if (!belongs(text.data[i])) {
            return false;
        }
    }
    return text.len >= TEXT_MIN_CHARS;
}

static struct view without_padding(struct view text)
{
    for (int i = 0; i < 2 && text.len > 0 && text.data[text.len - 1] == '='; i++) {
        text.len--;
    }
    return text;
}

/* Both alphabets at once: what mixes them is nobody's. */
static ERRFN decode_base64(struct view text, struct buf **out_bytes)
{
    AUTO(buf) url = NULL;
    AUTO(buf) bytes = NULL;
    text = without_padding(text);
    ENSURE(all_of(text, is_base64), NOT_FOUND);
    TRY(buf_copy(text, &url));
    for (size_t i = 0; i < url->len; i++) {
        uint8_t c = url->data[i];
        url->data[i] = c == '+' ? '-' : c == '/' ? '_' : c;
    }
    TRY(buf_new(text.len, &bytes));
    err_t decoded = base64url_decode(buf_view(url), bytes);
    ENSURE(!IS_E(decoded, BASE64_INVALID), NOT_FOUND);
    TRY(decoded);
    *out_bytes = STEAL(bytes);
    return OK;
}

/* -- any --------------------------------------------------------------------------------------- */

ERRFN evidence_text_decode(struct view content, struct buf **out_bytes)
{
    ENSURE(content.len > 0 && !pem_is(content), NOT_FOUND);
    struct view text = without_quotes(content);
    err_t decoded = decode_hex(text, out_bytes);
    if (!IS_E(decoded, NOT_FOUND)) {
        return decoded;
    }
    AUTO(buf) squeezed = NULL;
    TRY(squeeze(text, &squeezed));
    bool hex = squeezed->len % 2 == 0 && all_of(buf_view(squeezed), is_hex);
    return hex ? decode_hex(buf_view(squeezed), out_bytes)
               : decode_base64(buf_view(squeezed), out_bytes);
}

/* Whether it is ASCII in two bytes each, of which the one at `low` counts. */
static bool is_wide_ascii(struct view wide, size_t low)
{
    for (size_t i = 0; i + 1 < wide.len; i += 2) {
        if (wide.data[i + 1 - low] != 0 || wide.data[i + low] >= 0x80) {
            return false;
        }
    }
    return wide.len % 2 == 0;
}

ERRFN evidence_text_plain(struct view content, struct buf **out_text)
{
    static const uint8_t mark[] = {0xEF, 0xBB, 0xBF};
    if (content.len >= sizeof mark && memcmp(content.data, mark, sizeof mark) == 0) {
        return buf_copy(view_of(content.data + sizeof mark, content.len - sizeof mark), out_text);
    }
    bool little = content.len >= 2 && content.data[0] == 0xFF && content.data[1] == 0xFE;
    bool big = content.len >= 2 && content.data[0] == 0xFE && content.data[1] == 0xFF;
    struct view wide = little || big ? view_of(content.data + 2, content.len - 2) : VIEW_EMPTY;
    if (wide.len == 0 || !is_wide_ascii(wide, big)) {
        return buf_copy(content, out_text);
    }
    AUTO(buf) text = NULL;
    TRY(buf_new(wide.len / 2, &text));
    for (size_t i = big; i < wide.len; i += 2) {
        TRY(buf_put_u8(text, wide.data[i]));
    }
    *out_text = STEAL(text);
    return OK;
}

bool evidence_text_keylime(struct view content, size_t piece, struct view *out_base64)
{
    struct view rest = without_quotes(content);
    if (rest.len == 0 || rest.data[0] != 'r' || !memchr(rest.data, ':', rest.len)) {
        return false;
    }
    rest = view_of(rest.data + 1, rest.len - 1);
    for (size_t i = 0; rest.len > 0; i++) {
        const uint8_t *colon = memchr(rest.data, ':', rest.len);
        size_t len = colon ? (size_t)(colon - rest.data) : rest.len;
        if (!all_of(without_padding(view_of(rest.data, len)), is_base64)) {
            return false;
        }
        if (i == piece) {
            *out_base64 = view_of(rest.data, len);
            return true;
        }
        len += colon ? 1 : 0;
        rest = view_of(rest.data + len, rest.len - len);
    }
    return false;
}
