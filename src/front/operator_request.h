/* What every operator's request has in common. The signer authenticates; here only the form is
 * checked. */
#ifndef ITL_FRONT_OPERATOR_REQUEST_H
#define ITL_FRONT_OPERATOR_REQUEST_H

#include "front/exchange.h"

/* The token of "Bearer <token>" (RFC 6750 section 2.1); empty when there is none. */
struct view operator_bearer(const struct exchange *x);

/* Lengths are compared here so that an over-long header is the client's fault and not a broken
 * message. Errors: AUTH_INVALID, HEADERS_TOO_LARGE. */
ERRFN operator_check_lengths(struct exchange *x);

/* The signer reads the body with a parser of its own; what is no JSON object never gets that
 * far. Errors: those of fields_read. */
ERRFN operator_check_body(struct exchange *x);

/* Decimal digits, and nothing else. Errors: FIELD_INVALID. */
ERRFN operator_read_number(struct view text, uint64_t *out_number);

/* The fields that every operator message begins with. */
#define SET_OPERATOR_FIELDS(request, x)                               \
    do {                                                              \
        (request)->source_ip = view_text((x)->source_ip);             \
        (request)->bearer = operator_bearer(x);                       \
        (request)->method = view_text((x)->method);                   \
        (request)->target = view_text((x)->target);                   \
        (request)->signature_input = view_text((x)->signature_input); \
        (request)->signature = view_text((x)->signature);             \
        (request)->content_digest = view_text((x)->content_digest);   \
        (request)->body = (x)->body;                                  \
    } while (0)

#endif
