/* A machine on the screen, and the question before something is done to it. */
#ifndef ITL_CLI_MACHINE_VIEW_H
#define ITL_CLI_MACHINE_VIEW_H

#include "cli/options.h"
#include "https/json.h"

/* Everything there is to say of it, as a table or as JSON. Errors: as print_json. */
ERRFN machine_print(const struct options *options, const json_t *machine);


/* The same after showing the machine. */
ERRFN machine_confirm(const struct options *options, const json_t *machine, const char *question);

#endif
