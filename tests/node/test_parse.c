#include "node/appliance_request.h"
#include "node/apply.h"
#include "node/hardware.h"
#include "node/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ASSERT_OK(expr)   assert_string_equal(err_reason(expr), "ok")
#define ASSERT_E(expr, e) assert_string_equal(err_reason(expr), err_reason(E(e)))

/* -- options ----------------------------------------------------------------------------------- */

static struct options options;
static const char *subject;

static err_t parse(const char *line)
{
    static char copy[512];
    static char *words[40];
    snprintf(copy, sizeof copy, "%s", line);
    int count = 0;
    words[count++] = (char *)(uintptr_t) "itl-tpm-register";
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        words[count++] = word;
    }
    words[count] = NULL;
    return options_parse(count, words, &options, &subject);
}

static void defaults_poll_for_ever_with_the_best_keys(void **state)
{
    (void)state;
    unsetenv("ITL_TCTI");
    ASSERT_OK(parse("--url https://a --ca f"));
    assert_int_equal(options.mode, OPTIONS_FOREVER);
    assert_int_equal(options.poll_s, 60);
    assert_int_equal(options.ek, TPM_KEY_NONE);
    assert_int_equal(options.ak, AK_KIND_NONE);
    assert_string_equal(options.tcti, "device:/dev/tpmrm0");
    assert_false(options.event_log_given);
}

/* It is of the kernel's log's boot; of another log nobody knows. */
static void log_of_userspace_goes_with_the_kernel_s_only_unless_named(void **state)
{
    (void)state;
    ASSERT_OK(parse("--url https://a --ca f"));
    assert_string_equal(options.userspace_log, OPTIONS_DEFAULT_USERSPACE_LOG);
    ASSERT_OK(parse("--url https://a --ca f --event-log l"));
    assert_null(options.userspace_log);
    ASSERT_OK(parse("--url https://a --ca f --event-log l --userspace-log u"));
    assert_string_equal(options.userspace_log, "u");
}

static void environment_stands_in_for_options(void **state)
{
    (void)state;
    setenv("ITL_REG_URL", "https://environment", 1);
    setenv("ITL_TCTI", "swtpm:port=1", 1);
    ASSERT_OK(parse("--ca f"));
    assert_string_equal(options.url, "https://environment");
    assert_string_equal(options.tcti, "swtpm:port=1");
    ASSERT_OK(parse("--ca f --url https://option --tcti device"));
    assert_string_equal(options.url, "https://option");
    assert_string_equal(options.tcti, "device");
    unsetenv("ITL_REG_URL");
    unsetenv("ITL_TCTI");
}

static void misuse_is_named(void **state)
{
    (void)state;
    ASSERT_E(parse("--ca f"), FIELD_MISSING);
    assert_string_equal(subject, "--url");
    ASSERT_E(parse("--url https://a"), FIELD_MISSING);
    assert_string_equal(subject, "--ca or --pin");
    ASSERT_E(parse("--url https://a --insecure"), FIELD_UNKNOWN);
    assert_string_equal(subject, "--insecure");
    ASSERT_E(parse("--url"), FIELD_MISSING);
    ASSERT_E(parse("--url https://a --ca f word"), FIELD_UNKNOWN);
    assert_string_equal(subject, "word");
    ASSERT_E(parse("--url https://a --pin x"), FIELD_INVALID);
    ASSERT_E(parse("--url https://a --ca f --ek p512"), FIELD_INVALID);
    ASSERT_E(parse("--url https://a --ca f --ak sha1"), FIELD_INVALID);
    ASSERT_E(parse("--url https://a --ca f --apply x --output y"), FIELD_INVALID);
    ASSERT_E(parse("--url https://a --ca f --enroll-cert /var/lib/"), FIELD_INVALID);
    static const char *const seconds[] = {"-1",       "1s",   "",
                                          "99999999", "0x10", "99999999999999999999"};
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        char line[80];
        snprintf(line, sizeof line, "--url https://a --ca f --wait=%s", seconds[i]);
        ASSERT_E(parse(line), FIELD_INVALID);
        assert_string_equal(subject, "wait");
    }
}

static void receipt_needs_no_server(void **state)
{
    (void)state;
    ASSERT_OK(parse("--receipt -"));
    assert_int_equal(options.mode, OPTIONS_RECEIPT);
}

/* -- hardware ---------------------------------------------------------------------------------- */

static char sysfs[64];

static void put(const char *path, const char *content)
{
    char whole[256];
    snprintf(whole, sizeof whole, "mkdir -p $(dirname %s/%s)", sysfs, path);
    assert_int_equal(system(whole), 0);
    snprintf(whole, sizeof whole, "%s/%s", sysfs, path);
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static int make_sysfs(void **state)
{
    (void)state;
    snprintf(sysfs, sizeof sysfs, "/tmp/itl-test-sysfs-XXXXXX");
    return mkdtemp(sysfs) ? 0 : -1;
}

static int remove_sysfs(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", sysfs);
    return system(command);
}

static void unknown_hardware_is_unknown(void **state)
{
    (void)state;
    struct hardware hardware;
    hardware_read(sysfs, &hardware);
    assert_string_equal(hardware.uuid, "unknown");
    assert_string_equal(hardware.mac, "unknown");
    assert_string_equal(hardware.serial, "unknown");
    assert_string_equal(hardware.product, "unknown");
}

static void put_interface(const char *name, const char *type, const char *index,
                          const char *address)
{
    char path[128];
    snprintf(path, sizeof path, "class/net/%s/type", name);
    put(path, type);
    snprintf(path, sizeof path, "class/net/%s/ifindex", name);
    put(path, index);
    snprintf(path, sizeof path, "class/net/%s/address", name);
    put(path, address);
}

static void first_real_interface_gives_the_address(void **state)
{
    (void)state;
    struct hardware hardware;
    put_interface("lo", "772\n", "1\n", "00:00:00:00:00:00\n");
    put_interface("dummy0", "1\n", "2\n", "02:00:00:00:00:02\n");
    hardware_read(sysfs, &hardware);
    assert_string_equal(hardware.mac, "02:00:00:00:00:02");
    put_interface("eth1", "1\n", "10\n", "02:00:00:00:00:10\n");
    put("class/net/eth1/device/vendor", "0x1\n");
    put_interface("eth0", "1\n", "9\n", "02:00:00:00:00:09\n");
    put("class/net/eth0/device/vendor", "0x1\n");
    hardware_read(sysfs, &hardware);
    assert_string_equal(hardware.mac, "02:00:00:00:00:09");
}

static void smbios_texts_are_trimmed_and_checked(void **state)
{
    (void)state;
    struct hardware hardware;
    put("class/dmi/id/product_name", "  PowerEdge R740  \n");
    put("class/dmi/id/product_serial", "S\x1b[2J\n");
    char longest[200];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    put("class/dmi/id/product_uuid", longest);
    hardware_read(sysfs, &hardware);
    assert_string_equal(hardware.product, "PowerEdge R740");
    assert_string_equal(hardware.serial, "unknown");
    assert_string_equal(hardware.uuid, "unknown");
}

static void overrides_are_checked(void **state)
{
    (void)state;
    char field[HARDWARE_TEXT_SIZE] = "before";
    char longest[HARDWARE_TEXT_SIZE + 1];
    memset(longest, 'x', sizeof longest);
    longest[HARDWARE_TEXT_SIZE] = '\0';
    ASSERT_OK(hardware_override(field, NULL));
    assert_string_equal(field, "before");
    ASSERT_E(hardware_override(field, ""), FIELD_INVALID);
    ASSERT_E(hardware_override(field, longest), FIELD_INVALID);
    ASSERT_E(hardware_override(field, "a\nb"), FIELD_INVALID);
    ASSERT_OK(hardware_override(field, longest + 1));
    assert_string_equal(field, longest + 1);
}

/* -- answers ----------------------------------------------------------------------------------- */

static err_t selection_of(const char *text, struct pcr_selection *out_selection)
{
    AUTO(json) object = NULL;
    ASSERT_OK(json_read(view_text(text), &object));
    return pcr_selection_from_json(object, out_selection);
}

static void pcr_selections_are_read(void **state)
{
    (void)state;
    struct pcr_selection selection;
    ASSERT_OK(selection_of("{\"sha256\":[0,2,4,7,23],\"sha1\":[],\"sha384\":[1]}", &selection));
    assert_int_equal(selection.count, 2);
    assert_int_equal(selection.banks[0].bank, TPM2_ALG_SHA256);
    assert_int_equal(selection.banks[0].mask, 0x800095);
    assert_int_equal(selection.banks[1].bank, TPM2_ALG_SHA384);
    assert_int_equal(selection.banks[1].mask, 2);
}

static void pcr_selections_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}",
                                        "{\"sha256\":[]}",
                                        "{\"md5\":[1]}",
                                        "{\"sha256\":[24]}",
                                        "{\"sha256\":[-1]}",
                                        "{\"sha256\":[1,1]}",
                                        "{\"sha256\":[\"1\"]}",
                                        "{\"sha256\":7}",
                                        "{\"sha256\":[99999999999]}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct pcr_selection selection;
        ASSERT_E(selection_of(texts[i], &selection), ANSWER_INVALID);
    }
    struct pcr_selection selection;
    ASSERT_E(pcr_selection_from_json(NULL, &selection), ANSWER_INVALID);
}

static void states_are_the_contracts_words(void **state)
{
    (void)state;
    enum machine_state found = MACHINE_STATE_NONE;
    ASSERT_OK(machine_state_parse("pending_approval", &found));
    assert_int_equal(found, MACHINE_STATE_PENDING);
    ASSERT_OK(machine_state_parse("already_attested", &found));
    assert_int_equal(found, MACHINE_STATE_ATTESTED);
    ASSERT_E(machine_state_parse("ATTESTED", &found), ANSWER_INVALID);
    ASSERT_E(machine_state_parse("", &found), ANSWER_INVALID);
}

/* -- commands ---------------------------------------------------------------------------------- */

static void commands_without_words_or_with_too_many_are_refused(void **state)
{
    (void)state;
    AUTO(secret) config = NULL;
    ASSERT_OK(secret_copy(view_text("x"), &config));
    ASSERT_E(apply_command("", config), FIELD_INVALID);
    ASSERT_E(apply_command("  \t ", config), FIELD_INVALID);
    char words[2 * APPLY_ARGUMENTS_MAX + 3] = "";
    for (int i = 0; i <= APPLY_ARGUMENTS_MAX; i++) {
        strcat(words, "a ");
    }
    ASSERT_E(apply_command(words, config), FIELD_INVALID);
}

static void shell_characters_mean_nothing(void **state)
{
    (void)state;
    AUTO(secret) config = NULL;
    ASSERT_OK(secret_copy(view_text("x"), &config));
    char path[96];
    char command[160];
    snprintf(path, sizeof path, "%s/made", sysfs);
    snprintf(command, sizeof command, "true ; touch %s", path);
    ASSERT_OK(apply_command(command, config)); /* `true` gets four arguments */
    struct stat st;
    assert_int_not_equal(stat(path, &st), 0);
}

int main(void)
{
    if (!IS_OK(secret_setup())) {
        return EXIT_FAILURE;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_poll_for_ever_with_the_best_keys),
        cmocka_unit_test(log_of_userspace_goes_with_the_kernel_s_only_unless_named),
        cmocka_unit_test(environment_stands_in_for_options),
        cmocka_unit_test(misuse_is_named),
        cmocka_unit_test(receipt_needs_no_server),
        cmocka_unit_test(unknown_hardware_is_unknown),
        cmocka_unit_test(first_real_interface_gives_the_address),
        cmocka_unit_test(smbios_texts_are_trimmed_and_checked),
        cmocka_unit_test(overrides_are_checked),
        cmocka_unit_test(pcr_selections_are_read),
        cmocka_unit_test(pcr_selections_that_are_none_are_refused),
        cmocka_unit_test(states_are_the_contracts_words),
        cmocka_unit_test(commands_without_words_or_with_too_many_are_refused),
        cmocka_unit_test(shell_characters_mean_nothing),
    };
    return cmocka_run_group_tests(tests, make_sysfs, remove_sysfs);
}
