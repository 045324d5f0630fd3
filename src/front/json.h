/* A JSON text (RFC 8259) of a request, checked once and then read where it lies: nothing is
 * copied and nothing is allocated.
 *
 * Reading bodies is most of what the front does with bytes of strangers, so the reader is small,
 * bounded and without recursion. It is also why this is not jansson, which copies a string
 * character by character: 650 µs for the 56 KiB that a typical event log is in base64, more than
 * everything else that an attestation costs. */
#ifndef ITL_FRONT_JSON_H
#define ITL_FRONT_JSON_H

#include "base/bytes.h"

enum {
    JSON_DEPTH_MAX = 16,  /* pcr_values is the deepest thing of any request, at 3 */
    JSON_VALUES_MAX = 384 /* 96 PCR values, 30 fields, and unknown ones of newer clients */
};

enum json_kind {
    JSON_NONE = 0,
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
};

struct json_value {
    enum json_kind kind;
    bool escaped;     /* a string with backslashes: read it through json_unescape */
    uint16_t parent;  /* index of the object or array it is in; the root's is 0 */
    struct view name; /* in an object */
    struct view text; /* what stands between a string's quotes, or a number's digits */
};

struct json {
    uint16_t count;
    struct json_value values[JSON_VALUES_MAX]; /* in the order of the text; the root is the first */
};

/* Reads the whole text. `out_json` points into it. Errors: JSON_INVALID (also not UTF-8, a lone
 * surrogate, an escaped NUL, a name twice in one object, a name with an escape, which could hide
 * that; more than JSON_VALUES_MAX values), JSON_TOO_DEEP. */
ERRFN json_read(struct view text, struct json *out_json);

/* The member of that name, or NULL. */
const struct json_value *json_member(const struct json *json, const struct json_value *object,
                                     const char *name);

/* The first member or element, and the one after `child`; NULL at the end. */
const struct json_value *json_first(const struct json *json, const struct json_value *container);
const struct json_value *json_after(const struct json *json, const struct json_value *child);

/* Appends a string's value. Errors: TOO_LONG. */
ERRFN json_unescape(const struct json_value *string, struct buf *out_text);

#endif
