/* The head of a request and of an answer (RFC 9110, RFC 9112), free of the HTTP library. */
#ifndef ITL_FRONT_HTTP_HEAD_H
#define ITL_FRONT_HTTP_HEAD_H

#include "front/exchange.h"

enum { HTTP_HEAD_MAX = 1024 /* of an answer: a dozen fixed lines */ };

/* How a request's body is framed. */
struct http_framing {
    bool known;     /* all header lines were read */
    int64_t length; /* of the body, -1 when not given */
    bool chunked;
    bool expects_continue;
};

/* Takes one header line of a request into the exchange or the framing; what means nothing here
 * is passed over. Errors: BAD_REQUEST (a length that is no number or comes twice; a value that
 * is no clean text where it means something). */
ERRFN http_head_read(const char *name, const char *value, struct exchange *x,
                     struct http_framing *framing);

/* Appends the head of the answer, to its empty line. `phrase` belongs to the status. Errors:
 * TOO_LONG. */
ERRFN http_head_write(const struct exchange *x, const char *phrase, size_t length, bool keep,
                      struct buf *out_head);

#endif
