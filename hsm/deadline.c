#include "hsm/deadline.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "hsm/hsm.h"

enum {
    CONNECTIONS_MAX = 8, /* ours, and one for each time pkcs11-provider loaded the module */
    FD_SEARCH_MAX = 256  /* the connection is opened at start, when few descriptors are */
};

struct deadline {
    timer_t timer;
    unsigned ms;
    int connections[CONNECTIONS_MAX];
    int count; /* 0 after the connections were shut down */
};

static void time_is_up(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number;
    (void)context;
    int saved_errno = errno;
    struct deadline *d = info->si_code == SI_TIMER ? info->si_value.sival_ptr : NULL;
    if (d) {
        if (d->count == 0) {
            _exit(HSM_EXIT_STUCK);
        }
        for (int i = 0; i < d->count; i++) {
            shutdown(d->connections[i], SHUT_RDWR);
        }
        d->count = 0;
    }
    errno = saved_errno;
}

ERRFN deadline_new(unsigned ms, struct deadline **out_deadline)
{
    struct sigaction action = {.sa_sigaction = time_is_up, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&action.sa_mask);
    ENSURE(sigaction(SIGALRM, &action, NULL) == 0 && signal(SIGPIPE, SIG_IGN) != SIG_ERR, IO);

    struct deadline *d = calloc(1, sizeof *d);
    ENSURE(d, NO_MEMORY);
    d->ms = ms;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    event.sigev_value.sival_ptr = d;
    if (timer_create(CLOCK_MONOTONIC, &event, &d->timer) != 0) {
        free(d);
        return E(IO);
    }
    *out_deadline = d;
    return OK;
}

void deadline_free(struct deadline *d)
{
    if (d) {
        timer_delete(d->timer);
        free(d);
    }
}

/* The path of P11_KIT_SERVER_ADDRESS=unix:path=…, or NULL. */
static const char *server_path(void)
{
    static const char prefix[] = "unix:path=";
    const char *address = getenv("P11_KIT_SERVER_ADDRESS");
    if (!address || strncmp(address, prefix, sizeof prefix - 1) != 0) {
        return NULL;
    }
    return address + sizeof prefix - 1;
}

void deadline_watch_connections(struct deadline *d)
{
    const char *path = server_path();
    d->count = 0;
    for (int fd = 0; path && fd < FD_SEARCH_MAX && d->count < CONNECTIONS_MAX; fd++) {
        struct sockaddr_un peer = {0};
        socklen_t len = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && len < sizeof peer &&
            peer.sun_family == AF_UNIX && strncmp(peer.sun_path, path, sizeof peer.sun_path) == 0) {
            d->connections[d->count++] = fd;
        }
    }
}

static void set_timer(struct deadline *d, unsigned ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    struct itimerspec when = {.it_value = span, .it_interval = span};
    timer_settime(d->timer, 0, &when, NULL);
}

void deadline_arm(struct deadline *d)
{
    if (d) {
        set_timer(d, d->ms);
    }
}

void deadline_disarm(struct deadline *d)
{
    if (d) {
        set_timer(d, 0);
    }
}
