#include "front/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

int __real_accept(int fd, struct sockaddr *address, socklen_t *len);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_listen(int fd, int backlog);
int __wrap_accept(int fd, struct sockaddr *address, socklen_t *len);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

static int offered = FD_NONE;
static int listener = FD_NONE; /* the descriptor that CivetWeb knows it by */
static atomic_uint connections;
static atomic_bool closed;
static _Thread_local uint64_t deadline_ms;
static _Thread_local unsigned idle_below; /* 0: not idle */

enum { IDLE_STEP_MS = 100 };

void sockets_offer_listener(int take_fd)
{
    offered = take_fd;
}

ERRFN sockets_port_option(int fd, char *out_option, uint32_t size)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    ENSURE(getsockname(fd, (struct sockaddr *)&address, &len) == 0, IO);
    ENSURE(address.ss_family == AF_INET || address.ss_family == AF_INET6, IO);
    /* The number is never bound; CivetWeb only wants one. */
    snprintf(out_option, size, "%s", address.ss_family == AF_INET6 ? "[::]:1s" : "127.0.0.1:1s");
    return OK;
}

/* CivetWeb's new socket becomes the one it was offered. It is already bound. */
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t len)
{
    (void)address;
    (void)len;
    if (offered == FD_NONE || dup3(offered, fd, O_CLOEXEC) < 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    close(offered);
    offered = FD_NONE;
    listener = fd;
    return 0;
}

/* The supervisor made it listen. */
int __wrap_listen(int fd, int backlog)
{
    (void)backlog;
    if (fd != listener) {
        errno = EBADF;
        return -1;
    }
    return 0;
}

/* Connections that are refused here stay in the listener's queue, for the front that comes next. */
int __wrap_accept(int fd, struct sockaddr *address, socklen_t *len)
{
    if (atomic_load(&closed)) {
        errno = EAGAIN;
        return -1;
    }
    int accepted = __real_accept(fd, address, len);
    if (accepted >= 0) {
        atomic_fetch_add(&connections, 1);
    }
    return accepted;
}

void sockets_connection_ended(void)
{
    atomic_fetch_sub(&connections, 1);
}

unsigned sockets_connection_count(void)
{
    return atomic_load(&connections);
}

void sockets_stop_accepting(void)
{
    atomic_store(&closed, true);
}

void sockets_deadline_set(uint32_t ms)
{
    deadline_ms = ms ? clock_monotonic_ms() + ms : 0;
    idle_below = 0;
}

void sockets_idle_below(unsigned connections_max)
{
    deadline_ms = 0;
    idle_below = connections_max;
}

static int timed_out(void)
{
    errno = ETIMEDOUT;
    return -1;
}

static int poll_until_deadline(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    uint64_t now = clock_monotonic_ms();
    if (now >= deadline_ms) {
        return timed_out();
    }
    uint64_t left = deadline_ms - now;
    bool longer = timeout_ms < 0 || (uint64_t)timeout_ms > left;
    return __real_poll(fds, count, longer ? (int)left : timeout_ms);
}

static int poll_while_idle(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    int ready = 0;
    for (int left = timeout_ms; ready == 0 && left > 0; left -= IDLE_STEP_MS) {
        ready = __real_poll(fds, count, left < IDLE_STEP_MS ? left : IDLE_STEP_MS);
        if (ready == 0 && atomic_load(&connections) > idle_below) {
            return timed_out();
        }
    }
    return ready;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    if (count == 1 && fds[0].fd == listener && atomic_load(&closed)) {
        fds[0].revents = 0;
        return __real_poll(NULL, 0, timeout_ms);
    }
    if (deadline_ms > 0) {
        return poll_until_deadline(fds, count, timeout_ms);
    }
    return idle_below > 0 ? poll_while_idle(fds, count, timeout_ms)
                          : __real_poll(fds, count, timeout_ms);
}
