#include "cli/report_json.h"

#include <stdio.h>

#include "base/text.h"

ERRFN report_set(json_t *object, const char *key, json_t *take_value)
{
    ENSURE(json_object_set_new(object, key, take_value) == 0, NO_MEMORY);
    return OK;
}

ERRFN report_set_text(json_t *object, const char *key, const char *text)
{
    return report_set(object, key, text ? json_string(text) : json_null());
}

ERRFN report_set_pcrs(json_t *object, const char *key, uint32_t mask)
{
    AUTO(json) pcrs = json_array();
    ENSURE(pcrs, NO_MEMORY);
    for (int index = 0; index < 32; index++) {
        if (mask >> index & 1) {
            ENSURE(json_array_append_new(pcrs, json_integer(index)) == 0, NO_MEMORY);
        }
    }
    return report_set(object, key, STEAL(pcrs));
}

void report_print_pcrs(const json_t *pcrs)
{
    for (size_t i = 0; i < json_array_size(pcrs); i++) {
        printf("%s%" JSON_INTEGER_FORMAT, i > 0 ? "," : "",
               json_integer_value(json_array_get(pcrs, i)));
    }
}

ERRFN report_set_hex(json_t *object, const char *key, struct view bytes)
{
    AUTO(buf) text = NULL;
    TRY(buf_new(HEX_TEXT_SIZE(bytes.len), &text));
    TRY(buf_put_hex(text, bytes));
    TRY(buf_put_u8(text, '\0'));
    return report_set_text(object, key, (const char *)text->data);
}
