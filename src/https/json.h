/* JSON that came over the network, with bounds: jansson behind this one file for the programs that
 * talk to the appliance. */
#ifndef ITL_HTTPS_JSON_H
#define ITL_HTTPS_JSON_H

#include "base/bytes.h"
#include "base/secret.h"

#include <jansson.h>

enum { JSON_DEPTH_MAX = 16 }; /* no answer of the appliance nests deeper than 4 */

static inline void json_release(json_t *value)
{
    json_decref(value);
}
AUTO_DEFINE(json, json_t, json_release);

/* Reads one JSON object. Errors: JSON_INVALID (also for duplicate keys and for anything but an
 * object), JSON_TOO_DEEP. */
ERRFN json_read(struct view text, json_t **out_object);

/* The same for one JSON array. */
ERRFN json_read_list(struct view text, json_t **out_list);

/* Call once per process that reads secrets out of JSON, before anything else here: freed memory is
 * wiped from then on. */
void json_setup(void);

/* A field's text, at most `max` bytes of it, without control characters. Errors: FIELD_MISSING when
 * it is absent or null, FIELD_INVALID, TOO_LONG. */
ERRFN json_get_text(const json_t *object, const char *key, size_t max, const char **out_text);

/* The same, "" when it is absent or null. */
ERRFN json_get_text_or_empty(const json_t *object, const char *key, size_t max,
                             const char **out_text);

/* A base64 field of at most `max` bytes decoded. Errors: as json_get_text, BASE64_INVALID. */
ERRFN json_get_base64(const json_t *object, const char *key, size_t max, struct buf **out_bytes);

/* Sets object[key] to base64 of the bytes. Errors: NO_MEMORY. */
ERRFN json_set_base64(json_t *object, const char *key, struct view bytes);

/* Sets object[key] to the text. Errors: NO_MEMORY, also for text that is not UTF-8. */
ERRFN json_set_text(json_t *object, const char *key, const char *text);

/* Compact text of a value, or with `indent` spaces. The buffer is wiped when freed, so it may hold
 * secrets. Errors: NO_MEMORY, TOO_LONG. */
ERRFN json_write(const json_t *value, size_t indent, size_t max, struct buf **out_text);

#endif
