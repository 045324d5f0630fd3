/* Reads the named fields of a JSON body into views, each against its own limit. Unknown fields
 * are ignored: newer nodes may send more. A field that is null counts as absent. On an error
 * `fault` names the field. */
#ifndef ITL_FRONT_FIELDS_H
#define ITL_FRONT_FIELDS_H

#include "front/json.h"

enum { FIELDS_DECODED_MAX = 16 /* as many decoded fields as the largest request has, and a few */ };

struct fields {
    struct json json;
    const char *fault;
    struct buf
        *decoded[FIELDS_DECODED_MAX]; /* what views of base64 and escaped strings point into */
    size_t decoded_count;
};

/* Reads the body, which must be an object and outlive the fields. Errors: those of json_read;
 * FIELD_INVALID when it is no object. Call fields_clear in any case. */
ERRFN fields_read(struct view body, struct fields *out_fields);
void fields_clear(struct fields *f);

/* For fields on the heap; accepts NULL. */
void fields_free(struct fields *f);
AUTO_DEFINE(fields, struct fields, fields_free);

/* The member, or NULL when it is absent or null. */
const struct json_value *field_find(const struct fields *f, const char *name);

/* Clean text (base/text.h) of at most `max` bytes; `absent` when there is none. Errors:
 * FIELD_INVALID (no string, control characters), TOO_LONG. */
ERRFN field_text(struct fields *f, const char *name, size_t max, const char *absent,
                 struct view *out_text);

/* Base64 of at most `max` bytes; empty when there is none. White space at both ends and line
 * ends are taken out first, because base64(1) makes them. Errors: FIELD_INVALID, BASE64_INVALID,
 * TOO_LONG. */
ERRFN field_base64(struct fields *f, const char *name, size_t max, struct view *out_bytes);

/* Hexadecimal of exactly `len` bytes; empty when there is none. Errors: FIELD_INVALID. */
ERRFN field_hex(struct fields *f, const char *name, size_t len, struct view *out_bytes);

/* Keeps a buffer until fields_clear; takes it also on an error. Errors: TOO_LONG. */
ERRFN fields_keep(struct fields *f, struct buf *take_buf);

#endif
