#include "cmocka_all.h"
#include "log_builder.h"

#include "base/text.h"
#include "crypto/digest.h"
#include "tpm/event_claims.h"
#include "tpm/event_describe.h"

#include <stdio.h>
#include <string.h>

static struct event_log_problem problem;

static struct claims *claims_of(const struct buf *bytes)
{
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

static void assert_absent(const struct claims *claims, const char *name)
{
    assert_null(claims_first(claims, name));
}

static const char *digest_text(const char *measured)
{
    static char text[8 + HEX_TEXT_SIZE(SHA256_BYTES)];
    uint8_t digest[SHA256_BYTES];
    assert_ok(sha256(view_text(measured), digest));
    memcpy(text, "sha256:", 7);
    hex_encode(view_of(digest, sizeof digest), text + 7);
    return text;
}

static void measure_variable(struct buf *log, uint32_t pcr, uint32_t type, const char *name,
                             struct view value)
{
    AUTO(buf) data = log_variable(name, value);
    log_measure(log, pcr, type, buf_view(data));
}

/* -- Secure Boot --------------------------------------------------------------------- */

static void secure_boot_is_what_the_firmware_measured(void **state)
{
    (void)state;
    const struct {
        const char *value;
        size_t len;
        const char *claim;
    } cases[] = {{"\1", 1, "true"},
                 {"\0", 1, "false"},
                 {"", 0, "false"},
                 {"\1\1", 2, "false"},
                 {"\2", 1, "false"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(buf) bytes = log_new();
        log_start(bytes);
        measure_variable(bytes, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, "SecureBoot",
                         view_of(cases[i].value, cases[i].len));
        log_separators(bytes);
        AUTO(claims) claims = claims_of(bytes);
        assert_claim(claims, "secure_boot.enabled", cases[i].claim);
        assert_int_equal(claims_count(claims, "secure_boot.enabled"), 1);
        assert_false(claims->serious);
    }
}

static void secure_boot_said_behind_the_separator_is_no_claim(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    measure_variable(bytes, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, "SecureBoot", view_of("\0", 1));
    log_separators(bytes);
    measure_variable(bytes, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, "SecureBoot", view_of("\1", 1));
    AUTO(claims) claims = claims_of(bytes);
    assert_int_equal(claims_count(claims, "secure_boot.enabled"), 1);
    assert_claim(claims, "secure_boot.enabled", "false");
    assert_true(claims->serious);
}

static void separator_under_another_type_is_still_the_separator(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    log_measure_other(bytes, 7, EV_EFI_ACTION, view_of("\0\0\0\0", 4), view_text("harmless"));
    measure_variable(bytes, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, "SecureBoot", view_of("\1", 1));
    AUTO(claims) claims = claims_of(bytes);
    assert_absent(claims, "secure_boot.enabled");
    assert_true(claims->serious);
}

static void secure_boot_in_another_pcr_is_no_claim(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    measure_variable(bytes, 16, EV_EFI_VARIABLE_DRIVER_CONFIG, "SecureBoot", view_of("\1", 1));
    AUTO(claims) claims = claims_of(bytes);
    assert_absent(claims, "secure_boot.enabled");
    assert_true(claims->serious);
}

static void variable_whose_data_was_edited_is_no_claim_but_a_warning(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) off = log_variable("SecureBoot", view_of("\0", 1));
    AUTO(buf) on = log_variable("SecureBoot", view_of("\1", 1));
    log_start(bytes);
    log_measure_other(bytes, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, buf_view(off), buf_view(on));
    AUTO(claims) claims = claims_of(bytes);
    assert_absent(claims, "secure_boot.enabled");
    assert_claim(claims, "log.unverified_data", "1 EV_EFI_VARIABLE_DRIVER_CONFIG");
    assert_true(claims->serious);
    assert_int_equal(claims->warnings[0].event, 1);
}

static void value_measured_without_its_name_is_no_claim(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) data = log_variable("SecureBoot", view_of("\1", 1));
    log_start(bytes);
    log_measure_other(bytes, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, view_of("\1", 1), buf_view(data));
    AUTO(claims) claims = claims_of(bytes);
    assert_absent(claims, "secure_boot.enabled");
    assert_false(claims->serious);
    assert_int_equal(claims->warning_count, 1);
}

static void event_without_a_digest_in_the_bank_proves_nothing_in_it(void **state)
{
    (void)state;
    const uint16_t both[] = {TPM_ALG_SHA256, TPM_ALG_SHA1};
    AUTO(buf) bytes = log_new();
    AUTO(buf) data = log_variable("SecureBoot", view_of("\1", 1));
    log_header(bytes, both, 2);
    log_event(bytes, both + 1, 1, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, buf_view(data), buf_view(data));
    AUTO(claims) claims = claims_of(bytes);
    assert_absent(claims, "secure_boot.enabled");
}

/* EFI_SIGNATURE_LIST with entries of one size; the owner is zero. */
static void put_signatures(struct buf *db, const char *guid, size_t entry_bytes, size_t count)
{
    assert_ok(buf_put(db, view_of(guid, 16)));
    log_u32(db, (uint32_t)(28 + count * (16 + entry_bytes)));
    log_u32(db, 0);
    log_u32(db, (uint32_t)(16 + entry_bytes));
    for (size_t i = 0; i < count; i++) {
        uint8_t *at;
        assert_ok(buf_extend(db, 16 + entry_bytes, &at));
        memset(at + 16, (int)('a' + i), entry_bytes);
    }
}

static const char guid_sha256[] =
    "\x26\x16\xc4\xc1\x4c\x50\x92\x40\xac\xa9\x41\xf9\x36\x93\x43\x28";
static const char guid_x509[] = "\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72";
static const char guid_other[] = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10";

static void every_entry_of_a_database_is_a_claim(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) db = log_new();
    put_signatures(db, guid_sha256, 32, 3);
    put_signatures(db, guid_x509, 5, 1);
    put_signatures(db, guid_other, 7, 1);
    log_start(bytes);
    measure_variable(bytes, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, "dbx", buf_view(db));
    AUTO(claims) claims = claims_of(bytes);
    assert_int_equal(claims_count(claims, "secure_boot.dbx"), 5);
    assert_claim(claims, "secure_boot.dbx",
                 "sha256:6262626262626262626262626262626262626262626262626262626262626262");
    char expected[128];
    snprintf(expected, sizeof expected, "x509:%s", digest_text("aaaaa"));
    assert_claim(claims, "secure_boot.dbx", expected);
    snprintf(expected, sizeof expected, "04030201-0605-0807-090a-0b0c0d0e0f10:%s",
             digest_text("aaaaaaa"));
    assert_claim(claims, "secure_boot.dbx", expected);
    assert_int_equal(claims_count(claims, "secure_boot.dbx.digest"), 1);
    assert_absent(claims, "secure_boot.dbx.subject");
}

static void malformed_database_is_read_to_where_it_breaks(void **state)
{
    (void)state;
    for (int damage = 0; damage < 3; damage++) {
        AUTO(buf) bytes = log_new();
        AUTO(buf) db = log_new();
        put_signatures(db, guid_sha256, 32, 2);
        size_t second = db->len;
        put_signatures(db, guid_sha256, 32, 1);
        db->data[second + 16] =
            damage == 0 ? 200 : db->data[second + 16]; /* longer than the variable */
        db->data[second + 24] = damage == 1 ? 16 : db->data[second + 24]; /* entries of no size */
        db->data[second + 16] =
            damage == 2 ? 27 : db->data[second + 16]; /* shorter than its header */
        log_start(bytes);
        measure_variable(bytes, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, "db", buf_view(db));
        AUTO(claims) claims = claims_of(bytes);
        assert_int_equal(claims_count(claims, "secure_boot.db"), 2);
        assert_true(claims->truncated && claims->serious);
    }
}

static void authority_names_its_database_where_the_digest_covers_it(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) value = log_new();
    assert_ok(buf_put(value, view_of((uint8_t[16]){0}, 16)));
    assert_ok(buf_put(value, view_text("0\x82\x01\x01"
                                       "certificate")));
    AUTO(buf) data = log_variable("db", buf_view(value));
    log_start(bytes);
    log_measure(bytes, 7, EV_EFI_VARIABLE_AUTHORITY, buf_view(data));
    log_measure_other(bytes, 7, EV_EFI_VARIABLE_AUTHORITY, buf_view(value), buf_view(data));
    log_measure_other(bytes, 7, EV_EFI_VARIABLE_AUTHORITY,
                      view_of(value->data + 16, value->len - 16), buf_view(data));
    AUTO(claims) claims = claims_of(bytes);
    char expected[128];
    snprintf(expected, sizeof expected, "db:x509:%s",
             digest_text("0\x82\x01\x01"
                         "certificate"));
    assert_claim(claims, "secure_boot.authority", expected);
    assert_claim(claims, "secure_boot.authority", expected + 3);
    assert_int_equal(claims_count(claims, "secure_boot.authority"), 3);
    assert_false(claims->serious);
}

static void stray_byte_that_shim_leaves_out_of_the_digest_is_tolerated(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) data = log_variable("Shim", view_text("0\x82\x01\x01key"));
    assert_ok(buf_put_u8(data, 0xAF));
    log_start(bytes);
    log_measure_other(bytes, 7, EV_EFI_VARIABLE_AUTHORITY, view_of(data->data, data->len - 1),
                      buf_view(data));
    AUTO(claims) claims = claims_of(bytes);
    assert_true(strncmp(claims_first(claims, "secure_boot.authority"), "Shim:x509:sha256:", 17) ==
                0);
    assert_false(claims->serious);
}

static void authority_of_other_data_is_no_claim(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) data = log_variable("db", view_text("0\x82\x01\x01key"));
    log_start(bytes);
    log_measure_other(bytes, 7, EV_EFI_VARIABLE_AUTHORITY, view_text("other"), buf_view(data));
    AUTO(claims) claims = claims_of(bytes);
    assert_absent(claims, "secure_boot.authority");
    assert_true(claims->serious);
}

static void state_of_shim_is_read(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    measure_variable(bytes, 7, EV_EFI_VARIABLE_AUTHORITY, "SbatLevel",
                     view_text("sbat,1,2023012900\nshim,2\ngrub,3\n"));
    measure_variable(bytes, 7, EV_EFI_VARIABLE_AUTHORITY, "MokListTrusted", view_of("\1", 1));
    log_measure_other(bytes, 14, EV_IPL, view_text("keys"), view_of("MokList", 8));
    AUTO(claims) claims = claims_of(bytes);
    assert_int_equal(claims_count(claims, "secure_boot.sbat_level"), 3);
    assert_claim(claims, "secure_boot.sbat_level", "shim,2");
    assert_claim(claims, "secure_boot.mok_list_trusted", "true");
    assert_claim(claims, "secure_boot.mok_list.digest", digest_text("keys"));
    assert_absent(claims, "secure_boot.authority");
}

static void malformed_variable_is_a_warning_where_it_was_measured_so(void **state)
{
    (void)state;
    const uint32_t types[] = {EV_EFI_VARIABLE_DRIVER_CONFIG, EV_EFI_VARIABLE_BOOT,
                              EV_EFI_VARIABLE_AUTHORITY};
    for (size_t i = 0; i < 3; i++) {
        AUTO(buf) bytes = log_new();
        log_start(bytes);
        log_measure(bytes, 7, types[i], view_text("no variable at all, though a long one"));
        AUTO(claims) claims = claims_of(bytes);
        assert_int_equal(claims->warning_count, 1);
        assert_false(claims->serious);
        AUTO(buf) other = log_new();
        log_start(other);
        log_measure_other(other, 7, types[i], view_text("x"),
                          view_text("no variable at all, though a long one"));
        AUTO(claims) edited = claims_of(other);
        assert_true(edited->serious);
    }
}

/* Vendors put settings of their own into events of this type. */
static void malformed_setting_outside_of_secure_boot_is_not_serious(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    log_measure_other(bytes, 1, EV_EFI_VARIABLE_DRIVER_CONFIG, view_text("x"), view_text("setup"));
    log_measure_other(bytes, 1, EV_EFI_VARIABLE_BOOT, view_text("y"), view_text("Boot0001"));
    log_measure(bytes, 1, EV_PLATFORM_CONFIG_FLAGS, view_of("\0\0\0\0", 4));
    AUTO(claims) claims = claims_of(bytes);
    assert_int_equal(claims_count(claims, "log.unverified_data"), 2);
    assert_int_equal(claims->warning_count, 3);
    assert_false(claims->serious);
}

static void zeros_behind_a_database_are_padding(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) db = log_new();
    uint8_t *at;
    log_start(bytes);
    put_signatures(db, "c1c41626-504c-4092-aca9-41f936934328", 32, 2);
    assert_ok(buf_extend(db, 100, &at));
    measure_variable(bytes, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, "dbx", buf_view(db));
    AUTO(claims) claims = claims_of(bytes);
    assert_int_equal(claims_count(claims, "secure_boot.dbx"), 2);
    assert_false(claims->serious || claims->truncated);
}

static void setting_of_a_vendor_that_is_hashed_in_its_own_way_is_not_serious(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) data = log_variable("Setup", view_text("settings"));
    log_start(bytes);
    log_measure_other(bytes, 1, EV_EFI_VARIABLE_DRIVER_CONFIG, view_text("others"), buf_view(data));
    AUTO(claims) claims = claims_of(bytes);
    assert_claim(claims, "log.unverified_data", "1 EV_EFI_VARIABLE_DRIVER_CONFIG");
    assert_false(claims->serious);
}

static void unknown_variables_are_nobodys_problem(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    measure_variable(bytes, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, "VendorThing", view_text("x"));
    AUTO(claims) claims = claims_of(bytes);
    assert_int_equal(claims->warning_count, 0);
}

/* -- firmware and boot --------------------------------------------------------------- */

static void firmware_version_is_text_a_guid_or_bytes(void **state)
{
    (void)state;
    AUTO(buf) wide = log_utf16("N1FET43W");
    assert_ok(buf_put(wide, view_of("\0\0", 2)));
    const struct {
        struct view data;
        const char *claim;
    } cases[] = {{buf_view(wide), "N1FET43W"},
                 {view_of("1.2.3", 6), "1.2.3"},
                 {view_of(guid_other, 16), "04030201-0605-0807-090a-0b0c0d0e0f10"},
                 {view_of("\xff\xfe\xfd", 3), "fffefd"}};
    for (size_t i = 0; i < 4; i++) {
        AUTO(buf) bytes = log_new();
        log_start(bytes);
        log_measure(bytes, 0, EV_S_CRTM_VERSION, cases[i].data);
        AUTO(claims) claims = claims_of(bytes);
        assert_claim(claims, "firmware.crtm_version", cases[i].claim);
    }
}

static void separators_of_zeros_and_ones_are_sound_and_others_are_errors(void **state)
{
    (void)state;
    const struct {
        const char *data;
        size_t len;
        bool sound;
    } cases[] = {{"\0\0\0\0", 4, true},  {"\xff\xff\xff\xff", 4, true}, {"\xff", 1, true},
                 {"\1\0\0\0", 4, false}, {"\0\xff\0\xff", 4, false},    {"", 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(buf) bytes = log_new();
        log_start(bytes);
        log_measure(bytes, 5, EV_SEPARATOR, view_of(cases[i].data, cases[i].len));
        AUTO(claims) claims = claims_of(bytes);
        assert_int_equal(claims->serious, !cases[i].sound);
        assert_int_equal(claims_has(claims, "log.separator.error", "PCR 5"), !cases[i].sound);
    }
}

/* Old laptops leave the data out, coreboot pads its events. */
static void separator_is_what_was_measured_also_where_its_data_is_worn(void **state)
{
    (void)state;
    static const uint8_t zeros[64] = {0};
    static const uint8_t ones[64] = {0xFF, 0xFF, 0xFF, 0xFF};
    AUTO(buf) bytes = log_new();
    AUTO(buf) edited = log_new();
    log_start(bytes);
    log_measure_other(bytes, 1, EV_SEPARATOR, view_of(zeros, 4), VIEW_EMPTY);
    log_measure_other(bytes, 4, EV_SEPARATOR, view_of(zeros, 4), view_of(zeros, sizeof zeros));
    log_measure_other(bytes, 7, EV_SEPARATOR, view_of(ones, 4), view_of(ones, sizeof ones));
    log_start(edited);
    log_measure_other(edited, 7, EV_SEPARATOR, view_of(zeros, 4), view_of(ones, sizeof ones));
    AUTO(claims) claims = claims_of(bytes);
    AUTO(claims) other = claims_of(edited);
    assert_absent(claims, "log.separator.error");
    assert_absent(claims, "opaque.pcr7");
    assert_int_equal(claims_count(claims, "log.separator.missing"), 5);
    assert_false(claims->serious);
    assert_true(other->serious);
}

/* The event may describe the error in place of the 1 that was measured. */
static void error_of_the_firmware_may_be_described_in_its_separator(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    log_measure_other(bytes, 2, EV_SEPARATOR, view_of("\1\0\0\0", 4), view_text("no option ROM"));
    AUTO(claims) claims = claims_of(bytes);
    assert_claim(claims, "log.separator.error", "PCR 2");
    assert_absent(claims, "log.unverified_data");
    assert_int_equal(claims_count(claims, "log.separator.missing"), 7);
    assert_true(claims->serious);
}

static void pcrs_that_the_firmware_did_not_close_are_named(void **state)
{
    (void)state;
    AUTO(buf) closed = log_new();
    AUTO(buf) open = log_new();
    log_start(closed);
    log_separators(closed);
    log_start(open);
    for (uint32_t pcr = 0; pcr < 7; pcr++) {
        log_measure(open, pcr, EV_SEPARATOR, view_of("\xff\xff\xff\xff", 4));
    }
    AUTO(claims) none = claims_of(closed);
    AUTO(claims) one = claims_of(open);
    assert_absent(none, "log.separator.missing");
    assert_claim(one, "log.separator.missing", "PCR 7");
    assert_int_equal(claims_count(one, "log.separator.missing"), 1);
}

static void parts_of_the_firmware_are_digests(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    log_measure_other(bytes, 0, EV_POST_CODE, view_text("1"), view_text("POST CODE"));
    log_measure_other(bytes, 0, EV_POST_CODE2, view_text("2"),
                      view_of("\x03"
                              "FSP",
                              4));
    log_measure_other(bytes, 1, EV_CPU_MICROCODE, view_text("3"), VIEW_EMPTY);
    log_measure_other(bytes, 2, EV_EFI_SPDM_FIRMWARE_BLOB, view_text("4"), VIEW_EMPTY);
    log_measure_other(bytes, 3, EV_EFI_SPDM_FIRMWARE_CONFIG, view_text("5"), VIEW_EMPTY);
    AUTO(claims) claims = claims_of(bytes);
    assert_int_equal(claims_count(claims, "firmware.post_code"), 2);
    assert_int_equal(claims_count(claims, "firmware.microcode"), 1);
    assert_int_equal(claims_count(claims, "device.firmware"), 1);
    assert_int_equal(claims_count(claims, "device.config"), 1);
    assert_false(claims->serious);
}

static void devices_that_may_be_used_are_a_database_like_others(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) db = log_new();
    log_start(bytes);
    put_signatures(db, "c1c41626-504c-4092-aca9-41f936934328", 32, 2);
    measure_variable(bytes, 7, EV_EFI_SPDM_DEVICE_POLICY, "devdb", buf_view(db));
    measure_variable(bytes, 7, EV_EFI_SPDM_DEVICE_AUTHORITY, "devdb", view_text("entry"));
    AUTO(claims) claims = claims_of(bytes);
    assert_int_equal(claims_count(claims, "secure_boot.devdb"), 2);
    assert_int_equal(strncmp(claims_first(claims, "secure_boot.authority"), "devdb:data:", 11), 0);
}

static void technology_of_google_s_firmware_is_named_as_measured(void **state)
{
    (void)state;
    uint8_t info[32] = "GCE NonHostInfo";
    info[16] = 4;
    AUTO(buf) bytes = log_new();
    AUTO(buf) edited = log_new();
    log_start(bytes);
    log_start(edited);
    log_measure(bytes, 0, EV_NONHOST_INFO, view_of(info, sizeof info));
    log_measure_other(edited, 0, EV_NONHOST_INFO, view_text("other"), view_of(info, sizeof info));
    AUTO(claims) claims = claims_of(bytes);
    AUTO(claims) none = claims_of(edited);
    assert_claim(claims, "firmware.confidential_computing", "amd-sev-snp");
    assert_absent(none, "firmware.confidential_computing");
}

static void partitions_of_the_disk_are_told(void **state)
{
    (void)state;
    AUTO(buf) data = log_new();
    AUTO(buf) name = log_utf16("root");
    AUTO(buf) bytes = log_new();
    uint8_t *at;
    assert_ok(buf_extend(data, 84, &at)); /* a header up to the size of its entries */
    memset(at + 56, 0x11, 16);
    log_u32(data, 128);
    log_u32(data, 0);
    log_u64(data, 2); /* one more than there are */
    assert_ok(buf_extend(data, 128, &at));
    memset(at, 0x22, 16);
    memset(at + 16, 0x33, 16);
    memcpy(at + 56, name->data, name->len);
    log_start(bytes);
    log_measure(bytes, 5, EV_EFI_GPT_EVENT, buf_view(data));
    AUTO(claims) claims = claims_of(bytes);
    assert_claim(claims, "boot.gpt_disk_guid", "11111111-1111-1111-1111-111111111111");
    assert_claim(claims, "boot.gpt_partition",
                 "root 33333333-3333-3333-3333-333333333333 22222222-2222-2222-2222-222222222222");
    assert_int_equal(claims_count(claims, "boot.gpt_partition"), 1);
}

static void separators_of_an_operating_system_are_its_own(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    log_measure(bytes, 12, EV_SEPARATOR, view_text("WBCL"));
    AUTO(claims) claims = claims_of(bytes);
    assert_false(claims->serious);
}

static void actions_of_the_firmware_become_facts(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    log_measure(bytes, 7, EV_EFI_ACTION, view_text("UEFI Debug Mode"));
    log_measure(bytes, 7, EV_EFI_ACTION, view_of("DMA Protection Disabled", 24));
    log_measure(bytes, 4, EV_EFI_ACTION, view_text("Calling EFI Application from Boot Option"));
    log_measure(bytes, 5, EV_EFI_ACTION, view_text("Exit Boot Services Invocation"));
    log_measure(bytes, 5, EV_EFI_ACTION, view_text("Exit Boot Services Returned with Success"));
    AUTO(claims) claims = claims_of(bytes);
    assert_claim(claims, "firmware.debug_mode", "true");
    assert_claim(claims, "firmware.dma_protection", "disabled");
    assert_claim(claims, "boot.attempts", "1");
    assert_claim(claims, "boot.exit_boot_services", "returned");
    assert_int_equal(claims_count(claims, "boot.exit_boot_services"), 1);
}

static void action_that_was_not_measured_is_no_fact(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    log_measure_other(bytes, 7, EV_EFI_ACTION, view_text("something else"),
                      view_text("UEFI Debug Mode"));
    AUTO(claims) claims = claims_of(bytes);
    assert_absent(claims, "firmware.debug_mode");
    assert_true(claims->serious);
}

/* UEFI_IMAGE_LOAD_EVENT of an application; `node` is one device path node. */
static void measure_image(struct buf *log, const char *image, const char *node, size_t node_len)
{
    AUTO(buf) data = log_new();
    log_u64(data, 0x1000);
    log_u64(data, 0x2000);
    log_u64(data, 0);
    log_u64(data, node_len + 4);
    assert_ok(buf_put(data, view_of(node, node_len)));
    assert_ok(buf_put(data, view_of("\x7f\xff\x04\x00", 4)));
    log_measure_other(log, 4, EV_EFI_BOOT_SERVICES_APPLICATION, view_text(image), buf_view(data));
}

static const char node_file[] = "\x04\x04\x0a\x00\\\0a\0\0";
static const char node_fv[] = "\x04\x07\x14\x00\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10";

static void last_attempt_has_the_boot_loader_and_every_application_counts(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    log_measure(bytes, 4, EV_EFI_ACTION, view_text("Calling EFI Application from Boot Option"));
    measure_image(bytes, "first", node_file, 10);
    log_measure(bytes, 4, EV_EFI_ACTION,
                view_text("Returning from EFI Application from Boot Option"));
    log_measure(bytes, 4, EV_EFI_ACTION, view_text("Calling EFI Application from Boot Option"));
    measure_image(bytes, "vendor", node_fv, 20);
    measure_image(bytes, "second", node_file, 10);
    measure_image(bytes, "kernel", node_file, 10);
    AUTO(claims) claims = claims_of(bytes);
    assert_claim(claims, "boot.loader", digest_text("second"));
    assert_claim(claims, "boot.attempts", "2");
    assert_int_equal(claims_count(claims, "boot.application"), 4);
    assert_claim(claims, "boot.application", digest_text("first"));
    assert_claim(claims, "boot.application_path", "\\a");
    assert_claim(claims, "boot.application_path", "Fv(04030201-0605-0807-090a-0b0c0d0e0f10)");
}

static void application_measured_before_it_is_called_is_the_loader(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    measure_image(bytes, "early", node_file, 10);
    log_measure(bytes, 4, EV_EFI_ACTION, view_text("Calling EFI Application from Boot Option"));
    AUTO(claims) claims = claims_of(bytes);
    assert_claim(claims, "boot.loader", digest_text("early"));
}

static void boot_options_are_told_with_their_paths(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) option = log_new();
    AUTO(buf) name = log_utf16("Linux");
    log_u32(option, 1);
    log_u16(option, 14);
    assert_ok(buf_put(option, buf_view(name)));
    log_u16(option, 0);
    assert_ok(buf_put(option, view_of(node_file, 10)));
    assert_ok(buf_put(option, view_of("\x7f\xff\x04\x00", 4)));
    AUTO(buf) data = log_variable("Boot0001", buf_view(option));
    log_start(bytes);
    measure_variable(bytes, 1, EV_EFI_VARIABLE_BOOT2, "BootOrder", view_of("\x01\x00\x1a\x00", 4));
    log_measure_other(bytes, 1, EV_EFI_VARIABLE_BOOT, buf_view(option), buf_view(data));
    measure_variable(bytes, 1, EV_EFI_VARIABLE_BOOT2, "BootNext", view_of("\x1a\x00", 2));
    AUTO(claims) claims = claims_of(bytes);
    assert_claim(claims, "boot.order", "0001,001A");
    assert_claim(claims, "boot.option", "Boot0001 Linux \\a");
    assert_claim(claims, "boot.option", "BootNext 001A");
    assert_false(claims->serious);
}

static void reference_manifest_is_told_by_machine_and_firmware(void **state)
{
    (void)state;
    static const char manifest[] = "SP800-155 Event3"
                                   "\x57\x01\0\0"
                                   "gggggggggggggggg"
                                   "\x05"
                                   "Dell\0"
                                   "\x03"
                                   "R1\0"
                                   "\x02"
                                   "A\0"
                                   "\x04"
                                   "AMI\0"
                                   "\x68\x02\0\0"
                                   "\x04"
                                   "2.1\0"
                                   "\x02"
                                   "1\0";
    struct event_text text;
    struct event_record event = {.type = EV_NO_ACTION};
    for (size_t len = 0; len < sizeof manifest; len++) {
        event.data = view_of(manifest, len);
        event_text_clear(&text);
        event_describe(&event, &text);
        bool whole = len >= sizeof manifest - 3; /* what follows the version is not needed */
        assert_true(strcmp(text.text, "SP800-155 Event3 Dell R1 A, firmware AMI 2.1") == 0 ||
                    !whole);
        assert_true(len < 16 || strncmp(text.text, "SP800-155 Event3", 16) == 0);
    }
}

static void paths_of_devices_are_told_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *node; /* its type and subtype, and what it says behind its length */
        size_t len;
        const char *words;
    } nodes[] = {
        {"\x01\x05\x07\0\0\0", 6, "Ctrl(0x7)"},
        {"\x02\x03\x10\0\x01\0", 6, "AcpiAdr(0x10010)"},
        {"\x03\x05\x02\x01", 4, "USB(0x2,0x1)"},
        {"\x03\x0d"
         "aaaaaaaaaaaaaaaa"
         "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01",
         34, "IPv6(fe80:0:0:0:0:0:0:1)"},
        {"\x03\x13"
         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0iqn.disk\0",
         25, "iSCSI(iqn.disk)"},
        {"\x03\x14\x2a\0", 4, "Vlan(0x2a)"},
        {"\x03\x19\x01\x02", 4, "UFS(0x1,0x2)"},
        {"\x03\x1a\x01", 3, "SD(0x1)"},
        {"\x03\x1d\x02", 3, "eMMC(0x2)"},
        {"\x04\x02\x01\0\0\0", 6, "CDROM(0x1)"},
        {"\x04\x08\0\0\0\0\0\x10\0\0\0\0\0\0\xff\x1f\0\0\0\0\0\0", 22, "Offset(0x1000,0x1fff)"},
        {"\x05\x01\x02\0\0\0Disk\0", 11, "BBS(0x2,Disk)"},
        {"\x03\x1d", 2, "Path(3,29)"},
        {"\x04\x08\0", 3, "Path(4,8,00)"},
    };
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        AUTO(buf) bytes = log_new();
        AUTO(buf) node = log_new();
        log_start(bytes);
        assert_ok(buf_put(node, view_of(nodes[i].node, 2)));
        log_u16(node, (uint16_t)(nodes[i].len + 2));
        assert_ok(buf_put(node, view_of(nodes[i].node + 2, nodes[i].len - 2)));
        measure_image(bytes, "image", (const char *)node->data, node->len);
        AUTO(claims) claims = claims_of(bytes);
        assert_claim(claims, "boot.application_path", nodes[i].words);
    }
}

static void variable_of_32_bit_firmware_is_read_where_it_fits_exactly(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) data = log_new();
    AUTO(buf) name = log_utf16("SecureBoot");
    uint8_t *guid;
    assert_ok(buf_extend(data, 16, &guid));
    log_u32(data, 10);
    log_u32(data, 1);
    assert_ok(buf_put(data, buf_view(name)));
    assert_ok(buf_put_u8(data, 1));
    log_start(bytes);
    log_measure(bytes, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, buf_view(data));
    AUTO(claims) claims = claims_of(bytes);
    assert_claim(claims, "secure_boot.enabled", "true");
    assert_ok(buf_put_u8(data, 0));
    AUTO(buf) longer = log_new();
    log_start(longer);
    log_measure(longer, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, buf_view(data));
    AUTO(claims) none = claims_of(longer);
    assert_absent(none, "secure_boot.enabled");
}

/* Its UINTN have 32 bits. */
static void image_started_by_32_bit_firmware_has_its_path(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) data = log_new();
    log_u64(data, 0x1000);
    log_u32(data, 0x2000);
    log_u32(data, 0);
    log_u32(data, 14);
    assert_ok(buf_put(data, view_of(node_file, 10)));
    assert_ok(buf_put(data, view_of("\x7f\xff\x04\x00", 4)));
    log_start(bytes);
    log_measure_other(bytes, 4, EV_EFI_BOOT_SERVICES_APPLICATION, view_text("image"),
                      buf_view(data));
    AUTO(claims) claims = claims_of(bytes);
    assert_claim(claims, "boot.application_path", "\\a");
}

/* -- boot loaders -------------------------------------------------------------------- */

static void text_of_grub_is_hashed_without_its_prefix(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    log_measure_other(bytes, 8, EV_IPL, view_text("set a=b"), view_of("grub_cmd: set a=b", 18));
    log_measure_other(bytes, 8, EV_IPL, view_of("set c=d", 8), view_of("grub_cmd set c=d", 17));
    log_measure_other(bytes, 8, EV_IPL, view_text("/vmlinuz root=x \xc3\xa9"),
                      view_of("kernel_cmdline: /vmlinuz root=x \xc3\xa9", 35));
    log_measure_other(bytes, 9, EV_IPL, view_text("KERNEL"), view_of("(hd0,gpt2)/vmlinuz-6.1", 23));
    log_measure_other(bytes, 9, EV_IPL, view_text("INITRD"), view_of("/boot/initrd.img-6.1", 21));
    AUTO(claims) claims = claims_of(bytes);
    assert_claim(claims, "grub.command", "set a=b");
    assert_claim(claims, "grub.command", "set c=d");
    assert_claim(claims, "kernel.command_line", "/vmlinuz root=x \xc3\xa9");
    assert_claim(claims, "kernel.digest", digest_text("KERNEL"));
    assert_claim(claims, "initrd.digest", digest_text("INITRD"));
    assert_int_equal(claims_count(claims, "grub.file"), 2);
    assert_false(claims->serious);
}

static void command_line_that_was_edited_is_no_claim(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) wide = log_utf16("root=/dev/sda quiet");
    log_start(bytes);
    log_measure_other(bytes, 8, EV_IPL, view_text("/vmlinuz init=/bin/sh"),
                      view_of("kernel_cmdline: /vmlinuz quiet", 31));
    log_measure_other(bytes, 12, EV_IPL, view_text("other"), buf_view(wide));
    AUTO(claims) claims = claims_of(bytes);
    assert_absent(claims, "kernel.command_line");
    assert_absent(claims, "stub.command_line");
    assert_claim(claims, "log.unverified_data", "1 EV_IPL");
    assert_claim(claims, "log.unverified_data", "2 EV_IPL");
    assert_true(claims->serious);
}

static void command_line_of_the_stub_is_read_with_or_without_its_end(void **state)
{
    (void)state;
    AUTO(buf) text = log_utf16("root=/dev/sda quiet");
    AUTO(buf) ended = log_utf16("root=/dev/sda quiet");
    assert_ok(buf_put(ended, view_of("\0\0", 2)));
    const struct {
        struct view measured;
        struct view data;
        size_t warnings;
    } cases[] = {{buf_view(text), buf_view(text), 0},
                 {buf_view(ended), buf_view(ended), 0},
                 {buf_view(text), buf_view(ended), 0},
                 {buf_view(ended), buf_view(text), 0},
                 {buf_view(ended), view_of(ended->data, ended->len - 1), 1}};
    for (size_t i = 0; i < 5; i++) {
        AUTO(buf) bytes = log_new();
        log_start(bytes);
        log_measure_other(bytes, 12, EV_IPL, cases[i].measured, cases[i].data);
        AUTO(claims) claims = claims_of(bytes);
        assert_claim(claims, "stub.command_line", "root=/dev/sda quiet");
        assert_false(claims->serious);
        assert_int_equal(claims->warning_count, cases[i].warnings);
    }
}

static void measure_section(struct buf *log, const char *name, const char *content)
{
    AUTO(buf) label = log_utf16(name);
    assert_ok(buf_put(label, view_of("\0\0", 2)));
    log_measure_other(log, 11, EV_IPL, view_of(name, strlen(name) + 1), buf_view(label));
    log_measure_other(log, 11, EV_IPL, view_text(content), buf_view(label));
}

static void parts_of_a_unified_kernel_image_are_named_by_what_was_measured(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    measure_section(bytes, ".linux", "KERNEL");
    measure_section(bytes, ".initrd", "INITRD");
    AUTO(claims) claims = claims_of(bytes);
    char expected[128];
    snprintf(expected, sizeof expected, ".linux:%s", digest_text("KERNEL"));
    assert_claim(claims, "uki.section", expected);
    assert_claim(claims, "kernel.digest", digest_text("KERNEL"));
    assert_claim(claims, "initrd.digest", digest_text("INITRD"));
    assert_int_equal(claims_count(claims, "uki.section"), 2);
    assert_int_equal(claims->warning_count, 0);
}

static void section_is_what_was_measured_whatever_the_log_calls_it(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) linux_label = log_utf16(".linux");
    char expected[128];
    log_start(bytes);
    log_measure_other(bytes, 11, EV_IPL, view_of(".initrd", 8), buf_view(linux_label));
    log_measure_other(bytes, 11, EV_COMPACT_HASH, view_text("INITRD"), view_text("harmless"));
    log_measure_other(bytes, 11, EV_POST_CODE, view_of(".linux", 7), VIEW_EMPTY);
    log_measure_other(bytes, 4, EV_ACTION, view_text("of another PCR"), VIEW_EMPTY);
    log_measure_other(bytes, 11, EV_ACTION, view_text("KERNEL"), VIEW_EMPTY);
    log_measure_other(bytes, 11, EV_IPL, view_text("GOOD"), buf_view(linux_label));
    AUTO(claims) claims = claims_of(bytes);
    snprintf(expected, sizeof expected, ".initrd:%s", digest_text("INITRD"));
    assert_claim(claims, "uki.section", expected);
    assert_claim(claims, "kernel.digest", digest_text("KERNEL"));
    assert_int_equal(claims_count(claims, "kernel.digest"), 1);
    assert_int_equal(claims_count(claims, "uki.section"), 2);
    assert_claim(claims, "opaque.pcr11", digest_text("GOOD"));
    assert_int_equal(claims_count(claims, "opaque.pcr11"), 1);
}

static void image_that_the_log_calls_something_else_does_not_vanish(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    log_measure(bytes, 4, EV_EFI_ACTION, view_text("Calling EFI Application from Boot Option"));
    measure_image(bytes, "good", node_file, 10);
    log_measure_other(bytes, 4, EV_EVENT_TAG, view_text("evil"), view_text("harmless"));
    log_measure_other(bytes, 9, EV_COMPACT_HASH, view_text("evil initrd"), view_text("harmless"));
    log_measure(bytes, 9, EV_EVENT_TAG, view_text("something that stands in the log"));
    AUTO(claims) claims = claims_of(bytes);
    assert_int_equal(claims_count(claims, "boot.application"), 2);
    assert_claim(claims, "boot.application", digest_text("evil"));
    assert_int_equal(claims_count(claims, "opaque.pcr4"), 2);
    assert_claim(claims, "opaque.pcr9", digest_text("evil initrd"));
    assert_int_equal(claims_count(claims, "opaque.pcr9"), 1);
}

static void tagged_events_of_linux_and_systemd_are_digests(void **state)
{
    (void)state;
    const struct {
        uint32_t tag;
        const char *claim;
    } tags[] = {{0x8F3B22EC, "initrd.digest"},
                {0x8F3B22ED, "stub.load_options"},
                {0xF5BC582A, "loader.conf"}};
    for (size_t i = 0; i < 3; i++) {
        AUTO(buf) bytes = log_new();
        AUTO(buf) data = log_new();
        log_u32(data, tags[i].tag);
        log_u32(data, 0);
        log_start(bytes);
        log_measure_other(bytes, 9, EV_EVENT_TAG, view_text("content"), buf_view(data));
        AUTO(claims) claims = claims_of(bytes);
        assert_claim(claims, tags[i].claim, digest_text("content"));
    }
}

static void tags_and_labels_to_come_are_opaque_and_nothing_worse(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) data = log_new();
    AUTO(buf) label = log_utf16("Some other initrd");
    log_u32(data, 0xABCDEF01);
    log_u32(data, 0);
    log_start(bytes);
    log_measure_other(bytes, 12, EV_EVENT_TAG, view_text("content"), buf_view(data));
    log_measure_other(bytes, 12, EV_IPL, view_text("archive"), buf_view(label));
    AUTO(claims) claims = claims_of(bytes);
    assert_int_equal(claims->warning_count, 0);
    assert_claim(claims, "opaque.pcr12", digest_text("content"));
    assert_claim(claims, "opaque.pcr12", digest_text("archive"));
}

static void windows_events_are_believed_as_measured_only(void **state)
{
    (void)state;
    AUTO(buf) data = log_new();
    log_u32(data, 0x40010001);
    log_u32(data, 9);
    log_u32(data, 0x00050003);
    log_u32(data, 1);
    assert_ok(buf_put_u8(data, 1));
    AUTO(buf) good = log_new();
    AUTO(buf) edited = log_new();
    log_start(good);
    log_start(edited);
    log_measure(good, 13, EV_EVENT_TAG, buf_view(data));
    log_measure_other(edited, 13, EV_EVENT_TAG, view_text("other"), buf_view(data));
    AUTO(claims) claims = claims_of(good);
    AUTO(claims) none = claims_of(edited);
    assert_claim(claims, "windows.test_signing", "true");
    assert_absent(none, "windows.test_signing");
    assert_true(none->serious);
}

static void phases_and_the_machine_id_are_words_that_were_measured(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    log_measure(bytes, 11, EV_IPL, view_text("enter-initrd"));
    log_measure_other(bytes, 11, EV_IPL, view_text("other"), view_text("leave-initrd"));
    log_measure(bytes, 15, EV_IPL, view_text("machine-id:0123"));
    AUTO(claims) claims = claims_of(bytes);
    assert_claim(claims, "uki.phase", "enter-initrd");
    assert_int_equal(claims_count(claims, "uki.phase"), 1);
    assert_claim(claims, "machine.id", "0123");
}

/* -- limits ------------------------------------------------------------------------------------ */

static void control_characters_never_reach_a_claim(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    log_measure_other(bytes, 8, EV_IPL, view_text("a\x1b[2J\nb\xff\xc2\x9b"),
                      view_text("grub_cmd: a\x1b[2J\nb\xff\xc2\x9b"));
    AUTO(claims) claims = claims_of(bytes);
    assert_claim(claims, "grub.command", "a\\x1b[2J\\nb\\xff\\xc2\\x9b");
}

static void value_that_is_too_long_is_cut_and_says_so(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    char text[6000] = "kernel_cmdline: ";
    memset(text + 16, 'x', sizeof text - 17);
    log_start(bytes);
    log_measure_other(bytes, 8, EV_IPL, view_text(text + 16), view_text(text));
    AUTO(claims) claims = claims_of(bytes);
    const char *value = claims_first(claims, "kernel.command_line");
    assert_int_equal(strlen(value), 4096 + 3);
    assert_string_equal(value + 4096, "\u2026");
    assert_true(claims->truncated);
}

static void claims_past_the_limit_are_left_out_and_it_is_said(void **state)
{
    (void)state;
    AUTO(claims) claims = NULL;
    assert_ok(claims_new(&claims));
    for (size_t i = 0; i < CLAIMS_MAX; i++) {
        assert_ok(claims_add(claims, "name", "value"));
    }
    assert_false(claims->truncated);
    assert_ok(claims_add(claims, "name", "value"));
    assert_int_equal(claims->count, CLAIMS_MAX);
    assert_true(claims->truncated);
}

static void warnings_past_the_limit_are_counted(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    for (int i = 0; i < 100; i++) {
        log_measure_other(bytes, 7, EV_EFI_ACTION, view_text("a"), view_text("b"));
    }
    AUTO(claims) claims = claims_of(bytes);
    assert_int_equal(claims->warning_count, CLAIM_WARNINGS_MAX);
    assert_int_equal(claims->warnings_dropped, 100 - CLAIM_WARNINGS_MAX);
    assert_int_equal(claims_count(claims, "log.unverified_data"), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secure_boot_is_what_the_firmware_measured),
        cmocka_unit_test(secure_boot_said_behind_the_separator_is_no_claim),
        cmocka_unit_test(separator_under_another_type_is_still_the_separator),
        cmocka_unit_test(secure_boot_in_another_pcr_is_no_claim),
        cmocka_unit_test(variable_whose_data_was_edited_is_no_claim_but_a_warning),
        cmocka_unit_test(value_measured_without_its_name_is_no_claim),
        cmocka_unit_test(event_without_a_digest_in_the_bank_proves_nothing_in_it),
        cmocka_unit_test(every_entry_of_a_database_is_a_claim),
        cmocka_unit_test(malformed_database_is_read_to_where_it_breaks),
        cmocka_unit_test(authority_names_its_database_where_the_digest_covers_it),
        cmocka_unit_test(stray_byte_that_shim_leaves_out_of_the_digest_is_tolerated),
        cmocka_unit_test(authority_of_other_data_is_no_claim),
        cmocka_unit_test(state_of_shim_is_read),
        cmocka_unit_test(malformed_variable_is_a_warning_where_it_was_measured_so),
        cmocka_unit_test(malformed_setting_outside_of_secure_boot_is_not_serious),
        cmocka_unit_test(zeros_behind_a_database_are_padding),
        cmocka_unit_test(setting_of_a_vendor_that_is_hashed_in_its_own_way_is_not_serious),
        cmocka_unit_test(unknown_variables_are_nobodys_problem),
        cmocka_unit_test(firmware_version_is_text_a_guid_or_bytes),
        cmocka_unit_test(separators_of_zeros_and_ones_are_sound_and_others_are_errors),
        cmocka_unit_test(separator_is_what_was_measured_also_where_its_data_is_worn),
        cmocka_unit_test(error_of_the_firmware_may_be_described_in_its_separator),
        cmocka_unit_test(pcrs_that_the_firmware_did_not_close_are_named),
        cmocka_unit_test(parts_of_the_firmware_are_digests),
        cmocka_unit_test(devices_that_may_be_used_are_a_database_like_others),
        cmocka_unit_test(technology_of_google_s_firmware_is_named_as_measured),
        cmocka_unit_test(partitions_of_the_disk_are_told),
        cmocka_unit_test(separators_of_an_operating_system_are_its_own),
        cmocka_unit_test(actions_of_the_firmware_become_facts),
        cmocka_unit_test(action_that_was_not_measured_is_no_fact),
        cmocka_unit_test(last_attempt_has_the_boot_loader_and_every_application_counts),
        cmocka_unit_test(application_measured_before_it_is_called_is_the_loader),
        cmocka_unit_test(boot_options_are_told_with_their_paths),
        cmocka_unit_test(reference_manifest_is_told_by_machine_and_firmware),
        cmocka_unit_test(paths_of_devices_are_told_in_words),
        cmocka_unit_test(variable_of_32_bit_firmware_is_read_where_it_fits_exactly),
        cmocka_unit_test(image_started_by_32_bit_firmware_has_its_path),
        cmocka_unit_test(text_of_grub_is_hashed_without_its_prefix),
        cmocka_unit_test(command_line_that_was_edited_is_no_claim),
        cmocka_unit_test(command_line_of_the_stub_is_read_with_or_without_its_end),
        cmocka_unit_test(parts_of_a_unified_kernel_image_are_named_by_what_was_measured),
        cmocka_unit_test(section_is_what_was_measured_whatever_the_log_calls_it),
        cmocka_unit_test(image_that_the_log_calls_something_else_does_not_vanish),
        cmocka_unit_test(tagged_events_of_linux_and_systemd_are_digests),
        cmocka_unit_test(tags_and_labels_to_come_are_opaque_and_nothing_worse),
        cmocka_unit_test(windows_events_are_believed_as_measured_only),
        cmocka_unit_test(phases_and_the_machine_id_are_words_that_were_measured),
        cmocka_unit_test(control_characters_never_reach_a_claim),
        cmocka_unit_test(value_that_is_too_long_is_cut_and_says_so),
        cmocka_unit_test(claims_past_the_limit_are_left_out_and_it_is_said),
        cmocka_unit_test(warnings_past_the_limit_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
