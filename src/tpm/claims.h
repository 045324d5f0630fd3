/* What a log says of a boot, as a flat list of names and texts: names repeat for sets and keep log
 * order. Policy is evaluated over exactly this. */
#ifndef ITL_TPM_CLAIMS_H
#define ITL_TPM_CLAIMS_H

#include "base/bytes.h"

enum {
    /* A dbx that fills a whole log of 512 KiB has 10,900 hashes. */
    CLAIMS_MAX = 16384,
    /* The same at 71 characters each, and room for everything else. */
    CLAIMS_TEXT_MAX_BYTES = 4 << 20,
    CLAIM_WARNINGS_MAX = 64, /* more help nobody; the rest is counted */
    CLAIM_WARNING_SIZE = 256
};

struct event_claim {
    const char *name; /* of static lifetime */
    const char *value;
    uint32_t pcrs; /* bit i: an event of PCR i says so; 0 for what the log says of itself */
};

/* A deviation in words. `serious`: the log should not be trusted before somebody knows why. */
struct claim_warning {
    bool serious;
    size_t event; /* its number in the log */
    char text[CLAIM_WARNING_SIZE];
};

struct claim_text;

struct claims {
    uint32_t pcrs; /* of the claims that are added from here on */
    size_t count;
    struct event_claim *items;
    bool truncated; /* something did not fit into the limits above: absence proves nothing */

    size_t warning_count;
    struct claim_warning warnings[CLAIM_WARNINGS_MAX];
    size_t warnings_dropped;
    bool serious; /* one of the warnings is, shown or dropped */

    size_t capacity;
    size_t text_bytes;
    struct claim_text *texts;
};

ERRFN claims_new(struct claims **out_claims);
void claims_free(struct claims *claims);
AUTO_DEFINE(claims, struct claims, claims_free);

/* Copies the value. Past the limits nothing is added and `truncated` is set. Errors: NO_MEMORY. */
ERRFN claims_add(struct claims *claims, const char *name, const char *value);

/* Appends a warning, in words. */
void claims_warn(struct claims *claims, bool serious, size_t event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The first value of this name, NULL when there is none. */
const char *claims_first(const struct claims *claims, const char *name);

/* How many have this name. */
size_t claims_count(const struct claims *claims, const char *name);

/* Whether a claim of this name has this value. */
bool claims_has(const struct claims *claims, const char *name, const char *value);

#endif
