#include "cmocka_all.h"
#include "log_builder.h"

#include "base/text.h"
#include "crypto/digest.h"
#include "tpm/event_check.h"
#include "tpm/event_claims.h"
#include "tpm/event_diff.h"
#include "tpm/event_replay.h"
#include "tpm/userspace_log.h"

#include <stdlib.h>
#include <string.h>

#define BOOT "189c18dd7ba245f38cf49d9ac154b525"

static struct event_log_problem problem;

/* -- logs ---------------------------------------------------------------------------- */

static struct event_log *firmware_log(struct buf *bytes)
{
    struct event_log *log = NULL;
    log_start(bytes);
    log_separators(bytes);
    log_measure(bytes, 11, EV_IPL, view_text("section"));
    assert_ok(event_log_parse(buf_view(bytes), &log, &problem));
    return log;
}

/* One record as systemd writes it, of SHA-256 of `measured`. */
static void record(struct buf *text, const char *target, const char *type, const char *measured,
                   const char *string)
{
    uint8_t digest[SHA256_BYTES];
    char hex[HEX_TEXT_SIZE(SHA256_BYTES)];
    assert_ok(sha256(view_text(measured), digest));
    hex_encode(view_of(digest, sizeof digest), hex);
    assert_ok(buf_printf(text,
                         "\x1e{\"%s,\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"%s\"}],"
                         "\"content_type\":\"systemd\",\"content\":{\"string\":\"%s\",\"bootId\":"
                         "\"" BOOT "\",\"timestamp\":1515761,\"eventType\":\"%s\"}}\n",
                         target, hex, string, type));
}

static void word(struct buf *text, const char *target, const char *type, const char *string)
{
    record(text, target, type, string, string);
}

static struct claims *claims_after(const struct buf *text)
{
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = firmware_log(bytes);
    struct claims *claims = NULL;
    assert_ok(userspace_log_append(log, buf_view(text), &problem));
    assert_ok(event_claims_read(log, TPM_ALG_SHA256, &claims));
    return claims;
}

static void assert_claim(const struct claims *claims, const char *name, const char *value)
{
    if (!claims_has(claims, name, value)) {
        const char *first = claims_first(claims, name);
        fail_msg("%s is %s, not %s", name, first ? first : "absent", value);
    }
}

static void extend_by_hand(uint8_t value[static 32], const char *text)
{
    uint8_t both[64];
    memcpy(both, value, 32);
    assert_ok(sha256(view_text(text), both + 32));
    assert_ok(sha256(view_of(both, 64), value));
}

static struct event_check_bank check_value(const struct event_log *log, uint32_t pcr,
                                           const uint8_t *value)
{
    struct pcr_values quoted = {0};
    struct event_check check;
    assert_ok(pcr_values_add(&quoted, TPM_ALG_SHA256, pcr, view_of(value, 32)));
    assert_ok(event_check(log, &quoted, &check));
    return check.banks[0];
}

/* -- replay -------------------------------------------------------------------------- */

static void records_extend_what_the_firmware_left(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = firmware_log(bytes);
    AUTO(buf) text = log_new();
    uint8_t value[32] = {0};
    extend_by_hand(value, "section");
    extend_by_hand(value, "enter-initrd");
    extend_by_hand(value, "my-own-phase");
    word(text, "pcr\":11", "phase", "enter-initrd");
    word(text, "pcr\":11", "phase", "my-own-phase");
    assert_int_equal(check_value(log, 11, value).differs, 1U << 11);
    assert_ok(userspace_log_append(log, buf_view(text), &problem));
    assert_int_equal(check_value(log, 11, value).replays, 1U << 11);
    assert_int_equal(check_value(log, 11, value).ended, 0);
    assert_int_equal(log->userspace_count, 2);
    assert_string_equal(log->events[log->count - 1].userspace, "phase");
}

static void records_of_a_pcr_that_the_firmware_never_used_replay_too(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = firmware_log(bytes);
    AUTO(buf) text = log_new();
    uint8_t value[32] = {0};
    extend_by_hand(value, "machine-id:0123");
    word(text, "pcr\":15", "machine-id", "machine-id:0123");
    assert_int_equal(check_value(log, 15, value).not_in_log, 1U << 15);
    assert_ok(userspace_log_append(log, buf_view(text), &problem));
    assert_int_equal(check_value(log, 15, value).replays, 1U << 15);
}

static void separator_of_systemd_replays_with_and_without_its_record(void **state)
{
    (void)state;
    static const uint32_t closed[] = {0, 7, 9, 12, 14};
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        AUTO(buf) bytes = log_new();
        AUTO(event_log) log = firmware_log(bytes);
        struct event_replay replay;
        uint8_t value[32];
        assert_ok(event_replay(log, &replay));
        memcpy(value, event_replay_find(&replay, TPM_ALG_SHA256)->value[closed[i]], 32);
        extend_by_hand(value, "os-separator");
        assert_int_equal(check_value(log, closed[i], value).ended, 1U << closed[i]);
        extend_by_hand(value, "os-separator");
        assert_int_equal(check_value(log, closed[i], value).replays, 0);
    }
}

/* Older kernels give the log without the final events. */
static void last_words_of_the_firmware_replay_where_the_log_has_none(void **state)
{
    (void)state;
    static const char *const handed_over[] = {
        "Exit Boot Services Invocation", "Exit Boot Services Returned with Failure",
        "Exit Boot Services Returned with Success", "os-separator"};
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = firmware_log(bytes);
    struct event_replay replay;
    uint8_t value[32];
    assert_ok(event_replay(log, &replay));
    memcpy(value, event_replay_find(&replay, TPM_ALG_SHA256)->value[5], 32);
    for (size_t i = 0; i < 4; i++) {
        extend_by_hand(value, handed_over[i]);
        assert_int_equal(check_value(log, 5, value).ended, 1U << 5);
    }
    extend_by_hand(value, handed_over[0]);
    assert_int_equal(check_value(log, 5, value).differs, 1U << 5);
    memcpy(value, event_replay_find(&replay, TPM_ALG_SHA256)->value[4], 32);
    extend_by_hand(value, handed_over[0]);
    assert_int_equal(check_value(log, 4, value).differs, 1U << 4);
}

/* The firmware's last words lie between what its log has and what userspace's does. */
static void last_words_of_the_firmware_replay_before_what_userspace_measured(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = firmware_log(bytes);
    AUTO(buf) text = log_new();
    struct event_replay replay;
    uint8_t value[32];
    assert_ok(event_replay(log, &replay));
    memcpy(value, event_replay_find(&replay, TPM_ALG_SHA256)->value[5], 32);
    word(text, "pcr\":5", "os-separator", "os-separator");
    word(text, "pcr\":11", "phase", "enter-initrd");
    word(text, "pcr\":5", "phase", "a word of our own");
    assert_ok(userspace_log_append(log, buf_view(text), &problem));
    extend_by_hand(value, "Exit Boot Services Invocation");
    extend_by_hand(value, "Exit Boot Services Returned with Success");
    extend_by_hand(value, "os-separator");
    assert_int_equal(check_value(log, 5, value).differs, 1U << 5);
    extend_by_hand(value, "a word of our own");
    assert_int_equal(check_value(log, 5, value).ended, 1U << 5);
}

static void separator_of_systemd_explains_no_pcr_that_it_does_not_close(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = firmware_log(bytes);
    uint8_t value[32] = {0};
    extend_by_hand(value, "os-separator");
    assert_int_equal(check_value(log, 8, value).not_in_log, 1U << 8);
    assert_int_equal(check_value(log, 10, value).not_in_log, 1U << 10);
    assert_int_equal(check_value(log, 15, value).not_in_log, 1U << 15);
}

static void records_stand_behind_a_log_of_the_old_form(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    AUTO(buf) text = log_new();
    uint8_t value[32] = {0};
    log_legacy(bytes, 4, EV_ACTION, view_text("x"), view_text("x"));
    assert_ok(event_log_parse(buf_view(bytes), &log, &problem));
    word(text, "pcr\":15", "machine-id", "machine-id:0123");
    assert_ok(userspace_log_append(log, buf_view(text), &problem));
    extend_by_hand(value, "machine-id:0123");
    assert_int_equal(check_value(log, 15, value).replays, 1U << 15);
}

/* As a node sends it. */
static void log_in_one_piece_with_the_firmware_s_goes_on_with_it(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) alone = firmware_log(bytes);
    AUTO(buf) joined = log_new();
    AUTO(event_log) log = NULL;
    uint8_t value[32] = {0};
    assert_ok(buf_put(joined, buf_view(bytes)));
    word(joined, "pcr\":11", "phase", "enter-initrd");
    assert_ok(event_log_parse(buf_view(joined), &log, &problem));
    extend_by_hand(value, "section");
    extend_by_hand(value, "enter-initrd");
    assert_int_equal(check_value(log, 11, value).replays, 1U << 11);
    assert_int_equal(check_value(log, 11, value).ended, 0);
    assert_int_equal(log->count, alone->count + 1);
    assert_int_equal(log->padding_bytes, 0);
    assert_int_equal(log->events[alone->count].offset, bytes->len + 1);
    assert_err(userspace_log_append(log, view_text("{}"), &problem), EVENT_LOG_UNREADABLE);
    assert_int_equal(log->userspace_count, 1);
}

static void fault_in_one_piece_is_told_by_its_place_in_the_whole(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) alone = firmware_log(bytes);
    AUTO(event_log) log = NULL;
    size_t end = bytes->len;
    assert_ok(buf_printf(bytes, "\x1e{\"pcr\":1"));
    assert_err(event_log_parse(buf_view(bytes), &log, &problem), EVENT_LOG_UNREADABLE);
    assert_int_equal(problem.offset, end + 1);
    assert_int_equal(problem.event, alone->count);
    assert_null(log);
}

/* -- claims -------------------------------------------------------------------------- */

static void words_become_claims_of_their_pcrs(void **state)
{
    (void)state;
    AUTO(buf) text = log_new();
    word(text, "pcr\":11", "phase", "enter-initrd");
    word(text, "pcr\":9", "nvpcr-init", "nvpcr-init:hardware:0x1d10200:000bff");
    word(text, "pcr\":9", "nvpcr-separator", "nvpcr-separator");
    word(text, "pcr\":15", "filesystem", "file-system:/:ext4:uuid::::");
    word(text, "pcr\":15", "machine-id", "machine-id:0123");
    record(text, "pcr\":15", "volume-key", "an HMAC", "cryptsetup:root:5e47a9db");
    AUTO(claims) claims = claims_after(text);
    assert_claim(claims, "uki.phase", "enter-initrd");
    assert_claim(claims, "machine.nvpcr", "hardware:0x1d10200:000bff");
    assert_claim(claims, "machine.file_system", "/:ext4:uuid::::");
    assert_claim(claims, "machine.id", "0123");
    const char *key = claims_first(claims, "machine.volume_key");
    assert_non_null(key);
    assert_int_equal(strncmp(key, "root:5e47a9db sha256:", 21), 0);
    assert_int_equal(claims_count(claims, "opaque.pcr15"), 1);
    assert_false(claims->serious);
    for (size_t i = 0; i < claims->count; i++) {
        if (strcmp(claims->items[i].name, "machine.id") == 0) {
            assert_int_equal(claims->items[i].pcrs, 1U << 15);
        }
    }
}

static void word_in_another_pcr_claims_nothing(void **state)
{
    (void)state;
    AUTO(buf) text = log_new();
    word(text, "pcr\":14", "machine-id", "machine-id:0123");
    word(text, "pcr\":13", "phase", "enter-initrd");
    record(text, "pcr\":12", "volume-key", "an HMAC", "cryptsetup:root:5e47a9db");
    AUTO(claims) claims = claims_after(text);
    assert_null(claims_first(claims, "machine.id"));
    assert_false(claims_has(claims, "uki.phase", "enter-initrd"));
    assert_null(claims_first(claims, "machine.volume_key"));
}

static void text_that_is_not_what_was_measured_claims_nothing_and_is_serious(void **state)
{
    (void)state;
    AUTO(buf) text = log_new();
    record(text, "pcr\":15", "machine-id", "machine-id:other", "machine-id:0123");
    AUTO(claims) claims = claims_after(text);
    assert_null(claims_first(claims, "machine.id"));
    assert_claim(claims, "log.unverified_data", "10 userspace machine-id");
    assert_int_equal(claims_count(claims, "opaque.pcr15"), 1);
    assert_true(claims->serious);
}

/* systemd writes C's escapes into the text, JSON doubles their backslashes. */
static void escaped_text_is_compared_as_it_was_measured(void **state)
{
    (void)state;
    AUTO(buf) text = log_new();
    record(text, "pcr\":15", "filesystem",
           "file-system:/:ext4:a\\x3ab::::", "file-system:/:ext4:a\\\\\\\\x3ab::::");
    record(text, "pcr\":11", "phase", "t\tb\\q\"\x01 \xc3\xa4",
           "t\\\\tb\\\\\\\\q\\\\\\\"\\\\001 \\\\303\\\\244");
    AUTO(claims) claims = claims_after(text);
    assert_claim(claims, "machine.file_system", "/:ext4:a\\x3ab::::");
    assert_claim(claims, "uki.phase", "t\\tb\\q\"\\x01 \xc3\xa4");
    assert_false(claims->serious);
}

static void unknown_kinds_and_nv_indexes_are_counted(void **state)
{
    (void)state;
    AUTO(buf) text = log_new();
    record(text, "pcr\":15", "something-new", "a", "b");
    word(text, "nv_index\":30474752", "product-id", "product-id:missing");
    word(text, "nv_index\":30474753", "keyslot", "cryptsetup-keyslot:root:u:tpm2:1");
    assert_ok(buf_printf(text, "{\"pcr\":15,\"recnum\":7,\"digests\":[{\"hashAlg\":\"ripemd160\","
                               "\"digest\":\"00\"}],\"content_type\":\"cel\",\"content\":[]}"));
    AUTO(claims) claims = claims_after(text);
    assert_claim(claims, "log.userspace", "4");
    assert_claim(claims, "log.userspace.nv_index", "2");
    assert_claim(claims, "log.userspace.unknown", "2");
    assert_int_equal(claims_count(claims, "log.unverified_data"), 0);
}

static void records_of_two_boots_are_serious(void **state)
{
    (void)state;
    AUTO(buf) text = log_new();
    word(text, "pcr\":11", "phase", "enter-initrd");
    assert_ok(buf_printf(text,
                         "{\"pcr\":11,\"digests\":[],\"content_type\":\"systemd\",\"content\":"
                         "{\"bootId\":\"00000000000000000000000000000000\"}}"));
    AUTO(claims) claims = claims_after(text);
    assert_true(claims->serious);
}

static void records_of_pcrs_that_do_not_exist_are_serious_and_extend_nothing(void **state)
{
    (void)state;
    AUTO(buf) text = log_new();
    word(text, "pcr\":24", "phase", "enter-initrd");
    word(text, "pcr\":4294967295", "phase", "enter-initrd");
    AUTO(claims) claims = claims_after(text);
    assert_true(claims->serious);
    assert_false(claims_has(claims, "uki.phase", "enter-initrd"));
}

static void another_phase_is_told_in_words(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) more = log_new();
    AUTO(event_log) before = firmware_log(bytes);
    AUTO(event_log) after = firmware_log(more);
    AUTO(buf) text = log_new();
    AUTO(event_diff) diff = NULL;
    word(text, "pcr\":11", "phase", "enter-initrd");
    assert_ok(userspace_log_append(after, buf_view(text), &problem));
    assert_ok(event_diff(before, after, &diff));
    assert_int_equal(diff->count, 1);
    assert_string_equal(diff->changes[0].text, "userspace phase enter-initrd");
    assert_int_equal(diff->meaning->count, 1);
    assert_string_equal(diff->meaning->items[0].value,
                        "The boot phases changed: 1 added (enter-initrd).");
}

/* -- texts --------------------------------------------------------------------------- */

static void separators_of_records_may_be_lost(void **state)
{
    (void)state;
    static const char one[] = "{\"pcr\" : 15 , \"digests\":[] }";
    static const char *const between[] = {"\x1e", "\n", "\r\n", "", " \n\x1e\n"};
    for (size_t i = 0; i < sizeof between / sizeof between[0]; i++) {
        AUTO(buf) bytes = log_new();
        AUTO(event_log) log = firmware_log(bytes);
        AUTO(buf) text = log_new();
        assert_ok(buf_printf(text, "%s%s%s%s", one, between[i], one, between[i]));
        assert_ok(userspace_log_append(log, buf_view(text), &problem));
        assert_int_equal(log->userspace_count, 2);
    }
}

static void assert_refused(const char *text, size_t number, size_t offset)
{
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = firmware_log(bytes);
    size_t count = log->count;
    assert_err(userspace_log_append(log, view_text(text), &problem), EVENT_LOG_UNREADABLE);
    assert_int_equal(problem.event, number);
    assert_int_equal(problem.offset, offset);
    assert_true(strlen(problem.reason) > 0);
    assert_int_equal(log->count, count);
    assert_null(log->userspace);
}

static void what_is_no_record_is_refused_with_its_place(void **state)
{
    (void)state;
#define GOOD      "{\"pcr\":1,\"digests\":[]}"
#define SHA1(n)   "{\"hashAlg\":\"sha1\",\"digest\":\"" n "\"}"
#define NULL_SHA1 SHA1("0000000000000000000000000000000000000000")
    static const struct {
        const char *text;
        size_t number;
        size_t offset;
    } cases[] = {
        {"", 0, 0},
        {"\x1e\n", 0, 2},
        {"hello", 0, 0},
        {"\"text\"", 0, 0},
        {"[" GOOD "]", 0, 0},
        {"}", 0, 0},
        {GOOD "\n" GOOD "x", 2, 45},
        {GOOD "\n{\"pcr\":1,\"dig", 1, 23},
        {"{\"digests\":[]}", 0, 0},
        {"{\"pcr\":1,\"nv_index\":1,\"digests\":[]}", 0, 0},
        {"{\"pcr\":-1,\"digests\":[]}", 0, 0},
        {"{\"pcr\":4294967296,\"digests\":[]}", 0, 0},
        {"{\"pcr\":1.5,\"digests\":[]}", 0, 0},
        {"{\"pcr\":\"1\",\"digests\":[]}", 0, 0},
        {"{\"pcr\":1}", 0, 0},
        {"{\"pcr\":1,\"pcr\":2,\"digests\":[]}", 0, 0},
        {"{\"pcr\":1,\"digests\":[" SHA1("00") "]}", 0, 0},
        {"{\"pcr\":1,\"digests\":[" SHA1("zz00000000000000000000000000000000000000") "]}", 0, 0},
        {"{\"pcr\":1,\"digests\":[" NULL_SHA1 "," NULL_SHA1 "]}", 0, 0},
        {"{\"pcr\":1,\"digests\":[],\"x\":[[[[0]]]]}", 0, 0},
        {"{\"pcr\":1,\"digests\":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_refused(cases[i].text, cases[i].number, cases[i].offset);
    }
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = firmware_log(bytes);
    AUTO(buf) record_of = log_new();
    AUTO(buf) records = log_new();
    AUTO(buf) spaces = log_new();
    uint8_t *at;
    assert_ok(buf_printf(record_of, "{\"pcr\":1,\"digests\":[],\"x\":\""));
    assert_ok(buf_extend(record_of, USERSPACE_RECORD_MAX_BYTES, &at));
    memset(at, 'x', USERSPACE_RECORD_MAX_BYTES);
    assert_ok(buf_printf(record_of, "\"}"));
    assert_err(userspace_log_append(log, buf_view(record_of), &problem), EVENT_LOG_UNREADABLE);
    for (size_t i = 0; i <= USERSPACE_RECORDS_MAX; i++) {
        assert_ok(buf_printf(records, "{\"pcr\":1,\"digests\":[]}\n"));
    }
    assert_err(userspace_log_append(log, buf_view(records), &problem), EVENT_LOG_UNREADABLE);
    assert_int_equal(problem.event, USERSPACE_RECORDS_MAX);
    assert_ok(buf_extend(spaces, USERSPACE_LOG_MAX_BYTES + 1, &at));
    assert_err(userspace_log_append(log, buf_view(spaces), &problem), TOO_LONG);
    assert_null(log->userspace);
}

static void log_of_a_confidential_machine_takes_none(void **state)
{
    (void)state;
    static const uint16_t sha384_only[] = {TPM_ALG_SHA384};
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    log_header(bytes, sha384_only, 1);
    log_event(bytes, sha384_only, 1, 1, EV_SEPARATOR, view_of("\0\0\0\0", 4),
              view_of("\0\0\0\0", 4));
    assert_ok(event_log_parse(buf_view(bytes), &log, &problem));
    assert_true(log->cc);
    assert_err(userspace_log_append(log, view_text(GOOD), &problem), EVENT_LOG_UNREADABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_extend_what_the_firmware_left),
        cmocka_unit_test(records_of_a_pcr_that_the_firmware_never_used_replay_too),
        cmocka_unit_test(separator_of_systemd_replays_with_and_without_its_record),
        cmocka_unit_test(last_words_of_the_firmware_replay_where_the_log_has_none),
        cmocka_unit_test(last_words_of_the_firmware_replay_before_what_userspace_measured),
        cmocka_unit_test(separator_of_systemd_explains_no_pcr_that_it_does_not_close),
        cmocka_unit_test(records_stand_behind_a_log_of_the_old_form),
        cmocka_unit_test(log_in_one_piece_with_the_firmware_s_goes_on_with_it),
        cmocka_unit_test(fault_in_one_piece_is_told_by_its_place_in_the_whole),
        cmocka_unit_test(words_become_claims_of_their_pcrs),
        cmocka_unit_test(word_in_another_pcr_claims_nothing),
        cmocka_unit_test(text_that_is_not_what_was_measured_claims_nothing_and_is_serious),
        cmocka_unit_test(escaped_text_is_compared_as_it_was_measured),
        cmocka_unit_test(unknown_kinds_and_nv_indexes_are_counted),
        cmocka_unit_test(records_of_two_boots_are_serious),
        cmocka_unit_test(records_of_pcrs_that_do_not_exist_are_serious_and_extend_nothing),
        cmocka_unit_test(another_phase_is_told_in_words),
        cmocka_unit_test(separators_of_records_may_be_lost),
        cmocka_unit_test(what_is_no_record_is_refused_with_its_place),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(log_of_a_confidential_machine_takes_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
