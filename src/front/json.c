#include "front/json.h"

#include "front/json_text.h"

/* Where the reader is: the text left, and the containers that are open, innermost last. */
struct reader {
    struct view left;
    struct json *json;
    uint16_t open[JSON_DEPTH_MAX];
    size_t depth;
};

static ERRFN open_container(struct reader *r, struct json_value *value, enum json_kind kind)
{
    ENSURE(r->depth < JSON_DEPTH_MAX, JSON_TOO_DEEP);
    json_skip(&r->left, 1);
    value->kind = kind;
    r->open[r->depth++] = (uint16_t)(value - r->json->values);
    return OK;
}

static ERRFN read_scalar(struct reader *r, struct json_value *value)
{
    switch (json_peek(r->left)) {
    case '"':
        value->kind = JSON_STRING;
        return json_read_string(&r->left, &value->text, &value->escaped);
    case 't':
        value->kind = JSON_TRUE;
        return json_read_word(&r->left, "true");
    case 'f':
        value->kind = JSON_FALSE;
        return json_read_word(&r->left, "false");
    case 'n':
        value->kind = JSON_NULL;
        return json_read_word(&r->left, "null");
    default:
        value->kind = JSON_NUMBER;
        return json_read_number(&r->left, &value->text);
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
    TRY(json_read_string(&r->left, out_name, &escaped));
    ENSURE(!escaped, JSON_INVALID);
    TRY(name_is_new(r, object, *out_name));
    json_skip_space(&r->left);
    ENSURE(json_take(&r->left, ':'), JSON_INVALID);
    json_skip_space(&r->left);
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
    if (json_peek(r->left) == '{') {
        return open_container(r, slot, JSON_OBJECT);
    }
    if (json_peek(r->left) == '[') {
        return open_container(r, slot, JSON_ARRAY);
    }
    return read_scalar(r, slot);
}

static bool take_end(struct reader *r)
{
    bool object = r->json->values[r->open[r->depth - 1]].kind == JSON_OBJECT;
    return json_take(&r->left, object ? '}' : ']');
}

/* What follows a value that just ended: the ends of containers, then a comma when one is still
 * open. */
static ERRFN close_containers(struct reader *r, bool just_opened)
{
    while (r->depth > 0) {
        json_skip_space(&r->left);
        if (!take_end(r)) {
            ENSURE(just_opened || json_take(&r->left, ','), JSON_INVALID);
            json_skip_space(&r->left);
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
    json_skip_space(&r.left);
    do {
        size_t depth = r.depth;
        TRY(read_value(&r));
        TRY(close_containers(&r, r.depth > depth));
    } while (r.depth > 0);
    json_skip_space(&r.left);
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

const struct json_value *json_member(const struct json *json, const struct json_value *object,
                                     const char *name)
{
    const struct json_value *member = json_first(json, object);
    while (member && !view_is(member->name, name)) {
        member = json_after(json, member);
    }
    return member;
}

ERRFN json_unescape(const struct json_value *string, struct buf *out_text)
{
    return json_unescape_text(string->text, out_text);
}
