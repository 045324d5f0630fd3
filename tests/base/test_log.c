#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>

static int ends[2];
static char line[4096];

static const char *logged(void)
{
    ssize_t got = read(ends[0], line, sizeof line - 1);
    line[got > 0 ? got : 0] = '\0';
    return line;
}

static int open_pipe(void **state)
{
    (void)state;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return -1;
    }
    log_open(ends[1], "test", LOG_INFO);
    return 0;
}

static void event_is_one_json_line_with_its_fields(void **state)
{
    (void)state;
    log_event(LOG_WARN, "quote.denied", LOG_NUMBER("seq", 7), LOG_TEXT("machine_id", "m-1"), LOG_ERR(E(QUOTE_NONCE)));
    const char *text = logged();
    assert_non_null(strstr(text, "\"level\":\"warn\""));
    assert_non_null(strstr(text, "\"event\":\"quote.denied\",\"seq\":7,\"machine_id\":\"m-1\",\"reason\":\"quote_nonce_mismatch\"}\n"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void outside_text_can_not_forge_a_line(void **state)
{
    (void)state;
    log_event(LOG_INFO, "x", LOG_TEXT("name", "a\"}\n{\"event\":\"forged\x1b[2J\xff"));
    const char *text = logged();
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_null(strstr(text, "{\"event\":\"forged"));
    assert_non_null(strstr(text, "\\u001b"));
    assert_non_null(strstr(text, "\\u00ff"));
}

static void a_line_never_grows_past_its_bound(void **state)
{
    (void)state;
    char big[3000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    log_event(LOG_INFO, "x", LOG_TEXT("a", big), LOG_TEXT("b", big), LOG_TEXT("c", big), LOG_TEXT("d", big), LOG_TEXT("e", big));
    assert_true(strlen(logged()) <= 1024);
}

static void lower_levels_are_left_out(void **state)
{
    (void)state;
    log_event(LOG_DEBUG, "quiet");
    assert_string_equal(logged(), "");
}

static void a_reader_that_is_behind_costs_lines_not_time_and_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        log_event(LOG_INFO, "flood");
    }
    while (*logged()) {
    }
    log_event(LOG_INFO, "after");
    assert_non_null(strstr(logged(), "\"dropped\":"));
}

static void times_are_rfc3339_utc(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_SIZE];
    clock_format(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    clock_format(1790000000123, text);
    assert_string_equal(text, "2026-09-21T14:13:20.123Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(event_is_one_json_line_with_its_fields, open_pipe),
        cmocka_unit_test_setup(outside_text_can_not_forge_a_line, open_pipe),
        cmocka_unit_test_setup(a_line_never_grows_past_its_bound, open_pipe),
        cmocka_unit_test_setup(lower_levels_are_left_out, open_pipe),
        cmocka_unit_test_setup(a_reader_that_is_behind_costs_lines_not_time_and_is_told, open_pipe),
        cmocka_unit_test(times_are_rfc3339_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
