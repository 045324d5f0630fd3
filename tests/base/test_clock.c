/* RFC 3339, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#include <string.h>

static void times_of_rfc_3339_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t utc_ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-26T12:00:00Z", 1795694400000},
        {"2026-11-26T12:00:00.5Z", 1795694400500},
        {"2026-11-26T12:00:00.123456789Z", 1795694400123},
        {"2026-11-26T14:00:00+02:00", 1795694400000},
        {"2026-11-26T06:30:00-05:30", 1795694400000},
        {"2026-11-26T12:00:00-00:00", 1795694400000},
        {"2000-02-29T23:59:59Z", 951868799000},
        {"2024-03-01T00:00:00Z", 1709251200000},
        {"2100-03-01T00:00:00Z", 4107542400000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t utc_ms = 1;
        assert_true(IS_OK(clock_parse(view_text(rows[i].text), &utc_ms)));
        assert_true(utc_ms == rows[i].utc_ms);
    }
}

static void what_is_not_quite_a_time_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026-11-26",
        "2026-11-26T12:00:00",
        "2026-11-26 12:00:00Z",
        "2026-11-26t12:00:00z",
        "2026-11-26T12:00Z",
        "2026-11-26T12:00:00.Z",
        "2026-11-26T12:00:00.1234567890Z",
        "2026-11-26T12:00:00Z ",
        "2026-11-26T12:00:00+0200",
        "2026-11-26T12:00:00+24:00",
        "2026-11-26T12:00:00+02:60",
        "2026-11-26T24:00:00Z",
        "2026-11-26T12:60:00Z",
        "2026-11-26T12:00:60Z",
        "2026-00-26T12:00:00Z",
        "2026-13-26T12:00:00Z",
        "2026-11-00T12:00:00Z",
        "2026-11-31T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "2100-02-29T12:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "+026-11-26T12:00:00Z",
        "yesterday",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t utc_ms = 7;
        assert_true(IS_E(clock_parse(view_text(bad[i]), &utc_ms), FIELD_INVALID));
        assert_true(utc_ms == 7);
    }
}

static void every_day_until_2200_comes_back_as_it_was_written(void **state)
{
    (void)state;
    for (uint64_t day = 0; day < 84000; day++) {
        char text[CLOCK_TEXT_SIZE];
        uint64_t utc_ms = 0;
        uint64_t expected = day * 86400000 + day % 86400000;
        clock_format(expected, text);
        assert_true(IS_OK(clock_parse(view_text(text), &utc_ms)));
        assert_true(utc_ms == expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_of_rfc_3339_are_read),
        cmocka_unit_test(what_is_not_quite_a_time_is_refused),
        cmocka_unit_test(every_day_until_2200_comes_back_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
