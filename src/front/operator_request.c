#include "front/operator_request.h"

#include <string.h>
#include <strings.h>

struct view operator_bearer(const struct exchange *x)
{
    static const char scheme[] = "Bearer ";
    if (strncasecmp(x->authorization, scheme, sizeof scheme - 1) != 0) {
        return VIEW_EMPTY;
    }
    const char *token = x->authorization + sizeof scheme - 1;
    return view_text(token + strspn(token, " "));
}

ERRFN operator_check_lengths(struct exchange *x)
{
    ENSURE(operator_bearer(x).len <= IPC_TOKEN_MAX, AUTH_INVALID);
    ENSURE(strlen(x->target) <= IPC_TARGET_MAX, HEADERS_TOO_LARGE);
    ENSURE(strlen(x->signature_input) <= IPC_HEADER_MAX && strlen(x->signature) <= IPC_HEADER_MAX &&
               strlen(x->content_digest) <= IPC_HEADER_MAX,
           HEADERS_TOO_LARGE);
    return OK;
}

ERRFN operator_check_body(struct exchange *x)
{
    AUTO(fields) f = NULL;
    return exchange_fields(x, &f);
}

ERRFN operator_read_number(struct view text, uint64_t *out_number)
{
    uint64_t number = 0;
    ENSURE(text.len > 0 && text.len <= 18, FIELD_INVALID); /* eighteen digits always fit */
    for (size_t i = 0; i < text.len; i++) {
        ENSURE(text.data[i] >= '0' && text.data[i] <= '9', FIELD_INVALID);
        number = number * 10 + (text.data[i] - '0');
    }
    *out_number = number;
    return OK;
}
