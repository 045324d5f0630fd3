/* Moments as people write them. */
#ifndef ITL_CLI_EVIDENCE_TIME_H
#define ITL_CLI_EVIDENCE_TIME_H

#include "base/err.h"

#include <stdint.h>

/* RFC 3339 ("2024-02-29T12:00:00Z", a fraction and another offset allowed) or a day, which means
 * its midnight in UTC; years 1970 to 9999. Errors: FIELD_INVALID. */
ERRFN evidence_time_parse(const char *text, uint64_t *out_utc_ms);

#endif
