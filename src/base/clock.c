#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t shift_ms;

static uint64_t read_ms(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t clock_utc_ms(void)
{
    return (uint64_t)((int64_t)read_ms(CLOCK_REALTIME) + shift_ms);
}

uint64_t clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

void clock_shift_for_test(int64_t ms)
{
    shift_ms = ms;
}

void clock_format(uint64_t utc_ms, char out_text[static CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)(utc_ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm); /* needs no time zone file, unlike localtime_r */
    char date[20];
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out_text, CLOCK_TEXT_SIZE, "%.19s.%03uZ", date, (unsigned)(utc_ms % 1000));
}
