/* What was found about a quote, for people and for programs. */
#ifndef ITL_CLI_EVIDENCE_QUOTE_REPORT_H
#define ITL_CLI_EVIDENCE_QUOTE_REPORT_H

#include "cli/evidence_replay.h"
#include "cli/options.h"
#include "tpm/quote_verdict.h"

struct quote_report {
    const struct quote *quote;   /* NULL when it is not one of a TPM 2.0 */
    bool tpm12;                  /* because it is one of a TPM 1.2 */
    const struct quote_key *key; /* NULL when it can't be used */
    uint16_t scheme;
    uint16_t hash_alg;
    err_t reasons[QUOTE_REASONS_MAX + 1]; /* the quote's, and EVENT_LOG_REPLAY */
    size_t count;                         /* of reasons; 0 for a valid quote */
    const struct evidence_replay *replay; /* NULL without an event log */
    bool nonce_checked;
    bool values_checked;
};

/* Prints a table or JSON to standard output. Errors: NO_MEMORY, IO. */
ERRFN quote_report_print(const struct quote_report *report, enum output_format format);

#endif
