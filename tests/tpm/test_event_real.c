/* Every log of the collection against what its expected.json says: published or reported PCR values
 * where there are any. */
#include "cmocka_all.h"
#include "real.h"

#include "base/text.h"
#include "tpm/event_check.h"
#include "tpm/event_claims.h"
#include "tpm/event_replay.h"

#include <stdio.h>
#include <string.h>

enum { LOG_MAX = 4 << 20, LOGS = 33 };

static struct event_log_problem problem;

/* The file itself, or the base64 text at Log.Raw of a JSON document. */
static struct buf *log_bytes(const char *path, const char *where)
{
    if (!where) {
        return real_file(path);
    }
    assert_string_equal(where, "Log.Raw (base64)");
    json_t *document = real_json(path);
    struct buf *bytes = NULL;
    assert_ok(buf_new(LOG_MAX, &bytes));
    assert_ok(base64_decode(view_text(real_text(json_object_get(document, "Log"), "Raw")), bytes));
    json_decref(document);
    return bytes;
}

static bool contains(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), text) == 0) {
            return true;
        }
    }
    return false;
}

static uint16_t alg_of(const char *bank)
{
    for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
        if (strcmp(event_banks[i].name, bank) == 0) {
            return event_banks[i].alg;
        }
    }
    fail_msg("%s", bank);
    return 0;
}

/* A value the log does not speak of is a start value, or the collection says that something else
 * extended it. */
static void compare_value(const json_t *mismatches, const char *pcr, const char *expected,
                          const char *got)
{
    if (got && !contains(json_object_get(mismatches, "replay_differs"), pcr)) {
        assert_string_equal(got, expected);
    } else if (got) {
        assert_string_not_equal(got, expected);
    } else if (!contains(json_object_get(mismatches, "nonzero_but_not_in_log"), pcr)) {
        assert_int_equal(strspn(expected, expected[0] == 'f' ? "f" : "0"), strlen(expected));
    }
}

static void compare_bank(const struct event_log *log, const struct event_replay *replay,
                         const json_t *entry, const char *name, const json_t *values, bool exactly)
{
    const struct event_replay_bank *bank = event_replay_find(replay, alg_of(name));
    const json_t *mismatches = json_object_get(json_object_get(entry, "mismatches"), name);
    size_t replayed = 0;
    for (uint32_t i = 0; i < PCR_COUNT; i++) {
        char pcr[EVENT_REGISTER_NAME_SIZE];
        char hex[HEX_TEXT_SIZE(TPM_DIGEST_MAX_BYTES)];
        event_register_name(log, i, pcr);
        bool ours = bank->mask >> i & 1;
        hex_encode(view_of(bank->value[i], event_bank_of(alg_of(name))->size), hex);
        const char *expected = json_string_value(json_object_get(values, pcr));
        replayed += ours;
        if (expected) {
            compare_value(exactly ? NULL : mismatches, pcr, expected, ours ? hex : NULL);
        } else {
            assert_false(ours);
        }
    }
    if (exactly) {
        assert_int_equal(replayed, json_object_size(values));
    }
}

static void compare_banks(const struct event_log *log, const json_t *entry)
{
    struct event_replay replay;
    assert_ok(event_replay(log, &replay));
    const char *source = real_text(entry, "banks_source");
    bool own = strstr(source, "own replay only") != NULL;
    const char *name;
    json_t *values;
    json_object_foreach(json_object_get(entry, "banks"), name, values)
    {
        compare_bank(log, &replay, entry, name, values, own);
    }
    json_object_foreach(json_object_get(entry, "banks_own_replay"), name, values)
    {
        compare_bank(log, &replay, entry, name, values, true);
    }
}

static void compare_entry(const char *folder, const json_t *entry)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, real_text(entry, "file"));
    AUTO(buf) bytes = log_bytes(path, json_string_value(json_object_get(entry, "where")));
    AUTO(event_log) log = NULL;
    AUTO(claims) claims = NULL;
    if (json_object_get(entry, "parse_error")) {
        assert_err(event_log_parse(buf_view(bytes), &log, &problem), EVENT_LOG_UNREADABLE);
        return;
    }
    assert_ok(event_log_parse(buf_view(bytes), &log, &problem));
    assert_string_equal(event_log_format_name(log->format), real_text(entry, "format"));
    assert_int_equal(log->count, json_integer_value(json_object_get(entry, "events")));
    assert_int_equal(log->padding_bytes,
                     json_integer_value(json_object_get(entry, "padding_bytes")));
    const json_t *locality = json_object_get(entry, "startup_locality");
    assert_int_equal(log->locality_given, json_is_integer(locality));
    assert_int_equal(log->cc, strstr(folder, "ccel") != NULL);
    compare_banks(log, entry);
    assert_ok(event_claims_read(log, event_log_preferred_bank(log), &claims));
    bool tampered = strcmp(real_text(entry, "outcome"), "tampered copy") == 0;
    assert_int_equal(claims->serious, tampered);
    assert_false(claims->truncated);
}

static void every_log_of_the_collection_replays_to_its_published_values(void **state)
{
    (void)state;
    static const char *const folders[] = {"HIRS/eventlogs",           "fwupd/eventlogs",
                                          "go-attestation/eventlogs", "go-attestation/malformed",
                                          "go-tpm-tools/eventlogs",   "guard-oss/eventlogs",
                                          "guard-oss/evidence",       "keylime/eventlogs",
                                          "tpm2-tools/eventlogs",     "trustee/ccel"};
    size_t logs = 0;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/expected.json", folders[i]);
        json_t *entries = real_json(path);
        for (size_t e = 0; e < json_array_size(entries); e++, logs++) {
            compare_entry(folders[i], json_array_get(entries, e));
        }
        json_decref(entries);
    }
    assert_true(logs >= LOGS);
}

static struct claims *claims_of(const char *path)
{
    AUTO(buf) bytes = real_file(path);
    AUTO(event_log) log = NULL;
    struct claims *claims = NULL;
    assert_ok(event_log_parse(buf_view(bytes), &log, &problem));
    assert_ok(event_claims_read(log, event_log_preferred_bank(log), &claims));
    return claims;
}

static void assert_claim(const struct claims *claims, const char *name, const char *value)
{
    if (!claims_has(claims, name, value)) {
        const char *first = claims_first(claims, name);
        fail_msg("%s is %s, not %s", name, first ? first : "absent", value);
    }
}

static void machine_with_grub_and_shim_is_explained(void **state)
{
    (void)state;
    AUTO(claims) claims = claims_of("keylime/eventlogs/binary_bios_measurements-secureboot");
    assert_claim(claims, "secure_boot.enabled", "true");
    assert_claim(claims, "firmware.crtm_version", "edk2-20240524-7.el9");
    assert_claim(claims, "secure_boot.authority",
                 "db:x509:sha256:48e99b991f57fc52f76149599bff0a58c47154229b9f8d603ac40d3500248507");
    assert_claim(claims, "boot.gpt_disk_guid", "a8d60e59-43a9-4968-b0c2-3cf775e007b2");
    assert_claim(claims, "boot.loader",
                 "sha256:27b12463e599b3147635f272e3722960e443def60fef088eba600697017529f2");
    assert_claim(claims, "kernel.digest",
                 "sha256:3d04fdbb39eb812b739c18f1b66a8837987d6264082643ba3dd8a2bed835ddc7");
    assert_int_equal(claims_count(claims, "secure_boot.db"), 4);
    assert_int_equal(claims_count(claims, "boot.application"), 3);
    assert_int_equal(claims_count(claims, "kernel.command_line"), 1);
}

static void machine_with_windows_is_explained(void **state)
{
    (void)state;
    AUTO(claims) claims = claims_of("guard-oss/evidence/latitude-7520.log0.bin");
    assert_claim(claims, "secure_boot.enabled", "false");
    assert_claim(claims, "log.startup_locality", "3");
    assert_claim(claims, "windows.code_integrity", "true");
    assert_claim(claims, "windows.test_signing", "false");
    assert_claim(claims, "windows.elam_driver", "Windows Defender");
    assert_claim(claims, "windows.code_integrity_policy",
                 "DriverSiPolicy.p7b "
                 "sha256:21c6ab350d9e8fa3903230aa0ee3801f44aec25a3bee3f8edd3057b50222c2bf");
    assert_claim(claims, "boot.exit_boot_services", "returned");
}

static void confidential_machine_is_explained(void **state)
{
    (void)state;
    AUTO(claims) claims = claims_of("trustee/ccel/CCEL_data_grub");
    assert_claim(claims, "log.cc", "true");
    assert_claim(claims, "secure_boot.enabled", "true");
    assert_claim(claims, "secure_boot.sbat_level", "grub.debian,4");
    assert_int_equal(claims_count(claims, "boot.application"), 5);
}

static void command_line_without_its_last_zero_is_a_claim_with_a_warning(void **state)
{
    (void)state;
    AUTO(claims) claims = claims_of("tpm2-tools/eventlogs/event-arch-linux.bin");
    assert_int_equal(claims_count(claims, "stub.command_line"), 1);
    assert_int_equal(claims->warning_count, 1);
    assert_int_equal(claims->warnings[0].event, 24);
}

static void add_value(struct pcr_values *values, uint16_t bank, uint32_t pcr, const char *hex)
{
    AUTO(buf) digest = hex_bytes(hex);
    assert_ok(pcr_values_add(values, bank, pcr, buf_view(digest)));
}

static void
quoted_values_of_a_windows_server_replay_in_one_bank_and_are_capped_in_the_other(void **state)
{
    (void)state;
    AUTO(buf) bytes = real_file("guard-oss/evidence/IMN-SUPERMICRO-no-epp.log0.bin");
    json_t *entries = real_json("guard-oss/evidence/expected.json");
    const json_t *banks = json_object_get(json_array_get(entries, 0), "banks");
    assert_string_equal(real_text(json_array_get(entries, 0), "file"),
                        "IMN-SUPERMICRO-no-epp.log0.bin");
    struct pcr_values quoted = {0};
    for (uint32_t pcr = 0; pcr < 14; pcr++) {
        char name[EVENT_REGISTER_NAME_SIZE];
        snprintf(name, sizeof name, "%u", pcr);
        add_value(&quoted, TPM_ALG_SHA256, pcr, real_text(json_object_get(banks, "sha256"), name));
        add_value(&quoted, TPM_ALG_SHA1, pcr, real_text(json_object_get(banks, "sha1"), name));
    }
    json_decref(entries);
    AUTO(event_log) log = NULL;
    struct event_check check;
    assert_ok(event_log_parse(buf_view(bytes), &log, &problem));
    assert_ok(event_check(log, &quoted, &check));
    assert_int_equal(check.banks[0].bank, TPM_ALG_SHA256);
    assert_int_equal(check.banks[0].replays, (1U << 14) - 1);
    assert_int_equal(check.banks[1].differs, 0xFF);
    /* PCR 11, which BitLocker extends once more, is the only one that is not simply capped. */
    assert_int_equal(check.banks[1].capped, ((1U << 14) - 1) & ~(1U << 11));
    assert_false(event_check_passes(&check, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_log_of_the_collection_replays_to_its_published_values),
        cmocka_unit_test(machine_with_grub_and_shim_is_explained),
        cmocka_unit_test(machine_with_windows_is_explained),
        cmocka_unit_test(confidential_machine_is_explained),
        cmocka_unit_test(command_line_without_its_last_zero_is_a_claim_with_a_warning),
        cmocka_unit_test(
            quoted_values_of_a_windows_server_replay_in_one_bank_and_are_capped_in_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
