/* The public socket: made once by the supervisor, so that it stays open while the front is replaced. */
#ifndef ITL_SUPERVISOR_LISTEN_H
#define ITL_SUPERVISOR_LISTEN_H

#include "config/config.h"

/* Errors: PORT_IN_USE, CONFIG_INVALID when the address is not one of this machine's or not allowed for this account, IO. */
ERRFN listen_open(const struct config_listen *settings, int *out_fd);

#endif
