/* A process's settings as the supervisor sends them: lines of name, one space, value. Both ends are this file. Values are clean text
 * (text_is_clean); a name may come several times and then is a list. */
#ifndef ITL_IPC_SETTINGS_H
#define ITL_IPC_SETTINGS_H

#include "base/bytes.h"

ERRFN settings_put(struct buf *settings, const char *name, const char *value);
ERRFN settings_put_number(struct buf *settings, const char *name, uint64_t value);

/* The `index`-th value of the name. Errors: FIELD_MISSING. */
ERRFN settings_get(struct view settings, const char *name, size_t index, struct view *out_value);

/* The same as NUL-terminated text or as a number. Errors: FIELD_MISSING, TOO_LONG, FIELD_INVALID. */
ERRFN settings_get_text(struct view settings, const char *name, size_t index, char *out_text, size_t size);
ERRFN settings_get_number(struct view settings, const char *name, uint64_t *out_value);

#endif
