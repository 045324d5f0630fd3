/* Writes the JSON of an answer. The first error sticks and json_write_end reports it, so that
 * the calls read like the text they make. Every text is escaped. */
#ifndef ITL_FRONT_JSON_WRITE_H
#define ITL_FRONT_JSON_WRITE_H

#include "base/bytes.h"

struct json_writer {
    struct buf *out; /* borrowed */
    err_t failed;
    bool comma; /* something stands before in the same object or array */
};

/* In an object every value has a name; in an array and at the top it is NULL. */
void json_open(struct json_writer *w, const char *name, char bracket);
void json_close(struct json_writer *w, char bracket);
void json_put_text(struct json_writer *w, const char *name, struct view text);
void json_put_base64(struct json_writer *w, const char *name, struct view bytes);
void json_put_hex(struct json_writer *w, const char *name, struct view bytes);
void json_put_number(struct json_writer *w, const char *name, uint64_t number);
void json_put_bool(struct json_writer *w, const char *name, bool value);
void json_put_null(struct json_writer *w, const char *name);

/* A text, or null when it is empty. */
void json_put_text_or_null(struct json_writer *w, const char *name, struct view text);

/* Milliseconds since 1970 as RFC 3339, or null for 0. */
void json_put_time(struct json_writer *w, const char *name, uint64_t utc_ms);

/* Errors: TOO_LONG, NO_MEMORY. */
ERRFN json_write_end(const struct json_writer *w);

#endif
