#include "front/pem.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { BOUNDARY_SIZE = 64 /* dashes and the longest label */ };

/* The text of a field, line ends and all. */
static ERRFN lines_of(struct fields *f, const struct json_value *value, size_t max,
                      struct view *out_text)
{
    ENSURE(value->kind == JSON_STRING, FIELD_INVALID);
    ENSURE(value->text.len <= max, TOO_LONG);
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

static const uint8_t *find(struct view text, const char *what)
{
    return text.len > 0 ? memmem(text.data, text.len, what, strlen(what)) : NULL;
}

/* What stands between the boundaries; false when there are none of this label. */
static bool between(struct view text, const char *label, struct view *out_inside)
{
    char begin[BOUNDARY_SIZE];
    char end[BOUNDARY_SIZE];
    snprintf(begin, sizeof begin, "-----BEGIN %s-----", label);
    snprintf(end, sizeof end, "-----END %s-----", label);
    const uint8_t *from = find(text, begin);
    if (!from) {
        return false;
    }
    from += strlen(begin);
    struct view rest = view_of(from, text.len - (size_t)(from - text.data));
    const uint8_t *to = find(rest, end);
    *out_inside = view_of(from, to ? (size_t)(to - from) : 0);
    return to != NULL;
}

static ERRFN strip(struct view text, const char *label, const char *other, struct view *out_inside)
{
    if (between(text, label, out_inside) || (other && between(text, other, out_inside))) {
        return OK;
    }
    ENSURE(!find(text, "-----"), FIELD_INVALID);
    *out_inside = text;
    return OK;
}

static ERRFN decode(struct view text, size_t max, struct buf **out_der)
{
    AUTO(buf) joined = NULL;
    AUTO(buf) der = NULL;
    TRY(buf_new(text.len, &joined));
    for (size_t i = 0; i < text.len; i++) {
        if (!memchr(" \t\r\n", text.data[i], 4)) {
            TRY(buf_put_u8(joined, text.data[i]));
        }
    }
    TRY(buf_new(max, &der));
    TRY(base64_decode(buf_view(joined), der));
    ENSURE(der->len > 0, FIELD_INVALID);
    *out_der = STEAL(der);
    return OK;
}

ERRFN field_pem(struct fields *f, const char *name, const char *label, const char *other,
                size_t max, struct view *out_der)
{
    f->fault = name;
    *out_der = VIEW_EMPTY;
    const struct json_value *value = field_find(f, name);
    if (!value || (value->kind == JSON_STRING && value->text.len == 0)) {
        return OK;
    }
    struct view text;
    struct view inside;
    AUTO(buf) der = NULL;
    TRY(lines_of(f, value, 2 * max + 256, &text));
    TRY(strip(text, label, other, &inside));
    TRY(decode(inside, max, &der));
    *out_der = buf_view(der);
    return fields_keep(f, STEAL(der));
}
