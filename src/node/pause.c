#include "node/pause.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

/* A signal's handler reaches nothing else. The descriptor makes a signal count that comes just
 * before poll. */
static volatile sig_atomic_t end_asked;
static volatile sig_atomic_t end_fd = FD_NONE;

void pause_end(void)
{
    const uint64_t one = 1;
    int saved = errno;
    end_asked = 1;
    if (end_fd >= 0) {
        ssize_t ignored = write(end_fd, &one, sizeof one);
        (void)ignored;
    }
    errno = saved;
}

bool pause_ended(void)
{
    return end_asked != 0;
}

bool pause_for(uint64_t ms)
{
    if (end_fd < 0) {
        end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    }
    uint64_t end = clock_monotonic_ms() + ms;
    for (uint64_t now = clock_monotonic_ms(); !end_asked && now < end; now = clock_monotonic_ms()) {
        struct pollfd asked = {.fd = end_fd, .events = POLLIN};
        uint64_t left = end - now;
        int ready = poll(&asked, 1, left < INT_MAX ? (int)left : INT_MAX);
        (void)ready; /* the loop's conditions say what happened */
    }
    return !end_asked;
}
