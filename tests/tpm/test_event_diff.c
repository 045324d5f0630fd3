#include "cmocka_all.h"
#include "log_builder.h"
#include "real.h"

#include "tpm/event_diff.h"

#include <string.h>

static struct event_log_problem problem;

static struct event_diff *diff_of(const struct buf *a, const struct buf *b)
{
    AUTO(event_log) left = NULL;
    AUTO(event_log) right = NULL;
    struct event_diff *diff = NULL;
    assert_ok(event_log_parse(buf_view(a), &left, &problem));
    assert_ok(event_log_parse(buf_view(b), &right, &problem));
    assert_ok(event_diff(left, right, &diff));
    return diff;
}

static void secure_boot_of(struct buf *log, const char *value)
{
    AUTO(buf) data = log_variable("SecureBoot", view_of(value, 1));
    log_measure(log, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, buf_view(data));
}

static void same_log_says_the_same(void **state)
{
    (void)state;
    AUTO(buf) a = real_file("keylime/eventlogs/binary_bios_measurements-secureboot");
    AUTO(event_diff) diff = diff_of(a, a);
    assert_true(event_diff_empty(diff));
}

static void events_that_extend_nothing_do_not_count(void **state)
{
    (void)state;
    AUTO(buf) a = log_new();
    AUTO(buf) b = log_new();
    log_start(a);
    log_start(b);
    log_measure(a, 0, EV_ACTION, view_text("x"));
    log_measure(b, 0, EV_NO_ACTION, view_text("anything"));
    log_measure(b, 0, EV_ACTION, view_text("x"));
    assert_ok(buf_put(b, view_of("\0\0\0\0", 4)));
    AUTO(event_diff) diff = diff_of(a, b);
    assert_true(event_diff_empty(diff));
}

static void secure_boot_switched_off_is_said_first_and_in_words(void **state)
{
    (void)state;
    AUTO(buf) a = log_new();
    AUTO(buf) b = log_new();
    log_start(a);
    log_start(b);
    secure_boot_of(a, "\1");
    secure_boot_of(b, "\0");
    log_measure_other(a, 4, EV_EFI_BOOT_SERVICES_APPLICATION, view_text("old"), VIEW_EMPTY);
    log_measure_other(b, 4, EV_EFI_BOOT_SERVICES_APPLICATION, view_text("new"), VIEW_EMPTY);
    AUTO(event_diff) diff = diff_of(a, b);
    assert_string_equal(diff->meaning->items[0].name, "secure_boot.enabled");
    assert_string_equal(diff->meaning->items[0].value, "Secure Boot was switched off.");
    assert_non_null(strstr(claims_first(diff->meaning, "boot.loader"),
                           "The boot loader changed from \"sha256:"));
    assert_int_equal(diff->pcrs, 1U << 4 | 1U << 7);
    assert_int_equal(diff->count, 2);
    AUTO(event_diff) back = diff_of(b, a);
    assert_string_equal(back->meaning->items[0].value, "Secure Boot was switched on.");
}

static void command_line_is_shown_before_and_after(void **state)
{
    (void)state;
    AUTO(buf) a = log_new();
    AUTO(buf) b = log_new();
    log_start(a);
    log_start(b);
    log_measure_other(a, 8, EV_IPL, view_text("quiet"), view_text("kernel_cmdline: quiet"));
    log_measure_other(b, 8, EV_IPL, view_text("debug"), view_text("kernel_cmdline: debug"));
    AUTO(event_diff) diff = diff_of(a, b);
    assert_string_equal(claims_first(diff->meaning, "kernel.command_line"),
                        "The kernel command line changed from \"quiet\" to \"debug\".");
}

static void inserted_event_does_not_make_the_rest_look_changed(void **state)
{
    (void)state;
    static const char *const words[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    AUTO(buf) a = log_new();
    AUTO(buf) b = log_new();
    log_start(a);
    log_start(b);
    for (size_t i = 0; i < 8; i++) {
        if (i == 3) {
            log_measure(b, 5, EV_ACTION, view_text("new"));
        }
        if (i != 6) {
            log_measure(b, 5, EV_ACTION, view_text(words[i]));
        }
        log_measure(a, 5, EV_ACTION, view_text(words[i]));
    }
    AUTO(event_diff) diff = diff_of(a, b);
    assert_int_equal(diff->count, 2);
    assert_int_equal(diff->changes[0].kind, EVENT_ADDED);
    assert_int_equal(diff->changes[0].event_b, 4);
    assert_string_equal(diff->changes[0].text, "EV_ACTION new");
    assert_int_equal(diff->changes[1].kind, EVENT_REMOVED);
    assert_int_equal(diff->changes[1].event_a, 7);
    assert_int_equal(diff->changes[1].pcr, 5);
}

static void altered_copy_is_told_event_by_event(void **state)
{
    (void)state;
    AUTO(buf) a = real_file("HIRS/eventlogs/TpmLog.bin");
    AUTO(buf) b = real_file("HIRS/eventlogs/TPMLog_Altered.bin");
    AUTO(event_diff) diff = diff_of(a, b);
    assert_int_equal(diff->count, 2);
    assert_int_equal(diff->changes[0].kind, EVENT_CHANGED);
    assert_int_equal(diff->changes[0].event_a, 6);
    assert_int_equal(diff->changes[0].event_b, 6);
    assert_int_equal(diff->changes[1].event_a, 25);
    assert_int_equal(diff->pcrs, 1U << 0 | 1U << 1);
}

static void dbx_update_is_counted(void **state)
{
    (void)state;
    AUTO(buf) a = real_file("guard-oss/evidence/dell-notebook-5eventlogs-WBCL.log0.bin");
    AUTO(buf) b = real_file("guard-oss/evidence/latitude-7520.log0.bin");
    AUTO(event_diff) diff = diff_of(a, b);
    assert_string_equal(claims_first(diff->meaning, "secure_boot.dbx"),
                        "What must not boot (dbx) changed: 190 added.");
}

static void logs_without_a_common_bank_are_not_compared(void **state)
{
    (void)state;
    AUTO(buf) a = log_new();
    AUTO(buf) b = log_new();
    AUTO(event_log) left = NULL;
    AUTO(event_log) right = NULL;
    AUTO(event_diff) diff = NULL;
    log_start(a);
    log_legacy(b, 0, EV_ACTION, view_text("a"), view_text("a"));
    assert_ok(event_log_parse(buf_view(a), &left, &problem));
    assert_ok(event_log_parse(buf_view(b), &right, &problem));
    assert_err(event_diff(left, right, &diff), EVENT_LOG_UNREADABLE);
}

static void logs_with_nothing_in_common_are_compared_in_bounded_time(void **state)
{
    (void)state;
    AUTO(buf) a = log_new();
    AUTO(buf) b = log_new();
    log_start(a);
    log_start(b);
    for (uint32_t i = 0; i < 8000; i++) {
        log_measure(a, 5, EV_ACTION, view_of(&i, sizeof i));
        uint32_t other = i + 100000;
        log_measure(b, 5, EV_ACTION, view_of(&other, sizeof other));
    }
    AUTO(event_diff) diff = diff_of(a, b);
    assert_int_equal(diff->count, EVENT_CHANGES_MAX);
    assert_int_equal(diff->dropped, 8000 - EVENT_CHANGES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_log_says_the_same),
        cmocka_unit_test(events_that_extend_nothing_do_not_count),
        cmocka_unit_test(secure_boot_switched_off_is_said_first_and_in_words),
        cmocka_unit_test(command_line_is_shown_before_and_after),
        cmocka_unit_test(inserted_event_does_not_make_the_rest_look_changed),
        cmocka_unit_test(altered_copy_is_told_event_by_event),
        cmocka_unit_test(dbx_update_is_counted),
        cmocka_unit_test(logs_without_a_common_bank_are_not_compared),
        cmocka_unit_test(logs_with_nothing_in_common_are_compared_in_bounded_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
