/* How many requests an address may make: a bucket of tokens each, in a table of fixed size that
 * forgets whoever was seen longest ago. An IPv6 address counts by its /64, which is what one
 * customer has. Thread-safe. */
#ifndef ITL_FRONT_RATE_H
#define ITL_FRONT_RATE_H

#include "base/err.h"
#include "base/own.h"

struct rate;

/* per_minute tokens at once and as many again each minute; 0 lets everything pass. Errors:
 * NO_MEMORY. */
ERRFN rate_new(unsigned per_minute, struct rate **out_rate);
void rate_free(struct rate *rate);
AUTO_DEFINE(rate, struct rate, rate_free);

/* Takes a token for the address (IPv4 or IPv6 as text). Errors: RATE_LIMITED; out_retry_after_s
 * is then how long one takes to come. */
ERRFN rate_take(struct rate *rate, const char *address, uint64_t now_ms,
                uint32_t *out_retry_after_s);

#endif
