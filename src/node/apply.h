/* Hands the configuration on: to a command, or to a file. It never touches a disk on the way to a
 * command. */
#ifndef ITL_NODE_APPLY_H
#define ITL_NODE_APPLY_H

#include "base/secret.h"

enum { APPLY_ARGUMENTS_MAX = 64 };

/* Runs a command, whose words are separated by blanks (there is no shell and no quoting), with the
 * configuration (NULL for none) as its standard input: an anonymous file in memory. A word {} becomes
 * /dev/stdin, for commands that want a file name. The command's standard output goes to standard
 * error. Blocks until it ends. Errors: FIELD_INVALID for no word or more than APPLY_ARGUMENTS_MAX, APPLY_FAILED
 * when it can't be started or does not exit with 0. */
ERRFN apply_command(const char *command, const struct secret *config);

/* Writes a file of mode 0600, whole or not at all; "-" is standard output. */
ERRFN apply_file(const char *path, struct view content);

#endif
