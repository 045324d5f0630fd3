#include "front/json.h"

#include <string.h>

/* Where the reader is: the text left, and the containers that are open, innermost last. */
struct reader {
    struct view left;
    struct json *json;
    uint16_t open[JSON_DEPTH_MAX];
    size_t depth;
};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static void skip(struct reader *r, size_t bytes)
{
    r->left.data += bytes;
    r->left.len -= bytes;
}

static void skip_space(struct reader *r)
{
    while (r->left.len > 0 && is_space(r->left.data[0])) {
        skip(r, 1);
    }
}

/* The next byte, or 0, which no JSON text holds. */
static uint8_t peek(const struct reader *r)
{
    return r->left.len > 0 ? r->left.data[0] : 0;
}

static bool take(struct reader *r, char c)
{
    bool there = peek(r) == (uint8_t)c;
    if (there) {
        skip(r, 1);
    }
    return there;
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

/* Length of the escape at the front of v, or 0 when it is malformed; the character it stands for. */
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

/* Length of the UTF-8 sequence (RFC 3629) of a character beyond ASCII at the front of v, or 0. */
static size_t utf8_length(struct view v)
{
    uint8_t first = v.data[0];
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || v.len < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((v.data[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    uint8_t second = v.data[1];
    bool refused = (first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0) ||
                   (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90);
    return refused ? 0 : len;
}

/* Length of what is not plain ASCII at the front of v, or 0 when it may not stand in a string. */
static size_t special_length(struct view v, bool *out_escaped)
{
    uint32_t character;
    if (v.data[0] == '\\') {
        *out_escaped = true;
        return escape_length(v, &character);
    }
    return v.data[0] < 0x80 ? 0 : utf8_length(v);
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* A string from its opening quote on. */
static ERRFN read_string(struct reader *r, struct view *out_text, bool *out_escaped)
{
    ENSURE(take(r, '"'), JSON_INVALID);
    struct view text = {r->left.data, 0};
    bool escaped = false;
    while (r->left.len > 0 && r->left.data[0] != '"') {
        size_t len = 0;
        while (len < r->left.len && is_plain(r->left.data[len])) {
            len++;
        }
        if (len == 0) {
            len = special_length(r->left, &escaped);
            ENSURE(len > 0, JSON_INVALID);
        }
        skip(r, len);
    }
    text.len = (size_t)(r->left.data - text.data);
    ENSURE(take(r, '"'), JSON_INVALID);
    *out_text = text;
    *out_escaped = escaped;
    return OK;
}

static bool take_digits(struct reader *r)
{
    bool any = false;
    while (is_digit(peek(r))) {
        skip(r, 1);
        any = true;
    }
    return any;
}

static ERRFN read_number(struct reader *r, struct view *out_text)
{
    struct view text = {r->left.data, 0};
    take(r, '-');
    bool whole = take(r, '0') ? !is_digit(peek(r)) : take_digits(r);
    ENSURE(whole, JSON_INVALID);
    ENSURE(!take(r, '.') || take_digits(r), JSON_INVALID);
    if (take(r, 'e') || take(r, 'E')) {
        if (!take(r, '+')) {
            take(r, '-');
        }
        ENSURE(take_digits(r), JSON_INVALID);
    }
    text.len = (size_t)(r->left.data - text.data);
    *out_text = text;
    return OK;
}

static ERRFN read_word(struct reader *r, const char *word)
{
    size_t len = strlen(word);
    ENSURE(r->left.len >= len && memcmp(r->left.data, word, len) == 0, JSON_INVALID);
    skip(r, len);
    return OK;
}

static ERRFN open_container(struct reader *r, struct json_value *value, enum json_kind kind)
{
    ENSURE(r->depth < JSON_DEPTH_MAX, JSON_TOO_DEEP);
    skip(r, 1);
    value->kind = kind;
    r->open[r->depth++] = (uint16_t)(value - r->json->values);
    return OK;
}

static ERRFN read_scalar(struct reader *r, struct json_value *value)
{
    switch (peek(r)) {
    case '"':
        value->kind = JSON_STRING;
        return read_string(r, &value->text, &value->escaped);
    case 't':
        value->kind = JSON_TRUE;
        return read_word(r, "true");
    case 'f':
        value->kind = JSON_FALSE;
        return read_word(r, "false");
    case 'n':
        value->kind = JSON_NULL;
        return read_word(r, "null");
    default:
        value->kind = JSON_NUMBER;
        return read_number(r, &value->text);
    }
}

static ERRFN name_is_new(const struct reader *r, uint16_t object, struct view name)
{
    for (uint16_t i = (uint16_t)(object + 1); i < r->json->count; i++) {
        const struct json_value *other = &r->json->values[i];
        ENSURE(other->parent != object || !view_equal(other->name, name), JSON_INVALID);
    }
    return OK;
}

static ERRFN read_name(struct reader *r, uint16_t object, struct view *out_name)
{
    bool escaped;
    TRY(read_string(r, out_name, &escaped));
    ENSURE(!escaped, JSON_INVALID);
    TRY(name_is_new(r, object, *out_name));
    skip_space(r);
    ENSURE(take(r, ':'), JSON_INVALID);
    skip_space(r);
    return OK;
}

/* One value; a container's content is left to the steps that follow. */
static ERRFN read_value(struct reader *r)
{
    ENSURE(r->json->count < JSON_VALUES_MAX, JSON_INVALID);
    struct json_value value = {0};
    if (r->depth > 0) {
        value.parent = r->open[r->depth - 1];
        if (r->json->values[value.parent].kind == JSON_OBJECT) {
            TRY(read_name(r, value.parent, &value.name));
        }
    }
    struct json_value *slot = &r->json->values[r->json->count++];
    *slot = value;
    if (peek(r) == '{') {
        return open_container(r, slot, JSON_OBJECT);
    }
    if (peek(r) == '[') {
        return open_container(r, slot, JSON_ARRAY);
    }
    return read_scalar(r, slot);
}

static bool take_end(struct reader *r)
{
    bool object = r->json->values[r->open[r->depth - 1]].kind == JSON_OBJECT;
    return take(r, object ? '}' : ']');
}

/* What follows a value that just ended: the ends of containers, then a comma when one is still open. */
static ERRFN close_containers(struct reader *r, bool just_opened)
{
    while (r->depth > 0) {
        skip_space(r);
        if (!take_end(r)) {
            ENSURE(just_opened || take(r, ','), JSON_INVALID);
            skip_space(r);
            return OK;
        }
        r->depth--;
        just_opened = false;
    }
    return OK;
}

ERRFN json_read(struct view text, struct json *out_json)
{
    struct reader r = {.left = text, .json = out_json};
    out_json->count = 0;
    skip_space(&r);
    do {
        size_t depth = r.depth;
        TRY(read_value(&r));
        TRY(close_containers(&r, r.depth > depth));
    } while (r.depth > 0);
    skip_space(&r);
    ENSURE(r.left.len == 0, JSON_INVALID);
    return OK;
}

static const struct json_value *next_of(const struct json *json, size_t parent, size_t from)
{
    for (size_t i = from; i < json->count; i++) {
        if (json->values[i].parent == parent) {
            return &json->values[i];
        }
    }
    return NULL;
}

const struct json_value *json_first(const struct json *json, const struct json_value *container)
{
    size_t index = (size_t)(container - json->values);
    return next_of(json, index, index + 1);
}

const struct json_value *json_after(const struct json *json, const struct json_value *child)
{
    return next_of(json, child->parent, (size_t)(child - json->values) + 1);
}

const struct json_value *json_member(const struct json *json, const struct json_value *object, const char *name)
{
    const struct json_value *member = json_first(json, object);
    while (member && !view_is(member->name, name)) {
        member = json_after(json, member);
    }
    return member;
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

ERRFN json_unescape(const struct json_value *string, struct buf *out_text)
{
    struct view left = string->text;
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
