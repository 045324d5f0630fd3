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

uint64_t clock_elapsed_ms(void)
{
    return read_ms(CLOCK_BOOTTIME);
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

/* `digits` decimal digits and, unless it is NUL, the character `after`. */
static ERRFN take_number(struct view *text, size_t digits, char after, uint32_t *out_value)
{
    uint32_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        uint8_t digit;
        TRY(view_get_u8(text, &digit, E(FIELD_INVALID)));
        ENSURE(digit >= '0' && digit <= '9', FIELD_INVALID);
        value = value * 10 + (uint32_t)(digit - '0');
    }
    if (after) {
        uint8_t mark;
        TRY(view_get_u8(text, &mark, E(FIELD_INVALID)));
        ENSURE(mark == after, FIELD_INVALID);
    }
    *out_value = value;
    return OK;
}

static ERRFN take_date(struct view *text, uint64_t *out_days)
{
    static const uint16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    uint32_t year, month, day;
    TRY(take_number(text, 4, '-', &year));
    TRY(take_number(text, 2, '-', &month));
    TRY(take_number(text, 2, 'T', &day));
    ENSURE(year >= 1970 && month >= 1 && month <= 12 && day >= 1, FIELD_INVALID);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    uint32_t length = (uint32_t)(before[month] - before[month - 1]) + (month == 2 && leap);
    ENSURE(day <= length, FIELD_INVALID);
    uint64_t past = year - 1;
    uint64_t leap_days = past / 4 - past / 100 + past / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    *out_days = (uint64_t)(year - 1970) * 365 + leap_days + before[month - 1] +
                (month > 2 && leap) + day - 1;
    return OK;
}

static ERRFN take_fraction(struct view *text, uint64_t *out_ms)
{
    *out_ms = 0;
    if (text->len == 0 || text->data[0] != '.') {
        return OK;
    }
    uint8_t digit;
    size_t digits = 0;
    TRY(view_get_u8(text, &digit, E(FIELD_INVALID)));
    for (uint64_t weight = 100; text->len > 0 && text->data[0] >= '0' && text->data[0] <= '9';
         weight /= 10, digits++) {
        TRY(view_get_u8(text, &digit, E(FIELD_INVALID)));
        *out_ms += weight * (uint64_t)(digit - '0');
    }
    ENSURE(digits > 0 && digits <= 9, FIELD_INVALID);
    return OK;
}

/* Z, +02:00 or -02:00, in minutes east. */
static ERRFN take_offset(struct view *text, int64_t *out_minutes)
{
    uint8_t sign;
    TRY(view_get_u8(text, &sign, E(FIELD_INVALID)));
    *out_minutes = 0;
    if (sign == 'Z') {
        return OK;
    }
    uint32_t hours, minutes;
    ENSURE(sign == '+' || sign == '-', FIELD_INVALID);
    TRY(take_number(text, 2, ':', &hours));
    TRY(take_number(text, 2, '\0', &minutes));
    ENSURE(hours <= 23 && minutes <= 59, FIELD_INVALID);
    *out_minutes = (int64_t)(hours * 60 + minutes) * (sign == '-' ? -1 : 1);
    return OK;
}

ERRFN clock_parse(struct view text, uint64_t *out_utc_ms)
{
    uint64_t days, ms;
    uint32_t hour, minute, second;
    int64_t east;
    TRY(take_date(&text, &days));
    TRY(take_number(&text, 2, ':', &hour));
    TRY(take_number(&text, 2, ':', &minute));
    TRY(take_number(&text, 2, '\0', &second));
    ENSURE(hour <= 23 && minute <= 59 && second <= 59, FIELD_INVALID);
    TRY(take_fraction(&text, &ms));
    TRY(take_offset(&text, &east));
    ENSURE(text.len == 0, FIELD_INVALID);
    int64_t minutes = (int64_t)(days * 1440 + hour * 60 + minute) - east;
    ENSURE(minutes >= 0, FIELD_INVALID);
    *out_utc_ms = ((uint64_t)minutes * 60 + second) * 1000 + ms;
    return OK;
}
