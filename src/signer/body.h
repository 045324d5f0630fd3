/* The JSON bodies of operators' acts, read strictly. */
#ifndef ITL_SIGNER_BODY_H
#define ITL_SIGNER_BODY_H

#include "signer/signer.h"

/* Where a field goes: exactly one of `text` and `flag` is set. */
struct body_field {
    const char *name;
    const char *subject; /* "body.name", for the refusal */
    char *text;
    size_t size;
    bool *flag;
};

/* Reads a JSON object of clean texts and booleans; null counts as absent, and what is absent stays as it is. Unknown and repeated
 * fields, other types and long texts are refused and named. Errors: JSON_INVALID, FIELD_INVALID, FIELD_UNKNOWN. */
ERRFN body_read(struct call *call, struct view body, const struct body_field *fields, size_t count);

#endif
