#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <signal.h>
#include <sys/time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "node/pause.h"

static void on_alarm(int signal_number)
{
    (void)signal_number;
    pause_end();
}

static void alarm_after(long ms)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval timer = {.it_value = {.tv_usec = ms * 1000}};
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static void pause_lasts_as_long_as_it_was_asked_to(void **state)
{
    (void)state;
    uint64_t before = clock_monotonic_ms();
    assert_true(pause_for(50));
    assert_in_range(clock_monotonic_ms() - before, 50, 5000);
    assert_true(pause_for(0));
    assert_false(pause_ended());
}

/* Must run last: what ends is the process's waiting as a whole. */
static void signal_ends_this_pause_and_every_later_one(void **state)
{
    (void)state;
    uint64_t before = clock_monotonic_ms();
    alarm_after(50);
    assert_false(pause_for(600 * 1000));
    assert_false(pause_for(600 * 1000));
    assert_true(pause_ended());
    assert_in_range(clock_monotonic_ms() - before, 50, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pause_lasts_as_long_as_it_was_asked_to),
        cmocka_unit_test(signal_ends_this_pause_and_every_later_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
