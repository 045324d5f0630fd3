/* What the agent tells the person at the console, or the program that started it: lines on standard
 * error. */
#ifndef ITL_NODE_PROGRESS_H
#define ITL_NODE_PROGRESS_H

#include "base/err.h"
#include "https/refusal.h"

#include <stdbool.h>

struct progress {
    bool json;
    uint64_t step_began_ms; /* monotonic */
};

/* Starts the clock that the next line shows. */
void progress_begin(struct progress *progress);

/* "itl-tpm-register: <sentence> (123 ms)", or {"time","event","text","ms"}. The event is a stable
 * word. */
void progress_say(struct progress *progress, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for an error of our own and, where the TPM or the system said more, that text ("" for
 * none). */
void progress_error(struct progress *progress, err_t error, const char *more);

/* The appliance's refusal: reason and sentence. */
void progress_refusal(struct progress *progress, const struct refusal *refusal);

#endif
