/* One line a request, never with a token: the path's pattern, not the path. */
#ifndef ITL_FRONT_HTTP_LOG_H
#define ITL_FRONT_HTTP_LOG_H

#include "front/exchange.h"

/* Has the signer put into the audit log what was refused here for its form; before the answer goes
 * out, as for everything that is answered. */
void http_log_refusal(const struct exchange *x);

/* Logs the exchange. Answered probes of /healthz are not logged: they are most of the requests and
 * say nothing. */
void http_log_exchange(const struct exchange *x, uint64_t took_ms);

#endif
