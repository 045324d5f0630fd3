/* The parameters of a query string. */
#ifndef ITL_FRONT_QUERY_H
#define ITL_FRONT_QUERY_H

#include "base/bytes.h"

enum { QUERY_VALUE_SIZE = 129 };

/* The parameter's value, percent-decoded (RFC 3986 section 2.1; '+' is a plus), as clean text;
 * "" when it is absent. Errors: FIELD_INVALID (bad escape, control characters, twice), TOO_LONG. */
ERRFN query_get(const char *query, const char *name, char out_value[static QUERY_VALUE_SIZE]);

/* A whole number from `least` to `most`; `absent` when there is none. Errors: FIELD_INVALID. */
ERRFN query_get_number(const char *query, const char *name, uint16_t least, uint16_t most,
                       uint16_t absent, uint16_t *out_number);

/* Whether every parameter is one of the names, NULL at the end. Errors: FIELD_UNKNOWN. */
ERRFN query_only(const char *query, const char *const *names);

#endif
