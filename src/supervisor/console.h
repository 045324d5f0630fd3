/* The appliance's own console: a Unix socket that only root (or the account the appliance runs as) can open. One request a connection,
 * both ways lines of ipc/settings.h, ended by an empty line. The answer starts with "ok 1", or with "reason …" and "text …". */
#ifndef ITL_SUPERVISOR_CONSOLE_H
#define ITL_SUPERVISOR_CONSOLE_H

#include "supervisor/supervisor.h"

enum { CONSOLE_MESSAGE_MAX = 65536 };

ERRFN console_open(struct supervisor *s);
void console_close(struct supervisor *s);

/* Accepts and answers one connection. Its deadlines are short: who talks here is an administrator's command. */
void console_serve(struct supervisor *s);

/* The other end, for the commands: sends the request's lines and reads the answer. Errors: PEER_GONE when the appliance is not
 * running; the answer's own reason is in the answer. */
ERRFN console_call(const char *runtime_directory, struct view request, struct buf *out_answer);

#endif
