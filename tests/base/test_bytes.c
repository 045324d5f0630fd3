#include "base/bytes.h"
#include "base/fd.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void buffer_refuses_to_grow_past_its_maximum_and_keeps_its_content(void **state)
{
    (void)state;
    AUTO(buf) b = NULL;
    assert_true(IS_OK(buf_new(4, &b)));
    assert_true(IS_OK(buf_put_u32(b, 0x01020304)));
    assert_true(IS_E(buf_put_u8(b, 5), TOO_LONG));
    assert_true(view_equal(buf_view(b), view_of("\x01\x02\x03\x04", 4)));
}

static void buffer_length_arithmetic_does_not_wrap(void **state)
{
    (void)state;
    AUTO(buf) b = NULL;
    uint8_t *at;
    assert_true(IS_OK(buf_new(16, &b)));
    assert_true(IS_OK(buf_put_u8(b, 1)));
    assert_true(IS_E(buf_extend(b, SIZE_MAX, &at), TOO_LONG));
    assert_true(IS_E(buf_extend(b, 16, &at), TOO_LONG));
    assert_int_equal(b->len, 1);
}

static void formatted_text_may_fill_a_buffer_exactly(void **state)
{
    (void)state;
    AUTO(buf) b = NULL;
    assert_true(IS_OK(buf_new(5, &b)));
    assert_true(IS_OK(buf_printf(b, "%d", 12345)));
    assert_int_equal(b->len, 5);
    assert_true(IS_E(buf_printf(b, "%d", 6), TOO_LONG));
}

static void reader_leaves_the_view_unchanged_when_it_is_too_short(void **state)
{
    (void)state;
    struct view v = view_of("\x01\x02\x03", 3);
    uint32_t number;
    assert_true(IS_E(view_get_u32(&v, &number, E(WIRE)), WIRE));
    assert_int_equal(v.len, 3);
    uint16_t half;
    assert_true(IS_OK(view_get_u16(&v, &half, E(WIRE))));
    assert_int_equal(half, 0x0102);
    assert_int_equal(v.len, 1);
}

static void consuming_moves_the_rest_to_the_front(void **state)
{
    (void)state;
    AUTO(buf) b = NULL;
    assert_true(IS_OK(buf_new(16, &b)));
    assert_true(IS_OK(buf_put_text(b, "abcdef")));
    buf_consume(b, 4);
    assert_true(view_is(buf_view(b), "ef"));
    buf_consume(b, 9);
    assert_int_equal(b->len, 0);
}

static void text_with_a_nul_inside_is_refused(void **state)
{
    (void)state;
    char text[8];
    assert_true(IS_E(view_to_text(view_of("a\0b", 3), text, sizeof text), FIELD_INVALID));
    assert_true(IS_E(view_to_text(view_text("12345678"), text, sizeof text), TOO_LONG));
    assert_true(IS_OK(view_to_text(view_text("1234567"), text, sizeof text)));
}

static void hexadecimal_is_strict(void **state)
{
    (void)state;
    uint8_t bytes[2];
    assert_true(IS_OK(hex_decode(view_text("aBcD"), bytes, 2)));
    assert_int_equal(bytes[0], 0xab);
    assert_true(IS_E(hex_decode(view_text("abc"), bytes, 2), FIELD_INVALID));
    assert_true(IS_E(hex_decode(view_text("ab d"), bytes, 2), FIELD_INVALID));
    assert_true(IS_E(hex_decode(view_text("abcg"), bytes, 2), FIELD_INVALID));
}

static void base64_round_trips_every_length(void **state)
{
    (void)state;
    uint8_t bytes[70];
    random_bytes(bytes, sizeof bytes);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        AUTO(buf) text = NULL;
        AUTO(buf) back = NULL;
        assert_true(IS_OK(buf_new(200, &text)) && IS_OK(buf_new(len, &back)));
        assert_true(IS_OK(buf_put_base64(text, view_of(bytes, len))));
        assert_int_equal(text->len, (len + 2) / 3 * 4);
        assert_true(IS_OK(base64_decode(buf_view(text), back)));
        assert_true(view_equal(buf_view(back), view_of(bytes, len)));
    }
}

static void base64_is_strict_and_leaves_nothing_behind(void **state)
{
    (void)state;
    static const char *const bad[] = {"AAA", "AAA=A", "A===", "AA\nA", " AAAA", "AAAA ", "AA==AA==", "AB==", "AA=", "_-__", "AAAAA"};
    AUTO(buf) out = NULL;
    assert_true(IS_OK(buf_new(64, &out)));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_true(IS_E(base64_decode(view_text(bad[i]), out), BASE64_INVALID));
        assert_int_equal(out->len, 0);
    }
}

static void base64_longer_than_the_buffer_is_too_long(void **state)
{
    (void)state;
    AUTO(buf) out = NULL;
    assert_true(IS_OK(buf_new(2, &out)));
    assert_true(IS_E(base64_decode(view_text("AAAA"), out), TOO_LONG));
    assert_true(IS_OK(base64_decode(view_text("AAA="), out)));
    assert_int_equal(out->len, 2);
}

static void text_with_controls_or_broken_utf8_is_not_clean(void **state)
{
    (void)state;
    assert_true(text_is_clean(view_text("worker-1 \xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91")));
    static const char *const bad[] = {"a\nb", "\x1b[31m", "\x7f", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80",
                                      "\xe2\x82", "\x80", "\xc2\x85", "\xe0\x80\x80", "\xf0\x80\x80\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(text_is_clean(view_text(bad[i])));
    }
}

static void secret_file_that_others_can_read_is_refused(void **state)
{
    (void)state;
    char path[] = "/tmp/itl-secret-XXXXXX";
    AUTO(fd) fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(IS_OK(fd_write_full(fd, "1234\n", 5)));
    AUTO(secret) pin = NULL;
    assert_int_equal(fchmod(fd, 0640), 0);
    assert_true(IS_E(secret_read_file(path, 64, &pin), CONFIG_INVALID));
    assert_int_equal(fchmod(fd, 0600), 0);
    assert_true(IS_E(secret_read_file(path, 4, &pin), TOO_LONG));
    assert_true(IS_OK(secret_read_file(path, 64, &pin)));
    assert_true(view_is(secret_view(pin), "1234"));
    unlink(path);
}

static void atomic_write_replaces_the_whole_file_or_nothing(void **state)
{
    (void)state;
    char folder[] = "/tmp/itl-atomic-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    snprintf(path, sizeof path, "%s/file", folder);
    assert_true(IS_OK(fd_write_file_atomic(path, view_text("first"), 0600)));
    assert_true(IS_OK(fd_write_file_atomic(path, view_text("second"), 0600)));
    AUTO(buf) content = NULL;
    assert_true(IS_OK(fd_read_file(path, 64, &content)));
    assert_true(view_is(buf_view(content), "second"));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    AUTO(buf) small = NULL;
    assert_true(IS_E(fd_read_file(path, 3, &small), TOO_LONG));
    unlink(path);
    rmdir(folder);
}

static void uuids_are_version_4_and_differ(void **state)
{
    (void)state;
    char a[UUID_TEXT_SIZE];
    char b[UUID_TEXT_SIZE];
    random_uuid(a);
    random_uuid(b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
    assert_string_not_equal(a, b);
}

static void every_error_has_a_unique_reason_and_a_sentence(void **state)
{
    (void)state;
    for (uint16_t i = 1; i < ERR_CODE_COUNT; i++) {
        err_t e = err_from_code(i);
        const char *text = err_text(e);
        assert_true(strlen(err_reason(e)) > 2 && err_class(e) != ERR_CLASS_NONE);
        assert_true(text[0] >= 'A' && text[0] <= 'Z' && strchr(".)", text[strlen(text) - 1]));
        for (uint16_t j = 1; j < i; j++) {
            assert_string_not_equal(err_reason(e), err_reason(err_from_code(j)));
        }
    }
    assert_true(IS_E(err_from_code(ERR_CODE_COUNT), BUG));
}

static int setup(void **state)
{
    (void)state;
    return IS_OK(secret_setup()) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_refuses_to_grow_past_its_maximum_and_keeps_its_content),
        cmocka_unit_test(buffer_length_arithmetic_does_not_wrap),
        cmocka_unit_test(formatted_text_may_fill_a_buffer_exactly),
        cmocka_unit_test(reader_leaves_the_view_unchanged_when_it_is_too_short),
        cmocka_unit_test(consuming_moves_the_rest_to_the_front),
        cmocka_unit_test(text_with_a_nul_inside_is_refused),
        cmocka_unit_test(hexadecimal_is_strict),
        cmocka_unit_test(base64_round_trips_every_length),
        cmocka_unit_test(base64_is_strict_and_leaves_nothing_behind),
        cmocka_unit_test(base64_longer_than_the_buffer_is_too_long),
        cmocka_unit_test(text_with_controls_or_broken_utf8_is_not_clean),
        cmocka_unit_test(secret_file_that_others_can_read_is_refused),
        cmocka_unit_test(atomic_write_replaces_the_whole_file_or_nothing),
        cmocka_unit_test(uuids_are_version_4_and_differ),
        cmocka_unit_test(every_error_has_a_unique_reason_and_a_sentence),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
