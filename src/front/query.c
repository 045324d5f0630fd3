#include "front/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Takes the next name and value, neither decoded; false at the end. */
static bool next_parameter(struct view *rest, struct view *out_name, struct view *out_value)
{
    if (rest->len == 0) {
        return false;
    }
    const uint8_t *end = memchr(rest->data, '&', rest->len);
    size_t len = end ? (size_t)(end - rest->data) : rest->len;
    struct view parameter = view_of(rest->data, len);
    size_t used = end ? len + 1 : len;
    rest->data += used;
    rest->len -= used;
    const uint8_t *equals = len > 0 ? memchr(parameter.data, '=', len) : NULL;
    size_t name_len = equals ? (size_t)(equals - parameter.data) : len;
    *out_name = view_of(parameter.data, name_len);
    *out_value = equals ? view_of(equals + 1, len - name_len - 1) : VIEW_EMPTY;
    return true;
}

static ERRFN decode(struct view value, char out_value[static QUERY_VALUE_SIZE])
{
    size_t used = 0;
    while (value.len > 0) {
        uint8_t c = value.data[0];
        size_t step = 1;
        if (c == '%') {
            ENSURE(value.len >= 3, FIELD_INVALID);
            TRY(hex_decode(view_of(value.data + 1, 2), &c, 1));
            step = 3;
        }
        ENSURE(used < QUERY_VALUE_SIZE - 1, TOO_LONG);
        out_value[used++] = (char)c;
        value.data += step;
        value.len -= step;
    }
    out_value[used] = '\0';
    ENSURE(text_is_clean(view_of(out_value, used)), FIELD_INVALID);
    return OK;
}

ERRFN query_get(const char *query, const char *name, char out_value[static QUERY_VALUE_SIZE])
{
    struct view rest = view_text(query);
    struct view found_name;
    struct view value;
    bool found = false;
    out_value[0] = '\0';
    while (next_parameter(&rest, &found_name, &value)) {
        if (view_is(found_name, name)) {
            ENSURE(!found, FIELD_INVALID);
            found = true;
            TRY(decode(value, out_value));
        }
    }
    return OK;
}

ERRFN query_get_number(const char *query, const char *name, uint16_t least, uint16_t most,
                       uint16_t absent, uint16_t *out_number)
{
    char text[QUERY_VALUE_SIZE];
    TRY(query_get(query, name, text));
    char *end = text;
    unsigned long number = text[0] ? strtoul(text, &end, 10) : absent;
    ENSURE(text[0] == '\0' || (text[0] >= '0' && text[0] <= '9' && *end == '\0'), FIELD_INVALID);
    ENSURE(number >= least && number <= most, FIELD_INVALID);
    *out_number = (uint16_t)number;
    return OK;
}

static bool is_one_of(struct view name, const char *const *names)
{
    while (*names && !view_is(name, *names)) {
        names++;
    }
    return *names != NULL;
}

ERRFN query_only(const char *query, const char *const *names)
{
    struct view rest = view_text(query);
    struct view name;
    struct view value;
    while (next_parameter(&rest, &name, &value)) {
        ENSURE(is_one_of(name, names), FIELD_UNKNOWN);
    }
    return OK;
}
