/* The JSON object of an operator's act, read strictly: unknown and repeated fields, wrong types and over-long texts are refused and named. */
#ifndef ITL_SIGNER_BODY_H
#define ITL_SIGNER_BODY_H

#include "signer/signer.h"

/* One field: a text (`text` and `size`) or a switch (`flag`). What the object leaves out, or gives as null, stays as it is. */
struct body_field {
    const char *name;
    const char *subject; /* "body.hostname" */
    char *text;
    size_t size;
    bool *flag;
    bool lines; /* the text may have line breaks and tabs */
};

/* Errors: JSON_INVALID, FIELD_INVALID, FIELD_UNKNOWN, TOO_LONG, with the call's subject set. */
ERRFN body_read(struct call *call, struct view body, const struct body_field *fields, size_t count);

#endif
