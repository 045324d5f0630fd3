#include "supervisor/listen.h"

#include "base/fd.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
    BACKLOG = 1024, /* a fleet that boots at once */
    TRIES = 20,     /* the last children of a supervisor that was killed hold its socket for a moment */
    BETWEEN_TRIES_MS = 100
};

AUTO_DEFINE(addrinfo, struct addrinfo, freeaddrinfo);

static ERRFN bind_to(const struct addrinfo *address, int *out_fd)
{
    AUTO(fd) fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0) {
        ENSURE(errno != EADDRNOTAVAIL && errno != EACCES, CONFIG_INVALID);
        return err_from_errno(errno);
    }
    if (listen(fd, BACKLOG) != 0) {
        return err_from_errno(errno);
    }
    *out_fd = fd_steal(&fd);
    return OK;
}

ERRFN listen_open(const struct config_listen *settings, int *out_fd)
{
    char port[8];
    snprintf(port, sizeof port, "%u", settings->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    AUTO(addrinfo) addresses = NULL;
    ENSURE(getaddrinfo(settings->host, port, &hints, &addresses) == 0, CONFIG_INVALID);
    err_t bound = bind_to(addresses, out_fd);
    for (int i = 1; i < TRIES && IS_E(bound, PORT_IN_USE); i++) {
        poll(NULL, 0, BETWEEN_TRIES_MS);
        bound = bind_to(addresses, out_fd);
    }
    return bound;
}
