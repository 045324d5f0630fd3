#include "signer/body.h"

#include "base/text.h"

#include <jansson.h>
#include <string.h>

AUTO_DEFINE(json_t, json_t, json_decref);

static ERRFN read_value(struct call *call, const json_t *value, const struct body_field *field)
{
    if (json_is_null(value)) {
        return OK;
    }
    if (field->flag) {
        if (!json_is_boolean(value)) {
            return call_refuse(call, E(FIELD_INVALID), field->subject);
        }
        *field->flag = json_is_true(value);
        return OK;
    }
    if (!json_is_string(value)) {
        return call_refuse(call, E(FIELD_INVALID), field->subject);
    }
    struct view text = view_of(json_string_value(value), json_string_length(value));
    if (text.len >= field->size) {
        return call_refuse(call, E(TOO_LONG), field->subject);
    }
    if ((!field->lines && !text_is_clean(text)) || !IS_OK(view_to_text(text, field->text, field->size))) {
        return call_refuse(call, E(FIELD_INVALID), field->subject);
    }
    return OK;
}

static const struct body_field *find(const struct body_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

ERRFN body_read(struct call *call, struct view body, const struct body_field *fields, size_t count)
{
    /* The message's limit bounds the depth that a parser without recursion limits could be driven to; jansson has its own of 2048. */
    AUTO(json_t) root = json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(root)) {
        return call_refuse(call, E(JSON_INVALID), "body");
    }
    const char *name;
    json_t *value;
    json_object_foreach(root, name, value)
    {
        const struct body_field *field = find(fields, count, name);
        if (!field) {
            return call_refuse(call, E(FIELD_UNKNOWN), "body");
        }
        TRY(read_value(call, value, field));
    }
    return OK;
}
