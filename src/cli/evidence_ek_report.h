/* What was found about EK material, for people and for programs. */
#ifndef ITL_CLI_EVIDENCE_EK_REPORT_H
#define ITL_CLI_EVIDENCE_EK_REPORT_H

#include "cli/evidence_ek_read.h"
#include "cli/options.h"
#include "https/json.h"

/* Judges every EK of the evidence at a moment: an object for the first, with the others in its
 * member "also". Errors: NO_MEMORY. */
ERRFN ek_report_make(const struct ek_evidence *evidence, const struct trust *trust, uint64_t now_ms,
                     json_t **out_object);

/* For what is known and is no EK material: the same fields, empty, and one problem. Errors:
 * NO_MEMORY. */
ERRFN ek_report_make_other(const char *word, const char *sentence, json_t **out_object);

/* Prints a table or JSON to standard output. Errors: NO_MEMORY, IO. */
ERRFN ek_report_print(const json_t *object, enum output_format format);

#endif
