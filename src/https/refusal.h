/* What the appliance says when it refuses: {"detail": …, "reason": …}. */
#ifndef ITL_HTTPS_REFUSAL_H
#define ITL_HTTPS_REFUSAL_H

#include "https/client.h"

struct refusal {
    unsigned status;        /* HTTP status, 0 when nothing was refused */
    uint32_t retry_after_s; /* 0 when the server did not say */
    char reason[64];        /* stable, snake_case; "http_<status>" when the body has none */
    char detail[512];       /* a sentence, printable, cut when longer */
};

/* OK for an answer of 200 to 299. Otherwise REFUSED, and what the body says is in *out_refusal; for
 * a body of any kind. */
ERRFN refusal_check(const struct https_answer *answer, struct refusal *out_refusal);

#endif
