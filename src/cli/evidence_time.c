#include "cli/evidence_time.h"

#include <ctype.h>
#include <stdbool.h>
#include <time.h>

/* Exactly `digits` digits, between two bounds. */
static bool take_number(const char **at, int digits, int least, int most, int *out_number)
{
    int number = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (!isdigit((unsigned char)**at)) {
            return false;
        }
        number = number * 10 + (**at - '0');
    }
    *out_number = number;
    return number >= least && number <= most;
}

static bool take(const char **at, const char *any_of)
{
    for (; *any_of; any_of++) {
        if (**at == *any_of) {
            (*at)++;
            return true;
        }
    }
    return false;
}

static bool take_date(const char **at, struct tm *t)
{
    if (!take_number(at, 4, 1970, 9999, &t->tm_year) || !take(at, "-") ||
        !take_number(at, 2, 1, 12, &t->tm_mon) || !take(at, "-") ||
        !take_number(at, 2, 1, 31, &t->tm_mday)) {
        return false;
    }
    t->tm_year -= 1900;
    t->tm_mon -= 1;
    return true;
}

static bool take_fraction(const char **at)
{
    if (!take(at, ".")) {
        return true;
    }
    const char *first = *at;
    while (isdigit((unsigned char)**at)) {
        (*at)++;
    }
    return *at > first;
}

static bool take_offset(const char **at, int *out_seconds)
{
    *out_seconds = 0;
    if (take(at, "Zz")) {
        return true;
    }
    int sign = **at == '-' ? -1 : 1;
    int hours;
    int minutes;
    if (!take(at, "+-") || !take_number(at, 2, 0, 23, &hours) || !take(at, ":") ||
        !take_number(at, 2, 0, 59, &minutes)) {
        return false;
    }
    *out_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool take_time(const char **at, struct tm *t, int *out_offset)
{
    return take(at, "Tt ") && take_number(at, 2, 0, 23, &t->tm_hour) && take(at, ":") &&
           take_number(at, 2, 0, 59, &t->tm_min) && take(at, ":") &&
           take_number(at, 2, 0, 60, &t->tm_sec) && take_fraction(at) &&
           take_offset(at, out_offset);
}

ERRFN evidence_time_parse(const char *text, uint64_t *out_utc_ms)
{
    struct tm t = {0};
    int offset = 0;
    ENSURE(take_date(&text, &t), FIELD_INVALID);
    int day = t.tm_mday;
    ENSURE(*text == '\0' || take_time(&text, &t, &offset), FIELD_INVALID);
    ENSURE(*text == '\0', FIELD_INVALID);
    bool leap_second = t.tm_sec == 60;
    t.tm_sec -= leap_second;
    time_t seconds = timegm(&t);
    ENSURE(t.tm_mday == day, FIELD_INVALID); /* no such day in that month */
    seconds += leap_second - offset;
    ENSURE(seconds >= 0, FIELD_INVALID);
    *out_utc_ms = (uint64_t)seconds * 1000;
    return OK;
}
