/* Starting a child: fork, descriptors at their places, everything else closed, exec with an environment made from nothing. */
#ifndef ITL_SUPERVISOR_SPAWN_H
#define ITL_SUPERVISOR_SPAWN_H

#include "supervisor/supervisor.h"

/* Makes the socketpairs between the children. */
ERRFN spawn_links(struct supervisor *s);

/* Starts the child and sends its settings. Errors: CONFIG_UNREADABLE and others of the PIN file, NO_MEMORY, IO. */
ERRFN spawn_child(struct supervisor *s, struct child *child);

/* Throws away what lies unread on the ends that a dead child had. */
void spawn_discard(struct supervisor *s, const struct child *child);

/* Where the module server of a token listens. */
void spawn_module_socket(const struct supervisor *s, enum child_kind kind, char out_path[static PATH_MAX]);

#endif
