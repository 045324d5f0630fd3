/* The names beside PREFIX that lead into the set in force, for certificate_set.c only. */
#ifndef ITL_NODE_CERTIFICATE_LINKS_H
#define ITL_NODE_CERTIFICATE_LINKS_H

#include "base/err.h"

#include <stdbool.h>

/* Makes those that are missing or something else: a plain file of an older release is replaced.
 * Errors: TOO_LONG, DB_FULL, IO. */
ERRFN certificate_links_make(const char *prefix, bool with_svid);

#endif
