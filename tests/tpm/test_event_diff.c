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

/* A boot in few events; one of its parts is another one. */
static struct buf *boot_with(const char *part)
{
    struct buf *log = log_new();
#define IS(name, other, usual) view_text(strcmp(part, name) == 0 ? other : usual)
    log_start(log);
    log_measure(log, 0, EV_S_CRTM_VERSION, IS("version", "F2", "F1"));
    log_measure_other(log, 0, EV_EFI_PLATFORM_FIRMWARE_BLOB, IS("volume", "2", "1"), VIEW_EMPTY);
    log_measure_other(log, 0, EV_POST_CODE, IS("code", "2", "1"), view_text("POST CODE"));
    log_measure_other(log, 1, EV_CPU_MICROCODE, IS("microcode", "2", "1"), view_text("m"));
    log_measure_other(log, 1, EV_EFI_HANDOFF_TABLES, IS("table", "2", "1"), VIEW_EMPTY);
    log_measure_other(log, 2, EV_EFI_BOOT_SERVICES_DRIVER, IS("card", "2", "1"), VIEW_EMPTY);
    log_measure_other(log, 2, EV_EFI_SPDM_FIRMWARE_BLOB, IS("device", "2", "1"), VIEW_EMPTY);
    AUTO(buf) order = log_variable("BootOrder", IS("order", "\2", "\1"));
    log_measure(log, 1, EV_EFI_VARIABLE_BOOT2, buf_view(order));
    if (strcmp(part, "separator") != 0) {
        log_separators(log);
    }
    log_measure_other(log, 4, EV_EFI_BOOT_SERVICES_APPLICATION, IS("loader", "2", "1"), VIEW_EMPTY);
    log_measure_other(log, 14, EV_IPL, IS("owner", "2", "1"), view_of("MokList", 8));
    log_measure_other(log, 9, EV_IPL, IS("kernel", "2", "1"), view_text("(hd0)/kernel-6.1"));
    return log;
#undef IS
}

static void each_kind_of_change_is_told_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *part;
        const char *words;
    } changes[] = {
        {"version", "The firmware's version changed from \"F1\" to \"F2\"."},
        {"volume", "The firmware's volumes changed from"},
        {"code", "The firmware's code changed from"},
        {"microcode", "The processor's microcode changed from"},
        {"table", "The firmware's settings and tables (PCR 1) changed, in nothing that has a name"},
        {"card", "The drivers that the firmware loaded changed from"},
        {"device", "The firmware of devices changed from"},
        {"separator", "PCRs that the firmware did not close changed: 8 added."},
        {"loader", "The boot loader changed from"},
        {"owner", "The machine owner's keys (MokList) changed from"},
        {"kernel", "The kernel changed from"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        AUTO(buf) a = boot_with("");
        AUTO(buf) b = boot_with(changes[i].part);
        AUTO(event_diff) diff = diff_of(a, b);
        assert_true(diff->meaning->count > 0);
        if (strncmp(diff->meaning->items[0].value, changes[i].words, strlen(changes[i].words)) !=
            0) {
            fail_msg("%s: %s", changes[i].part, diff->meaning->items[0].value);
        }
    }
}

/* A sentence for every PCR: from a claim, or from what the PCR is for. */
static void pcr_without_a_change_that_has_a_name_is_told_by_what_it_is_for(void **state)
{
    (void)state;
    AUTO(buf) a = boot_with("");
    AUTO(buf) b = boot_with("table");
    AUTO(event_diff) diff = diff_of(a, b);
    assert_int_equal(diff->meaning->count, 1);
    assert_string_equal(diff->meaning->items[0].name, "pcr.1");
    AUTO(buf) c = boot_with("microcode");
    AUTO(event_diff) named = diff_of(a, c);
    assert_int_equal(named->meaning->count, 1);
    assert_int_equal(named->meaning->items[0].pcrs, 1U << 1);
}

static void another_start_of_the_tpm_and_other_banks_are_told(void **state)
{
    (void)state;
    static const uint16_t two[] = {TPM_ALG_SHA1, TPM_ALG_SHA256};
    AUTO(buf) a = log_new();
    AUTO(buf) b = log_new();
    log_start(a);
    log_header(b, two, 2);
    log_measure(b, 0, EV_NO_ACTION, view_of("StartupLocality\0\3", 17));
    AUTO(event_diff) diff = diff_of(a, b);
    assert_string_equal(claims_first(diff->meaning, "log.startup_locality"),
                        "Who started the TPM (startup locality) changed: 1 added (3).");
    assert_string_equal(
        claims_first(diff->meaning, "log.algorithms"),
        "The hash algorithms of the log changed from \"sha256\" to \"sha1,sha256\".");
    assert_int_equal(diff->meaning->count, 2);
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
        cmocka_unit_test(each_kind_of_change_is_told_in_words),
        cmocka_unit_test(pcr_without_a_change_that_has_a_name_is_told_by_what_it_is_for),
        cmocka_unit_test(another_start_of_the_tpm_and_other_banks_are_told),
        cmocka_unit_test(logs_without_a_common_bank_are_not_compared),
        cmocka_unit_test(logs_with_nothing_in_common_are_compared_in_bounded_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
