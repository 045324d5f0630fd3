#include "cmocka_all.h"
#include "log_builder.h"
#include "real.h"

#include "crypto/digest.h"
#include "tpm/event_check.h"
#include "tpm/event_claims.h"
#include "tpm/event_replay.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const uint16_t four_banks[] = {TPM_ALG_SHA1, TPM_ALG_SHA256, TPM_ALG_SHA384, TPM_ALG_SHA512};
static struct event_log_problem problem;

static err_t parse(const struct buf *bytes, struct event_log **out_log)
{
    return event_log_parse(buf_view(bytes), out_log, &problem);
}

static void assert_refused(const struct buf *bytes, size_t offset)
{
    AUTO(event_log) log = NULL;
    assert_err(parse(bytes, &log), EVENT_LOG_UNREADABLE);
    assert_int_equal(problem.offset, offset);
    assert_true(strlen(problem.reason) > 0);
    assert_null(log);
}

/* SHA-256 of `start` and of SHA-256 of each text, one after the other. */
static void extend_by_hand(uint8_t value[static 32], const char *text)
{
    uint8_t both[64];
    memcpy(both, value, 32);
    assert_ok(sha256(view_text(text), both + 32));
    assert_ok(sha256(view_of(both, 64), value));
}

static void assert_value(const struct event_replay *replay, uint16_t alg, uint32_t pcr,
                         const uint8_t *expected)
{
    const struct event_replay_bank *bank = event_replay_find(replay, alg);
    assert_true(bank->mask >> pcr & 1);
    assert_memory_equal(bank->value[pcr], expected, event_bank_of(alg)->size);
}

/* -- formats ------------------------------------------------------------------------- */

static void crypto_agile_log_is_read_with_its_header_as_event_zero(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    log_header(bytes, four_banks, 4);
    log_event(bytes, four_banks, 4, 4, EV_EFI_ACTION, view_text("x"), view_text("data"));
    assert_ok(parse(bytes, &log));
    assert_int_equal(log->format, EVENT_LOG_CRYPTO_AGILE);
    assert_string_equal(log->signature, "Spec ID Event03");
    assert_int_equal(log->spec_major, 2);
    assert_int_equal(log->algorithm_count, 4);
    assert_int_equal(log->count, 2);
    assert_int_equal(log->events[1].pcr, 4);
    assert_true(view_is(log->events[1].data, "data"));
    assert_int_equal(event_log_digest(log, &log->events[1], TPM_ALG_SHA384).len, 48);
    assert_int_equal(event_log_digest(log, &log->events[1], TPM_ALG_SM3_256).len, 0);
    assert_int_equal(event_log_preferred_bank(log), TPM_ALG_SHA256);
}

static void log_without_a_header_is_a_sha1_log(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    log_legacy(bytes, 4, EV_ACTION, view_text("a"), view_text("a"));
    assert_ok(parse(bytes, &log));
    assert_int_equal(log->format, EVENT_LOG_SHA1);
    assert_string_equal(log->signature, "");
    assert_int_equal(event_log_preferred_bank(log), TPM_ALG_SHA1);
}

static void old_spec_id_events_head_sha1_logs(void **state)
{
    (void)state;
    const char *const signatures[] = {"Spec ID Event00", "Spec ID Event02"};
    for (size_t i = 0; i < 2; i++) {
        AUTO(buf) bytes = log_new();
        AUTO(buf) header = log_new();
        AUTO(event_log) log = NULL;
        assert_ok(buf_put(header, view_of(signatures[i], 16)));
        assert_ok(buf_put(header, view_of("\0\0\0\0\x02\x01\x00\x01\x03ven", 12)));
        log_legacy(bytes, 0, EV_NO_ACTION, VIEW_EMPTY, buf_view(header));
        log_legacy(bytes, 4, EV_ACTION, view_text("a"), view_text("a"));
        assert_ok(parse(bytes, &log));
        assert_int_equal(log->format, EVENT_LOG_SHA1);
        assert_string_equal(log->signature, signatures[i]);
        assert_true(view_is(log->vendor_info, "ven"));
        assert_int_equal(log->count, 2);
    }
}

static void vendor_information_is_kept_and_may_be_cut_short(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    log_start(bytes);
    bytes->data[bytes->len - 1] = 200; /* vendorInfoSize, and nothing behind it */
    assert_ok(parse(bytes, &log));
    assert_int_equal(log->vendor_info.len, 0);
}

static void header_alone_is_a_log_that_extends_nothing(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    struct event_replay replay;
    log_start(bytes);
    assert_ok(parse(bytes, &log));
    assert_ok(event_replay(log, &replay));
    for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
        assert_int_equal(replay.banks[i].mask, 0);
    }
}

static void event_without_data_is_an_event(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    log_start(bytes);
    log_measure(bytes, 5, EV_POST_CODE, VIEW_EMPTY);
    assert_ok(parse(bytes, &log));
    assert_int_equal(log->count, 2);
    assert_int_equal(log->events[1].data.len, 0);
}

static void unknown_algorithm_is_skipped_by_the_size_its_header_gives(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    struct event_replay replay;
    uint8_t expected[32] = {0};
    log_header(bytes, (uint16_t[]){TPM_ALG_SHA256, TPM_ALG_SM3_256}, 2);
    bytes->data[bytes->len - 5] = 0x99; /* SM3's number becomes 0x0099, its size 5 */
    bytes->data[bytes->len - 3] = 5;
    log_u32(bytes, 3);
    log_u32(bytes, EV_ACTION);
    log_u32(bytes, 2);
    log_u16(bytes, 0x0099);
    assert_ok(buf_put(bytes, view_text("five!")));
    log_u16(bytes, TPM_ALG_SHA256);
    uint8_t digest[32];
    assert_ok(sha256(view_text("a"), digest));
    assert_ok(buf_put(bytes, view_of(digest, 32)));
    log_u32(bytes, 0);
    assert_ok(parse(bytes, &log));
    assert_ok(event_replay(log, &replay));
    extend_by_hand(expected, "a");
    assert_value(&replay, TPM_ALG_SHA256, 3, expected);
}

/* -- what is refused, and where ------------------------------------------------------ */

static void empty_file_is_refused(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    assert_refused(bytes, 0);
    assert_ok(buf_put(bytes, view_of((uint8_t[64]){0}, 64)));
    assert_refused(bytes, 0);
}

static void text_is_refused(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    assert_ok(buf_put_text(bytes, "This is a text of some length and no event log at all.\n"));
    assert_refused(bytes, 32);
    assert_true(problem.needed > problem.left);
}

static void garbage_behind_the_last_event_is_refused_where_it_starts(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    log_measure(bytes, 0, EV_S_CRTM_VERSION, view_text("1"));
    size_t end = bytes->len;
    assert_ok(buf_put_text(bytes, "xyz"));
    assert_refused(bytes, end);
    buf_truncate(bytes, end);
    assert_ok(buf_put(bytes, view_of((uint8_t[40]){0}, 40)));
    assert_ok(buf_put_text(bytes, "x"));
    AUTO(event_log) log = NULL;
    assert_err(parse(bytes, &log), EVENT_LOG_UNREADABLE);
    assert_true(problem.offset >= end);
}

static void lying_sizes_are_refused_where_they_stand(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    size_t second = bytes->len;
    log_measure(bytes, 0, EV_S_CRTM_VERSION, view_text("1"));
    size_t size_at = second + 8 + 4 + 2 + 32;
    memset(bytes->data + size_at, 0xF0, 4);
    assert_refused(bytes, size_at + 4);
    assert_true(problem.needed == 0xF0F0F0F0 && problem.left == 1);

    memset(bytes->data + second + 8, 0xF0, 4); /* the number of digests */
    assert_refused(bytes, second + 12);
}

static void digest_of_an_algorithm_without_a_size_is_refused(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    size_t second = bytes->len;
    log_measure(bytes, 0, EV_S_CRTM_VERSION, view_text("1"));
    bytes->data[second + 12] = 0x77;
    assert_refused(bytes, second + 12);
}

static void two_digests_of_one_algorithm_are_refused(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    size_t second = bytes->len;
    log_event(bytes, (uint16_t[]){TPM_ALG_SHA256, TPM_ALG_SHA256}, 2, 0, EV_ACTION, view_text("1"),
              VIEW_EMPTY);
    assert_refused(bytes, second + 12 + 34);
}

static void headers_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    const struct {
        size_t at; /* in the header's data */
        uint8_t value;
    } changes[] = {{24, 0}, {24, 17}, {27, 1}, {30, 20}, {30, 0}};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        AUTO(buf) bytes = log_new();
        log_start(bytes);
        bytes->data[32 + changes[i].at] = changes[i].value;
        AUTO(event_log) log = NULL;
        assert_err(parse(bytes, &log), EVENT_LOG_UNREADABLE);
        assert_true(problem.offset >= 32 && problem.offset <= bytes->len);
    }
    AUTO(buf) twice = log_new();
    log_header(twice, (uint16_t[]){TPM_ALG_SHA256, TPM_ALG_SHA256}, 2);
    AUTO(event_log) log = NULL;
    assert_err(parse(twice, &log), EVENT_LOG_UNREADABLE);
}

static void log_past_the_maximum_is_refused_before_it_is_read(void **state)
{
    (void)state;
    AUTO(event_log) log = NULL;
    uint8_t byte = 0;
    assert_err(event_log_parse(view_of(&byte, EVENT_LOG_MAX_BYTES + 1), &log, &problem), TOO_LONG);
}

/* -- what is tolerated --------------------------------------------------------------- */

static void padding_of_zeros_and_of_ones_is_counted(void **state)
{
    (void)state;
    for (int filler = 0; filler <= 0xFF; filler += 0xFF) {
        for (size_t len = 1; len < 200; len += 13) {
            AUTO(buf) bytes = log_new();
            AUTO(event_log) log = NULL;
            uint8_t padding[200];
            memset(padding, filler, sizeof padding);
            log_start(bytes);
            log_measure(bytes, 0, EV_S_CRTM_VERSION, view_text("1"));
            assert_ok(buf_put(bytes, view_of(padding, len)));
            assert_ok(parse(bytes, &log));
            assert_int_equal(log->padding_bytes, len);
            assert_int_equal(log->count, 2);
        }
    }
}

static void log_area_that_was_never_written_may_have_zeros_before_its_ones(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    uint8_t padding[140] = {0};
    memset(padding + 40, 0xFF, 100);
    log_start(bytes);
    log_separators(bytes);
    assert_ok(buf_put(bytes, view_of(padding, sizeof padding)));
    assert_ok(parse(bytes, &log));
    assert_int_equal(log->padding_bytes, sizeof padding);
    assert_int_equal(log->count, 9);
}

/* An ACPI table, a quote: their first words are no PCR. */
static void bytes_that_only_fit_the_old_form_are_no_log(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) windows = log_new();
    AUTO(event_log) log = NULL;
    log_legacy(bytes, 24, EV_ACTION, view_text("x"), view_text("x"));
    assert_refused(bytes, 0);
    log_legacy(windows, UINT32_MAX, EV_NO_ACTION, view_text("x"), view_text("x"));
    assert_ok(parse(windows, &log));
}

/* -- what follows a log -------------------------------------------------------------- */

/* Its parts would be read as events, and everything replayed twice. */
static void second_log_is_refused_where_it_begins(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    log_start(bytes);
    log_separators(bytes);
    size_t end = bytes->len;
    AUTO(buf) once = NULL;
    assert_ok(buf_copy(buf_view(bytes), &once));
    assert_ok(buf_put(bytes, buf_view(once)));
    assert_refused(bytes, end);
    assert_non_null(strstr(problem.reason, "another log"));
    assert_int_equal(problem.event, 9);
}

static void spec_id_of_the_old_form_may_be_late(void **state)
{
    (void)state;
    static const uint8_t spec_id[28] = "Spec ID Event00";
    static const uint8_t zeros[20] = {0};
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    log_legacy(bytes, 0, EV_S_CRTM_VERSION, view_text("1"), view_text("1"));
    log_u32(bytes, 0);
    log_u32(bytes, EV_NO_ACTION);
    assert_ok(buf_put(bytes, view_of(zeros, sizeof zeros)));
    log_u32(bytes, sizeof spec_id);
    assert_ok(buf_put(bytes, view_of(spec_id, sizeof spec_id)));
    log_legacy(bytes, 4, EV_ACTION, view_text("2"), view_text("2"));
    assert_ok(parse(bytes, &log));
    assert_int_equal(log->count, 3);
    size_t end = bytes->len;
    log_start(bytes);
    assert_refused(bytes, end);
}

static void log_final_table(struct buf *log, uint64_t count)
{
    log_u64(log, 1);
    log_u64(log, count);
}

static void final_events_go_on_where_the_log_ends(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    struct event_replay replay;
    uint8_t value[32] = {0};
    log_start(bytes);
    log_measure(bytes, 5, EV_EFI_ACTION, view_text("1"));
    log_final_table(bytes, 1);
    log_measure(bytes, 5, EV_EFI_ACTION, view_text("2"));
    assert_ok(buf_put(bytes, view_of("\0\0\0\0", 4)));
    assert_ok(parse(bytes, &log));
    assert_ok(event_replay(log, &replay));
    extend_by_hand(value, "1");
    extend_by_hand(value, "2");
    assert_value(&replay, TPM_ALG_SHA256, 5, value);
    assert_int_equal(log->final_events, 1);
    assert_int_equal(log->final_events_repeated, 0);
    assert_int_equal(log->padding_bytes, 4);
}

static void final_events_that_the_log_has_already_count_once(void **state)
{
    (void)state;
    static const char *const texts[] = {"1", "2", "3", "4"};
    for (size_t known = 0; known <= 3; known++) {
        AUTO(buf) bytes = log_new();
        AUTO(event_log) log = NULL;
        struct event_replay replay;
        uint8_t value[32] = {0};
        log_start(bytes);
        log_measure(bytes, 5, EV_EFI_ACTION, view_text("0"));
        for (size_t i = 0; i < known; i++) {
            log_measure(bytes, 5, EV_EFI_ACTION, view_text(texts[i]));
        }
        log_final_table(bytes, 4);
        extend_by_hand(value, "0");
        for (size_t i = 0; i < 4; i++) {
            log_measure(bytes, 5, EV_EFI_ACTION, view_text(texts[i]));
            extend_by_hand(value, texts[i]);
        }
        assert_ok(parse(bytes, &log));
        assert_ok(event_replay(log, &replay));
        assert_value(&replay, TPM_ALG_SHA256, 5, value);
        assert_int_equal(log->final_events, 4);
        assert_int_equal(log->final_events_repeated, known);
    }
}

static void final_events_alone_and_twice_are_refused(void **state)
{
    (void)state;
    AUTO(buf) alone = log_new();
    AUTO(buf) twice = log_new();
    log_final_table(alone, 1);
    log_measure(alone, 5, EV_EFI_ACTION, view_text("1"));
    assert_refused(alone, 0);
    assert_non_null(strstr(problem.reason, "final events table"));
    log_start(twice);
    log_final_table(twice, 1);
    log_measure(twice, 5, EV_EFI_ACTION, view_text("1"));
    size_t end = twice->len;
    log_final_table(twice, 1);
    log_measure(twice, 5, EV_EFI_ACTION, view_text("1"));
    assert_refused(twice, end + 12);
}

static void data_that_ends_like_padding_is_still_data(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    log_start(bytes);
    log_measure(bytes, 0, EV_SEPARATOR, view_of((uint8_t[64]){0}, 64));
    assert_ok(parse(bytes, &log));
    assert_int_equal(log->padding_bytes, 0);
    assert_int_equal(log->events[1].data.len, 64);
}

static void no_action_events_extend_nothing_whatever_they_are(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    struct event_replay replay;
    log_start(bytes);
    log_measure(bytes, UINT32_MAX, EV_NO_ACTION, view_text("WBCL trust point"));
    log_measure(bytes, 6, EV_NO_ACTION, VIEW_EMPTY);
    assert_ok(parse(bytes, &log));
    assert_int_equal(log->out_of_range, 0);
    assert_ok(event_replay(log, &replay));
    assert_int_equal(event_replay_find(&replay, TPM_ALG_SHA256)->mask, 0);
}

static void events_of_registers_that_do_not_exist_are_skipped_and_counted(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    AUTO(claims) claims = NULL;
    struct event_replay replay;
    log_start(bytes);
    log_measure(bytes, 24, EV_ACTION, view_text("1"));
    log_measure(bytes, 0xDEADBEEF, EV_ACTION, view_text("2"));
    log_measure(bytes, 23, EV_ACTION, view_text("3"));
    assert_ok(parse(bytes, &log));
    assert_int_equal(log->out_of_range, 2);
    assert_ok(event_replay(log, &replay));
    assert_int_equal(event_replay_find(&replay, TPM_ALG_SHA256)->mask, 1U << 23);
    assert_ok(event_claims_read(log, TPM_ALG_SHA256, &claims));
    assert_true(claims->serious);
}

static void fewer_digests_than_the_header_lists_leave_that_bank_incomplete(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    struct event_replay replay;
    log_header(bytes, four_banks, 2);
    log_event(bytes, four_banks, 2, 4, EV_ACTION, view_text("both"), VIEW_EMPTY);
    log_event(bytes, four_banks + 1, 1, 4, EV_ACTION, view_text("one"), VIEW_EMPTY);
    log_event(bytes, four_banks + 1, 0, 12, EV_ACTION, view_text("none"), VIEW_EMPTY);
    assert_ok(parse(bytes, &log));
    assert_ok(event_replay(log, &replay));
    const struct event_replay_bank *old = event_replay_find(&replay, TPM_ALG_SHA1);
    assert_int_equal(old->mask, 1U << 4);
    assert_int_equal(old->incomplete, 1U << 4 | 1U << 12);
    assert_int_equal(log->missing[0], 2); /* SHA-1 */
    assert_int_equal(log->missing[1], 1);
}

static void digest_that_the_header_does_not_list_is_replayed_too(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    struct event_replay replay;
    log_start(bytes);
    log_event(bytes, four_banks, 4, 4, EV_ACTION, view_text("x"), VIEW_EMPTY);
    assert_ok(parse(bytes, &log));
    assert_ok(event_replay(log, &replay));
    assert_int_equal(event_replay_find(&replay, TPM_ALG_SHA512)->mask, 1U << 4);
    assert_int_equal(log->missing[3], 0);
}

/* -- start values -------------------------------------------------------------------- */

static void pcr_is_the_hash_of_its_value_and_each_digest_in_turn(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    struct event_replay replay;
    uint8_t zero[32] = {0};
    uint8_t ones[32];
    memset(ones, 0xFF, 32);
    log_start(bytes);
    log_measure(bytes, 4, EV_ACTION, view_text("a"));
    log_measure(bytes, 17, EV_ACTION, view_text("d"));
    log_measure(bytes, 4, EV_ACTION, view_text("b"));
    assert_ok(parse(bytes, &log));
    assert_ok(event_replay(log, &replay));
    extend_by_hand(zero, "a");
    extend_by_hand(zero, "b");
    extend_by_hand(ones, "d");
    assert_value(&replay, TPM_ALG_SHA256, 4, zero);
    assert_value(&replay, TPM_ALG_SHA256, 17, ones);
    assert_int_equal(event_replay_find(&replay, TPM_ALG_SHA256)->mask, 1U << 4 | 1U << 17);
}

static void startup_locality_starts_pcr_0_and_its_padding_is_ignored(void **state)
{
    (void)state;
    for (size_t len = 17; len <= 40; len += 23) {
        AUTO(buf) bytes = log_new();
        AUTO(event_log) log = NULL;
        struct event_replay replay;
        uint8_t value[32] = {[31] = 3};
        uint8_t event[40] = "StartupLocality";
        event[16] = 3;
        log_start(bytes);
        log_measure(bytes, 0, EV_NO_ACTION, view_of(event, len));
        log_measure(bytes, 0, EV_S_CRTM_VERSION, view_text("v"));
        assert_ok(parse(bytes, &log));
        assert_true(log->locality_given);
        assert_ok(event_replay(log, &replay));
        extend_by_hand(value, "v");
        assert_value(&replay, TPM_ALG_SHA256, 0, value);
    }
}

static void startup_locality_without_its_byte_is_none(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    log_start(bytes);
    log_measure(bytes, 0, EV_NO_ACTION, view_of("StartupLocality", 16));
    assert_ok(parse(bytes, &log));
    assert_false(log->locality_given);
}

static void hcrtm_starts_pcr_0_at_locality_4(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    struct event_replay replay;
    uint8_t value[32] = {[31] = 4};
    log_start(bytes);
    log_measure_other(bytes, 0, EV_EFI_HCRTM_EVENT, view_text("code"), view_text("HCRTM"));
    assert_ok(parse(bytes, &log));
    assert_ok(event_replay(log, &replay));
    extend_by_hand(value, "code");
    assert_value(&replay, TPM_ALG_SHA256, 0, value);
}

/* -- confidential computing ---------------------------------------------------------- */

static const uint16_t sha384_only[] = {TPM_ALG_SHA384};

static void sha384_log_of_registers_1_to_4_is_a_cc_log(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(buf) variable = log_variable("SecureBoot", view_of("\1", 1));
    AUTO(event_log) log = NULL;
    struct event_replay replay;
    char name[EVENT_REGISTER_NAME_SIZE];
    log_header(bytes, sha384_only, 1);
    log_event(bytes, sha384_only, 1, 1, EV_EFI_VARIABLE_DRIVER_CONFIG, buf_view(variable),
              buf_view(variable));
    log_event(bytes, sha384_only, 1, 3, EV_IPL, view_text("x"), VIEW_EMPTY);
    assert_ok(parse(bytes, &log));
    assert_true(log->cc);
    assert_ok(event_replay(log, &replay));
    assert_int_equal(event_replay_find(&replay, TPM_ALG_SHA384)->mask, 1U << 1 | 1U << 3);
    event_register_name(log, 3, name);
    assert_string_equal(name, "RTMR2");
}

static void register_of_the_builder_is_not_replayed(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    struct event_replay replay;
    log_header(bytes, sha384_only, 1);
    bytes->data[0] = 1; /* TDX firmware puts its header there */
    log_event(bytes, sha384_only, 1, 0, EV_S_CRTM_VERSION, view_text("v"), view_text("v"));
    log_event(bytes, sha384_only, 1, 2, EV_ACTION, view_text("a"), view_text("a"));
    assert_ok(parse(bytes, &log));
    assert_true(log->cc);
    assert_ok(event_replay(log, &replay));
    assert_int_equal(event_replay_find(&replay, TPM_ALG_SHA384)->mask, 1U << 2);
}

static void sha384_log_of_a_tpm_is_no_cc_log(void **state)
{
    (void)state;
    AUTO(buf) variable = log_variable("SecureBoot", view_of("\1", 1));
    for (uint32_t pcr = 0; pcr < PCR_COUNT; pcr++) {
        AUTO(buf) bytes = log_new();
        AUTO(event_log) log = NULL;
        log_header(bytes, sha384_only, 1);
        for (uint32_t i = 0; i < 8; i++) {
            log_event(bytes, sha384_only, 1, i, EV_SEPARATOR, view_of("\0\0\0\0", 4),
                      view_of("\0\0\0\0", 4));
        }
        log_event(bytes, sha384_only, 1, pcr, EV_EFI_VARIABLE_DRIVER_CONFIG, buf_view(variable),
                  buf_view(variable));
        assert_ok(parse(bytes, &log));
        assert_false(log->cc);
    }
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    log_header(bytes, sha384_only, 1);
    log_event(bytes, sha384_only, 1, 4, EV_EFI_BOOT_SERVICES_APPLICATION, view_text("image"),
              VIEW_EMPTY);
    assert_ok(parse(bytes, &log));
    assert_false(log->cc);
}

/* -- against quoted values ----------------------------------------------------------- */

static struct event_log *check_log(struct buf *bytes)
{
    struct event_log *log = NULL;
    log_header(bytes, four_banks, 2);
    log_event(bytes, four_banks, 2, 0, EV_S_CRTM_VERSION, view_text("v"), view_text("v"));
    log_event(bytes, four_banks, 2, 4, EV_ACTION, view_text("a"), view_text("a"));
    log_event(bytes, four_banks + 1, 1, 12, EV_EVENT_TAG, view_text("w"), view_text("w"));
    assert_ok(parse(bytes, &log));
    return log;
}

static void add_value(struct pcr_values *values, const struct event_replay *replay, uint16_t bank,
                      uint32_t pcr)
{
    assert_ok(pcr_values_add(
        values, bank, pcr,
        view_of(event_replay_find(replay, bank)->value[pcr], event_bank_of(bank)->size)));
}

static void values_that_the_log_explains_replay(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = check_log(bytes);
    struct event_replay replay;
    struct event_check check;
    struct pcr_values quoted = {0};
    assert_ok(event_replay(log, &replay));
    add_value(&quoted, &replay, TPM_ALG_SHA256, 0);
    add_value(&quoted, &replay, TPM_ALG_SHA256, 4);
    add_value(&quoted, &replay, TPM_ALG_SHA256,
              9); /* never extended, and the log doesn't say so either */
    assert_ok(event_check(log, &quoted, &check));
    assert_int_equal(check.count, 1);
    assert_int_equal(check.banks[0].replays, 1U << 0 | 1U << 4 | 1U << 9);
    assert_true(event_check_passes(&check, 1U << 4));
}

static void value_that_differs_is_named(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = check_log(bytes);
    struct event_replay replay;
    struct event_check check;
    struct pcr_values quoted = {0};
    assert_ok(event_replay(log, &replay));
    add_value(&quoted, &replay, TPM_ALG_SHA256, 0);
    add_value(&quoted, &replay, TPM_ALG_SHA256, 4);
    quoted.value[1].digest[5] ^= 1;
    assert_ok(event_check(log, &quoted, &check));
    assert_int_equal(check.banks[0].differs, 1U << 4);
    assert_false(event_check_passes(&check, 0));
}

static void value_that_no_event_extends_is_told_apart_from_a_wrong_one(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = check_log(bytes);
    struct event_check check;
    struct pcr_values quoted = {0};
    uint8_t ima[32] = {1};
    assert_ok(pcr_values_add(&quoted, TPM_ALG_SHA256, 10, view_of(ima, 32)));
    assert_ok(event_check(log, &quoted, &check));
    assert_int_equal(check.banks[0].not_in_log, 1U << 10);
    assert_true(event_check_passes(&check, 0));
    assert_false(event_check_passes(&check, 1U << 10));
}

static void bank_that_windows_capped_is_recognised(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = check_log(bytes);
    struct event_replay replay;
    struct event_check check;
    struct pcr_values quoted = {0};
    uint8_t both[40] = {0};
    uint8_t capped[20];
    assert_ok(event_replay(log, &replay));
    memcpy(both, event_replay_find(&replay, TPM_ALG_SHA1)->value[4], 20);
    assert_int_equal(EVP_Digest(both, 40, capped, NULL, EVP_sha1(), NULL), 1);
    assert_ok(pcr_values_add(&quoted, TPM_ALG_SHA1, 4, view_of(capped, 20)));
    assert_ok(event_check(log, &quoted, &check));
    assert_int_equal(check.banks[0].capped, 1U << 4);
    assert_int_equal(check.banks[0].differs, 1U << 4);
    assert_false(event_check_passes(&check, 0));
}

static void zeros_in_a_bank_that_events_left_out_prove_nothing(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = check_log(bytes);
    struct event_check check;
    struct pcr_values quoted = {0};
    uint8_t zeros[20] = {0};
    assert_ok(pcr_values_add(&quoted, TPM_ALG_SHA1, 12, view_of(zeros, 20)));
    assert_ok(event_check(log, &quoted, &check));
    assert_int_equal(check.banks[0].replays, 0);
    assert_int_equal(check.banks[0].not_in_log, 1U << 12);
}

/* PCR 11 with one event in the log, and `count` phases measured behind it. */
static struct event_check_bank check_phases(const char *const *phases, size_t count)
{
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    struct event_check check;
    struct pcr_values quoted = {0};
    uint8_t value[32] = {0};
    log_start(bytes);
    log_measure(bytes, 11, EV_IPL, view_text("section"));
    assert_ok(parse(bytes, &log));
    extend_by_hand(value, "section");
    for (size_t i = 0; i < count; i++) {
        extend_by_hand(value, phases[i]);
    }
    assert_ok(pcr_values_add(&quoted, TPM_ALG_SHA256, 11, view_of(value, 32)));
    assert_ok(event_check(log, &quoted, &check));
    return check.banks[0];
}

static void boot_phases_behind_the_log_replay_in_their_order_only(void **state)
{
    (void)state;
    static const char *const systemd[] = {"enter-initrd", "leave-initrd", "sysinit", "ready"};
    static const char *const talos[] = {"enter-initrd", "leave-initrd", "enter-machined",
                                        "start-the-world"};
    static const char *const others[] = {"leave-initrd", "enter-initrd", "ready"};
    for (size_t count = 1; count <= 4; count++) {
        assert_int_equal(check_phases(systemd, count).ended, 1U << 11);
        assert_int_equal(check_phases(talos, count).replays, 1U << 11);
    }
    assert_int_equal(check_phases(systemd, 0).replays, 1U << 11);
    assert_int_equal(check_phases(systemd, 0).ended, 0);
    for (size_t count = 1; count <= 3; count++) {
        assert_int_equal(check_phases(others, count).differs, 1U << 11);
    }
}

static void log_that_leaves_a_pcr_out_does_not_pass_where_it_is_required(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = NULL;
    struct event_check check;
    struct pcr_values quoted = {0};
    uint8_t value[32] = {0};
    log_start(bytes);
    assert_ok(parse(bytes, &log));
    extend_by_hand(value, "evil");
    assert_ok(pcr_values_add(&quoted, TPM_ALG_SHA256, 4, view_of(value, 32)));
    assert_ok(event_check(log, &quoted, &check));
    assert_false(event_check_passes(&check, EVENT_FIRMWARE_PCRS));
}

static void no_values_are_no_proof(void **state)
{
    (void)state;
    AUTO(buf) bytes = log_new();
    AUTO(event_log) log = check_log(bytes);
    struct event_check check;
    struct pcr_values quoted = {0};
    assert_ok(event_check(log, &quoted, &check));
    assert_false(event_check_passes(&check, 0));
}

/* -- damage ------------------------------------------------------------------------------------ */

static void read_everything(struct view bytes, struct event_replay *out_replay, bool *out_read)
{
    AUTO(event_log) log = NULL;
    AUTO(claims) claims = NULL;
    *out_read = IS_OK(event_log_parse(bytes, &log, &problem));
    if (!*out_read) {
        assert_true(problem.offset <= bytes.len && problem.reason[0]);
        return;
    }
    assert_ok(event_replay(log, out_replay));
    assert_ok(event_claims_read(log, event_log_preferred_bank(log), &claims));
}

/* Each prefix stands in memory of its own size, so that a sanitizer sees the first byte read behind
 * it. */
static void assert_prefixes_never_pass_for_the_whole(const char *file)
{
    AUTO(buf) bytes = real_file(file);
    struct event_replay whole;
    bool read = false;
    read_everything(buf_view(bytes), &whole, &read);
    assert_true(read);
    for (size_t len = 0; len < bytes->len; len++) {
        struct event_replay part;
        uint8_t *copy = malloc(len ? len : 1);
        assert_non_null(copy);
        memcpy(copy, bytes->data, len);
        read_everything(view_of(copy, len), &part, &read);
        free(copy);
        assert_false(read && memcmp(&part, &whole, sizeof whole) == 0);
    }
}

static void no_prefix_of_a_real_log_passes_for_the_whole(void **state)
{
    (void)state;
    assert_prefixes_never_pass_for_the_whole("HIRS/eventlogs/TpmLog.bin");
    assert_prefixes_never_pass_for_the_whole("fwupd/eventlogs/binary_bios_measurements-v1");
    assert_prefixes_never_pass_for_the_whole("tpm2-tools/eventlogs/event.bin");
}

static void any_byte_may_have_any_value_without_harm(void **state)
{
    (void)state;
    AUTO(buf) bytes = real_file("tpm2-tools/eventlogs/event-uefivar.bin");
    struct event_replay replay;
    bool read;
    for (size_t at = 0; at < bytes->len; at++) {
        uint8_t before = bytes->data[at];
        for (int value = 0; value <= 0xFF; value++) {
            bytes->data[at] = (uint8_t)value;
            read_everything(buf_view(bytes), &replay, &read);
        }
        bytes->data[at] = before;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crypto_agile_log_is_read_with_its_header_as_event_zero),
        cmocka_unit_test(log_without_a_header_is_a_sha1_log),
        cmocka_unit_test(old_spec_id_events_head_sha1_logs),
        cmocka_unit_test(vendor_information_is_kept_and_may_be_cut_short),
        cmocka_unit_test(header_alone_is_a_log_that_extends_nothing),
        cmocka_unit_test(event_without_data_is_an_event),
        cmocka_unit_test(unknown_algorithm_is_skipped_by_the_size_its_header_gives),
        cmocka_unit_test(empty_file_is_refused),
        cmocka_unit_test(text_is_refused),
        cmocka_unit_test(garbage_behind_the_last_event_is_refused_where_it_starts),
        cmocka_unit_test(lying_sizes_are_refused_where_they_stand),
        cmocka_unit_test(digest_of_an_algorithm_without_a_size_is_refused),
        cmocka_unit_test(two_digests_of_one_algorithm_are_refused),
        cmocka_unit_test(headers_that_contradict_themselves_are_refused),
        cmocka_unit_test(log_past_the_maximum_is_refused_before_it_is_read),
        cmocka_unit_test(padding_of_zeros_and_of_ones_is_counted),
        cmocka_unit_test(log_area_that_was_never_written_may_have_zeros_before_its_ones),
        cmocka_unit_test(bytes_that_only_fit_the_old_form_are_no_log),
        cmocka_unit_test(second_log_is_refused_where_it_begins),
        cmocka_unit_test(spec_id_of_the_old_form_may_be_late),
        cmocka_unit_test(final_events_go_on_where_the_log_ends),
        cmocka_unit_test(final_events_that_the_log_has_already_count_once),
        cmocka_unit_test(final_events_alone_and_twice_are_refused),
        cmocka_unit_test(data_that_ends_like_padding_is_still_data),
        cmocka_unit_test(no_action_events_extend_nothing_whatever_they_are),
        cmocka_unit_test(events_of_registers_that_do_not_exist_are_skipped_and_counted),
        cmocka_unit_test(fewer_digests_than_the_header_lists_leave_that_bank_incomplete),
        cmocka_unit_test(digest_that_the_header_does_not_list_is_replayed_too),
        cmocka_unit_test(pcr_is_the_hash_of_its_value_and_each_digest_in_turn),
        cmocka_unit_test(startup_locality_starts_pcr_0_and_its_padding_is_ignored),
        cmocka_unit_test(startup_locality_without_its_byte_is_none),
        cmocka_unit_test(hcrtm_starts_pcr_0_at_locality_4),
        cmocka_unit_test(sha384_log_of_registers_1_to_4_is_a_cc_log),
        cmocka_unit_test(register_of_the_builder_is_not_replayed),
        cmocka_unit_test(sha384_log_of_a_tpm_is_no_cc_log),
        cmocka_unit_test(values_that_the_log_explains_replay),
        cmocka_unit_test(value_that_differs_is_named),
        cmocka_unit_test(value_that_no_event_extends_is_told_apart_from_a_wrong_one),
        cmocka_unit_test(bank_that_windows_capped_is_recognised),
        cmocka_unit_test(zeros_in_a_bank_that_events_left_out_prove_nothing),
        cmocka_unit_test(boot_phases_behind_the_log_replay_in_their_order_only),
        cmocka_unit_test(log_that_leaves_a_pcr_out_does_not_pass_where_it_is_required),
        cmocka_unit_test(no_values_are_no_proof),
        cmocka_unit_test(no_prefix_of_a_real_log_passes_for_the_whole),
        cmocka_unit_test(any_byte_may_have_any_value_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
