#include "signer/body.h"

#include "base/text.h"

#include <jansson.h>
#include <string.h>

AUTO_DEFINE(json_t, json_t, json_decref);

static ERRFN read_text(struct call *call, const json_t *value, const struct body_field *field)
{
    if (!json_is_string(value)) {
        return call_refuse(call, E(FIELD_INVALID), field->subject);
    }
    struct view text = view_of(json_string_value(value), json_string_length(value));
    if (!text_is_clean(text) || !IS_OK(view_to_text(text, field->text, field->size))) {
        return call_refuse(call, E(FIELD_INVALID), field->subject);
    }
    return OK;
}

static ERRFN read_flag(struct call *call, const json_t *value, const struct body_field *field)
{
    if (!json_is_boolean(value)) {
        return call_refuse(call, E(FIELD_INVALID), field->subject);
    }
    *field->flag = json_is_true(value);
    return OK;
}

static ERRFN read_field(struct call *call, const char *name, const json_t *value, const struct body_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, fields[i].name) != 0) {
            continue;
        }
        if (json_is_null(value)) {
            return OK;
        }
        return fields[i].flag ? read_flag(call, value, &fields[i]) : read_text(call, value, &fields[i]);
    }
    return call_refuse(call, E(FIELD_UNKNOWN), "body");
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
        TRY(read_field(call, name, value, fields, count));
    }
    return OK;
}
