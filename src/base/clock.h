/* Time. UTC for what is written down, monotonic for deadlines. */
#ifndef ITL_BASE_CLOCK_H
#define ITL_BASE_CLOCK_H

#include "base/bytes.h"

#include <stdint.h>

enum { CLOCK_TEXT_SIZE = 25 }; /* 2026-11-22T10:11:12.345Z and a NUL */

/* Milliseconds since 1970-01-01T00:00:00Z. */
uint64_t clock_utc_ms(void);

/* Milliseconds since an arbitrary point; never steps. */
uint64_t clock_monotonic_ms(void);

/* The same, but it also runs while the machine is suspended: for what ages, such as certificates. */
uint64_t clock_elapsed_ms(void);

/* RFC 3339 in UTC with milliseconds and Z. */
void clock_format(uint64_t utc_ms, char out_text[static CLOCK_TEXT_SIZE]);

/* The other way round: RFC 3339 with Z or an offset and up to nine digits of a second, of which three
 * count; years 1970 to 9999. A leap second is refused. Errors: FIELD_INVALID. */
ERRFN clock_parse(struct view text, uint64_t *out_utc_ms);

/* For tests: adds to clock_utc_ms from now on; 0 is real time again. */
void clock_shift_for_test(int64_t ms);

#endif
