/* Which form of a configuration a client wants. */
#ifndef ITL_FRONT_ACCEPT_H
#define ITL_FRONT_ACCEPT_H

#include "base/err.h"

#define MEDIA_SEALED_CONFIG "application/vnd.itl.config.sealed+json"
#define MEDIA_YAML          "application/yaml"

/* From an Accept header (RFC 9110 section 12.5.1; quality values are not weighed): sealed when
 * it is named, covered by a wildcard or the header is absent, else plain when YAML is named.
 * Errors: NOT_ACCEPTABLE when neither is, or when plain is wanted and only sealed is given. */
ERRFN accept_config(const char *accept, bool sealed_only, bool *out_sealed);

#endif
