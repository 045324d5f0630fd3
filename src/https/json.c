#include "https/json.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/text.h"

/* jansson descends by recursion, so depth is bounded before it starts. */
static ERRFN check_depth(struct view text)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            ENSURE(++depth <= JSON_DEPTH_MAX, JSON_TOO_DEEP);
        } else if (c == '}' || c == ']') {
            ENSURE(depth-- > 0, JSON_INVALID);
        }
    }
    return OK;
}

static ERRFN read_value(struct view text, json_t **out_value)
{
    TRY(check_depth(text));
    *out_value = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    ENSURE(*out_value, JSON_INVALID);
    return OK;
}

ERRFN json_read(struct view text, json_t **out_object)
{
    AUTO(json) value = NULL;
    TRY(read_value(text, &value));
    ENSURE(json_is_object(value), JSON_INVALID);
    *out_object = STEAL(value);
    return OK;
}

ERRFN json_read_list(struct view text, json_t **out_list)
{
    AUTO(json) value = NULL;
    TRY(read_value(text, &value));
    ENSURE(json_is_array(value), JSON_INVALID);
    *out_list = STEAL(value);
    return OK;
}

static void wipe_and_free(void *memory)
{
    if (memory) {
        bytes_wipe(memory, malloc_usable_size(memory));
        free(memory);
    }
}

void json_setup(void)
{
    json_set_alloc_funcs(malloc, wipe_and_free);
}

ERRFN json_get_text(const json_t *object, const char *key, size_t max, const char **out_text)
{
    const json_t *field = json_object_get(object, key);
    ENSURE(field && !json_is_null(field), FIELD_MISSING);
    ENSURE(json_is_string(field), FIELD_INVALID);
    ENSURE(json_string_length(field) <= max, TOO_LONG);
    ENSURE(text_is_clean(view_of(json_string_value(field), json_string_length(field))),
           FIELD_INVALID);
    *out_text = json_string_value(field);
    return OK;
}

ERRFN json_get_text_or_empty(const json_t *object, const char *key, size_t max,
                             const char **out_text)
{
    err_t e = json_get_text(object, key, max, out_text);
    if (IS_E(e, FIELD_MISSING)) {
        *out_text = "";
        return OK;
    }
    return e;
}

ERRFN json_get_base64(const json_t *object, const char *key, size_t max, struct buf **out_bytes)
{
    const char *text;
    TRY(json_get_text(object, key, BASE64_TEXT_SIZE(max) - 1, &text));
    AUTO(buf) bytes = NULL;
    TRY(buf_new(max, &bytes));
    TRY(base64_decode(view_text(text), bytes));
    *out_bytes = STEAL(bytes);
    return OK;
}

ERRFN json_set_base64(json_t *object, const char *key, struct view bytes)
{
    AUTO(buf) text = NULL;
    TRY(buf_new(BASE64_TEXT_SIZE(bytes.len), &text));
    TRY(buf_put_base64(text, bytes));
    json_t *value =
        json_stringn((const char *)(text->len > 0 ? text->data : (const uint8_t *)""), text->len);
    ENSURE(json_object_set_new(object, key, value) == 0, NO_MEMORY);
    return OK;
}

ERRFN json_set_text(json_t *object, const char *key, const char *text)
{
    ENSURE(json_object_set_new(object, key, json_string(text)) == 0, NO_MEMORY);
    return OK;
}

static int append(const char *data, size_t len, void *arg)
{
    return IS_OK(buf_put(arg, view_of(data, len))) ? 0 : -1;
}

ERRFN json_write(const json_t *value, size_t indent, size_t max, struct buf **out_text)
{
    AUTO(buf) text = NULL;
    TRY(buf_new(max, &text));
    size_t flags = indent > 0 ? JSON_INDENT(indent) : JSON_COMPACT;
    ENSURE(json_dump_callback(value, append, text, flags | JSON_ENCODE_ANY) == 0, TOO_LONG);
    *out_text = STEAL(text);
    return OK;
}
