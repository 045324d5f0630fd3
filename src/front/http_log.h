/* One line a request, never with a token: the path's pattern, not the path. */
#ifndef ITL_FRONT_HTTP_LOG_H
#define ITL_FRONT_HTTP_LOG_H

#include "front/exchange.h"

/* Logs the exchange, and has the signer note in the audit log what was refused here for its
 * form. Answered probes of /healthz are not logged: they are most of the requests and say
 * nothing. */
void http_log_exchange(const struct exchange *x, uint64_t took_ms);

#endif
