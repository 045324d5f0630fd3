#include "cli/evidence_file.h"

#include <ctype.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "https/json.h"
#include "tpm/pem.h"

/* What no encoding of fewer characters is worth: a SHA-1 nonce has 28. */
enum { TEXT_MIN_CHARS = 8 };

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

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

static bool is_hex(uint8_t c)
{
    return isxdigit(c);
}

static bool is_base64(uint8_t c)
{
    return isalnum(c) || c == '+' || c == '/' || c == '-' || c == '_';
}

static ERRFN decode_hex(struct view text, struct buf **out_bytes)
{
    AUTO(buf) bytes = NULL;
    uint8_t *at;
    TRY(buf_new(text.len, &bytes));
    TRY(buf_extend(bytes, text.len / 2, &at));
    TRY(hex_decode(text, at, text.len / 2));
    *out_bytes = STEAL(bytes);
    return OK;
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
    TRY(buf_copy(text, &url));
    for (size_t i = 0; i < url->len; i++) {
        uint8_t c = url->data[i];
        url->data[i] = c == '+' ? '-' : c == '/' ? '_' : c;
    }
    TRY(buf_new(text.len, &bytes));
    TRY(base64url_decode(buf_view(url), bytes));
    *out_bytes = STEAL(bytes);
    return OK;
}

static ERRFN decode_json(struct view text, const char *key, struct buf **out_bytes)
{
    AUTO(json) object = NULL;
    TRY(json_read(text, &object));
    const json_t *member = json_object_get(object, key);
    ENSURE(json_is_string(member), FIELD_MISSING);
    return buf_copy(view_of(json_string_value(member), json_string_length(member)), out_bytes);
}

static bool is_json(struct view content)
{
    size_t i = 0;
    while (i < content.len && is_space(content.data[i])) {
        i++;
    }
    return i < content.len && content.data[i] == '{';
}

/* One layer off. NOT_FOUND: these are bytes, or PEM. */
static ERRFN decode_once(struct view content, const char *json_key, struct buf **out_bytes)
{
    if (json_key && is_json(content)) {
        return decode_json(content, json_key, out_bytes);
    }
    ENSURE(content.len > 0 && !pem_is(content), NOT_FOUND);
    AUTO(buf) squeezed = NULL;
    TRY(squeeze(content, &squeezed));
    struct view text = buf_view(squeezed);
    if (text.len % 2 == 0 && all_of(text, is_hex)) {
        return decode_hex(text, out_bytes);
    }
    text = without_padding(text);
    ENSURE(all_of(text, is_base64), NOT_FOUND);
    err_t decoded = decode_base64(text, out_bytes);
    return IS_E(decoded, BASE64_INVALID) ? E(NOT_FOUND) : decoded;
}

/* Some editors write a byte order mark before text. */
static struct view without_mark(struct view content)
{
    bool marked = content.len >= 3 && memcmp(content.data, "\xEF\xBB\xBF", 3) == 0;
    return marked ? view_of(content.data + 3, content.len - 3) : content;
}

ERRFN evidence_decode(struct view content, const char *json_key, struct buf **out_bytes)
{
    AUTO(buf) bytes = NULL;
    TRY(buf_copy(without_mark(content), &bytes));
    for (int i = 0; i < EVIDENCE_LAYERS_MAX; i++) {
        struct buf *inner = NULL;
        err_t decoded = decode_once(buf_view(bytes), json_key, &inner);
        if (IS_E(decoded, NOT_FOUND)) {
            break;
        }
        TRY(decoded);
        buf_free(bytes);
        bytes = inner;
    }
    *out_bytes = STEAL(bytes);
    return OK;
}

ERRFN evidence_file_read(const char *path, const char *json_key, struct buf **out_bytes)
{
    AUTO(buf) content = NULL;
    TRY(fd_read_file(strcmp(path, "-") == 0 ? "/dev/stdin" : path, EVIDENCE_FILE_MAX_BYTES,
                     &content));
    return evidence_decode(buf_view(content), json_key, out_bytes);
}
