/* A machine on the screen, and the question before something is done to it. */
#ifndef ITL_CLI_MACHINE_VIEW_H
#define ITL_CLI_MACHINE_VIEW_H

#include "cli/options.h"
#include "https/json.h"

/* Everything there is to say of it, as a table or as JSON. Errors: as print_json. */
ERRFN machine_print(const struct options *options, const json_t *machine);

/* The EKs of an answer that has "eks", as a table behind a heading; nothing where there is one only or none. */
void machine_print_eks(const json_t *answer);

/* The same after showing the machine. */
ERRFN machine_confirm(const struct options *options, const json_t *machine, const char *question);

#endif
