#include "front/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

ERRFN fields_read(struct view body, struct fields *out_fields)
{
    out_fields->fault = "";
    out_fields->decoded_count = 0;
    TRY(json_read(body, &out_fields->json));
    ENSURE(out_fields->json.values[0].kind == JSON_OBJECT, FIELD_INVALID);
    return OK;
}

void fields_clear(struct fields *f)
{
    for (size_t i = 0; i < f->decoded_count; i++) {
        buf_free(f->decoded[i]);
    }
    f->decoded_count = 0;
}

void fields_free(struct fields *f)
{
    if (f) {
        fields_clear(f);
        free(f);
    }
}

ERRFN fields_keep(struct fields *f, struct buf *take_buf)
{
    if (f->decoded_count == FIELDS_DECODED_MAX) {
        buf_free(take_buf);
        return E(TOO_LONG);
    }
    f->decoded[f->decoded_count++] = take_buf;
    return OK;
}

const struct json_value *field_find(const struct fields *f, const char *name)
{
    const struct json_value *value = json_member(&f->json, &f->json.values[0], name);
    return value && value->kind != JSON_NULL ? value : NULL;
}

/* The content of a string. */
static ERRFN string_of(struct fields *f, const struct json_value *value, struct view *out_text)
{
    ENSURE(value->kind == JSON_STRING, FIELD_INVALID);
    if (!value->escaped) {
        *out_text = value->text;
        return OK;
    }
    AUTO(buf) text = NULL;
    TRY(buf_new(value->text.len, &text)); /* an escape is never shorter than what it stands for */
    TRY(json_unescape(value, text));
    *out_text = buf_view(text);
    return fields_keep(f, STEAL(text));
}

ERRFN field_text(struct fields *f, const char *name, size_t max, const char *absent,
                 struct view *out_text)
{
    f->fault = name;
    const struct json_value *value = field_find(f, name);
    struct view text = view_text(absent);
    if (value) {
        TRY(string_of(f, value, &text));
    }
    ENSURE(text.len <= max, TOO_LONG);
    ENSURE(text_is_clean(text), FIELD_INVALID);
    *out_text = text;
    return OK;
}

/* Appends the text without line ends and outer white space. */
static ERRFN put_without_lines(struct view text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!memchr(" \t\r\n", text.data[i], 4)) {
            TRY(buf_put_u8(out, text.data[i]));
        }
    }
    return OK;
}

ERRFN field_base64(struct fields *f, const char *name, size_t max, struct view *out_bytes)
{
    f->fault = name;
    *out_bytes = VIEW_EMPTY;
    const struct json_value *value = field_find(f, name);
    if (!value) {
        return OK;
    }
    struct view text;
    AUTO(buf) joined = NULL;
    TRY(string_of(f, value, &text));
    if (value->escaped) {
        TRY(buf_new(text.len, &joined));
        TRY(put_without_lines(text, joined));
        text = buf_view(joined);
    }
    AUTO(buf) bytes = NULL;
    ENSURE(text.len / 4 * 3 <= max + 3, TOO_LONG);
    TRY(buf_new(max + 3, &bytes));
    TRY(base64_decode(text, bytes));
    ENSURE(bytes->len <= max, TOO_LONG);
    *out_bytes = buf_view(bytes);
    return fields_keep(f, STEAL(bytes));
}

ERRFN field_hex(struct fields *f, const char *name, size_t len, struct view *out_bytes)
{
    f->fault = name;
    *out_bytes = VIEW_EMPTY;
    const struct json_value *value = field_find(f, name);
    if (!value) {
        return OK;
    }
    ENSURE(value->kind == JSON_STRING && !value->escaped, FIELD_INVALID);
    AUTO(buf) bytes = NULL;
    uint8_t *at;
    TRY(buf_new(len, &bytes));
    TRY(buf_extend(bytes, len, &at));
    TRY(hex_decode(value->text, at, len));
    *out_bytes = buf_view(bytes);
    return fields_keep(f, STEAL(bytes));
}
