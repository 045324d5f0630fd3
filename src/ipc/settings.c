#include "ipc/settings.h"

#include "base/text.h"

#include <string.h>

ERRFN settings_put(struct buf *settings, const char *name, const char *value)
{
    ENSURE(text_is_clean(view_text(value)) && !strchr(name, ' '), FIELD_INVALID);
    TRY(buf_put_text(settings, name));
    TRY(buf_put_u8(settings, ' '));
    TRY(buf_put_text(settings, value));
    return buf_put_u8(settings, '\n');
}

ERRFN settings_put_number(struct buf *settings, const char *name, uint64_t value)
{
    return buf_printf(settings, "%s %llu\n", name, (unsigned long long)value);
}

/* Takes one line without its end; false when there is none left. */
static bool next_line(struct view *rest, struct view *out_line)
{
    const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    if (!end) {
        return false;
    }
    *out_line = view_of(rest->data, (size_t)(end - rest->data));
    rest->data = end + 1;
    rest->len -= out_line->len + 1;
    return true;
}

ERRFN settings_get(struct view settings, const char *name, size_t index, struct view *out_value)
{
    size_t name_len = strlen(name);
    struct view line;
    while (next_line(&settings, &line)) {
        bool found = line.len > name_len && memcmp(line.data, name, name_len) == 0 && line.data[name_len] == ' ';
        if (found && index-- == 0) {
            *out_value = view_of(line.data + name_len + 1, line.len - name_len - 1);
            return OK;
        }
    }
    return E(FIELD_MISSING);
}

ERRFN settings_get_text(struct view settings, const char *name, size_t index, char *out_text, size_t size)
{
    struct view value;
    TRY(settings_get(settings, name, index, &value));
    return view_to_text(value, out_text, size);
}

ERRFN settings_get_number(struct view settings, const char *name, uint64_t *out_value)
{
    struct view value;
    TRY(settings_get(settings, name, 0, &value));
    ENSURE(value.len > 0 && value.len <= 19, FIELD_INVALID);
    uint64_t number = 0;
    for (size_t i = 0; i < value.len; i++) {
        ENSURE(value.data[i] >= '0' && value.data[i] <= '9', FIELD_INVALID);
        number = number * 10 + (uint64_t)(value.data[i] - '0');
    }
    *out_value = number;
    return OK;
}
