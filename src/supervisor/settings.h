/* What each child is told: its part of the configuration and nothing else. */
#ifndef ITL_SUPERVISOR_SETTINGS_H
#define ITL_SUPERVISOR_SETTINGS_H

#include "supervisor/supervisor.h"

/* Appends the child's encoded setup message, with the PIN of its token read from its file now. Errors: those of secret_read_file. */
ERRFN settings_for_child(const struct supervisor *s, const struct child *child, struct buf *out_body);

/* The TLS chain's path. */
void settings_chain_path(const struct config *config, char out_path[static PATH_MAX]);

#endif
