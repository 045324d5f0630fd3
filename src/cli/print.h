/* Standard output: one JSON text per command, ending in a line break. */
#ifndef ITL_CLI_PRINT_H
#define ITL_CLI_PRINT_H

#include "https/json.h"

/* Errors: TOO_LONG past half a gigabyte, IO when standard output takes no more. */
ERRFN print_json(const json_t *value);

#endif
