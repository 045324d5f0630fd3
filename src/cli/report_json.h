/* Members of a JSON report. Errors of each: NO_MEMORY. */
#ifndef ITL_CLI_REPORT_JSON_H
#define ITL_CLI_REPORT_JSON_H

#include "https/json.h"

ERRFN report_set(json_t *object, const char *key, json_t *take_value);

/* Null for a text that is not there. */
ERRFN report_set_text(json_t *object, const char *key, const char *text);

/* The indices of the bits that are set, ascending. */
ERRFN report_set_pcrs(json_t *object, const char *key, uint32_t mask);

/* "0,1,7" on standard output, of such an array. */
void report_print_pcrs(const json_t *pcrs);

/* Lower-case hexadecimal. */
ERRFN report_set_hex(json_t *object, const char *key, struct view bytes);

#endif
