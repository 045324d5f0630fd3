/* The reader and the writer of JSON. What clients may send is in test_api.py as well; here is
 * what needs a closer look. */
#include "check.h"

#include "front/json.h"

#include <stdlib.h>
#include <string.h>

#include "front/json_write.h"

static struct json json;

static void structure_is_read_in_place(void **state)
{
    (void)state;
    static const char text[] =
        " {\"a\" : [1, {\"b\":\"x\"}, true] , \"c\":null,\"d\":{}, \"e\":-0.5e+3 } ";
    assert_ok(json_read(view_text(text), &json));
    const struct json_value *root = &json.values[0];
    const struct json_value *a = json_member(&json, root, "a");
    assert_int_equal(a->kind, JSON_ARRAY);
    const struct json_value *one = json_first(&json, a);
    assert_true(view_is(one->text, "1"));
    const struct json_value *object = json_after(&json, one);
    assert_true(view_is(json_member(&json, object, "b")->text, "x"));
    assert_int_equal(json_after(&json, object)->kind, JSON_TRUE);
    assert_null(json_after(&json, json_after(&json, object)));
    assert_int_equal(json_member(&json, root, "c")->kind, JSON_NULL);
    assert_null(json_first(&json, json_member(&json, root, "d")));
    assert_true(view_is(json_member(&json, root, "e")->text, "-0.5e+3"));
    assert_null(json_member(&json, root, "b"));
    assert_true((const char *)one->text.data > text &&
                (const char *)one->text.data < text + sizeof text);
}

static void same_name_in_different_objects_is_fine(void **state)
{
    (void)state;
    assert_ok(json_read(view_text("[{\"a\":1},{\"a\":{\"a\":2}}]"), &json));
    assert_err(json_read(view_text("[{\"a\":1,\"b\":{\"a\":1},\"a\":3}]"), &json), JSON_INVALID);
}

static void depth_is_bounded_exactly(void **state)
{
    (void)state;
    char text[2 * JSON_DEPTH_MAX + 3] = "";
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    assert_ok(json_read(view_text(text), &json));
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_err(json_read(view_text(text), &json), JSON_TOO_DEEP);
}

static void number_of_values_is_bounded_exactly(void **state)
{
    (void)state;
    char text[2 * JSON_VALUES_MAX + 2] = "[1";
    for (size_t i = 2; i < JSON_VALUES_MAX; i++) {
        strcat(text, ",1");
    }
    strcat(text, "]");
    assert_ok(json_read(view_text(text), &json));
    assert_int_equal(json.count, JSON_VALUES_MAX);
    strcpy(strrchr(text, ']'), ",1]");
    assert_err(json_read(view_text(text), &json), JSON_INVALID);
}

static void brackets_must_match(void **state)
{
    (void)state;
    static const char *const bad[] = {"[}",
                                      "{]",
                                      "[",
                                      "]",
                                      "[[]",
                                      "{\"a\":[}",
                                      "[1 2]",
                                      "[,]",
                                      "[1,,2]",
                                      "{,}",
                                      "{\"a\"}",
                                      "{1:2}",
                                      "",
                                      "[]]",
                                      "nul",
                                      "truefalse",
                                      "-",
                                      "--1",
                                      "1e",
                                      "1.e1",
                                      "00",
                                      "0x1",
                                      "[\"\\",
                                      "\"\\u12",
                                      "\"\\ud800\\u0041\"",
                                      "\"\\udc00\"",
                                      "\"\\ud800",
                                      "\"a\nb\"",
                                      "\"\x7f\xff\"",
                                      "\"\xf4\x90\x80\x80\"",
                                      "\"\xe0\x80\x80\"",
                                      "\"\xc3\""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (IS_OK(json_read(view_text(bad[i]), &json))) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
}

static void every_prefix_of_a_text_is_refused(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\":[1.5e2,\"\\u00e9\\ud83d\\ude00\xc3\xa9\",{\"b\":null}],\"c\":false}";
    assert_ok(json_read(view_text(text), &json));
    for (size_t len = 0; len < sizeof text - 1; len++) {
        /* On the heap, so that a sanitizer sees a read past the end. */
        char *copy = malloc(len + 1);
        memcpy(copy, text, len);
        assert_false(IS_OK(json_read(view_of(copy, len), &json)));
        free(copy);
    }
}

static void escapes_become_utf8(void **state)
{
    (void)state;
    AUTO(buf) text = NULL;
    assert_ok(json_read(
        view_text("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude00z\""), &json));
    assert_true(json.values[0].escaped);
    assert_ok(buf_new(64, &text));
    assert_ok(json_unescape(&json.values[0], text));
    assert_true(view_is(buf_view(text), "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"));
}

static void written_text_reads_back(void **state)
{
    (void)state;
    static const char nasty[] = "quote \" back \\ slash / nul-free \x01\x1f\x7f caf\xc3\xa9";
    AUTO(buf) out = NULL;
    AUTO(buf) back = NULL;
    assert_ok(buf_new(4096, &out));
    struct json_writer w = {.out = out};
    json_open(&w, NULL, '{');
    json_put_text(&w, "text", view_text(nasty));
    json_open(&w, "list", '[');
    json_put_number(&w, NULL, UINT64_MAX);
    json_put_bool(&w, NULL, false);
    json_close(&w, ']');
    json_put_time(&w, "never", 0);
    json_put_time(&w, "then", 1795341600000);
    json_put_text_or_null(&w, "empty", VIEW_EMPTY);
    json_put_hex(&w, "hex", view_of("\x00\xff", 2));
    json_put_base64(&w, "base64", view_of("\x00\xff", 2));
    json_close(&w, '}');
    assert_ok(json_write_end(&w));
    assert_ok(json_read(buf_view(out), &json));
    const struct json_value *root = &json.values[0];
    assert_ok(buf_new(256, &back));
    assert_ok(json_unescape(json_member(&json, root, "text"), back));
    assert_true(view_is(buf_view(back), nasty));
    assert_true(
        view_is(json_first(&json, json_member(&json, root, "list"))->text, "18446744073709551615"));
    assert_int_equal(json_member(&json, root, "never")->kind, JSON_NULL);
    assert_true(view_is(json_member(&json, root, "then")->text, "2026-11-22T10:00:00.000Z"));
    assert_int_equal(json_member(&json, root, "empty")->kind, JSON_NULL);
    assert_true(view_is(json_member(&json, root, "hex")->text, "00ff"));
    assert_true(view_is(json_member(&json, root, "base64")->text, "AP8="));
}

static void text_that_does_not_fit_is_an_error_at_the_end(void **state)
{
    (void)state;
    AUTO(buf) out = NULL;
    assert_ok(buf_new(8, &out));
    struct json_writer w = {.out = out};
    json_open(&w, NULL, '{');
    json_put_text(&w, "much", view_text("too long"));
    json_close(&w, '}');
    assert_err(json_write_end(&w), TOO_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structure_is_read_in_place),
        cmocka_unit_test(same_name_in_different_objects_is_fine),
        cmocka_unit_test(depth_is_bounded_exactly),
        cmocka_unit_test(number_of_values_is_bounded_exactly),
        cmocka_unit_test(brackets_must_match),
        cmocka_unit_test(every_prefix_of_a_text_is_refused),
        cmocka_unit_test(escapes_become_utf8),
        cmocka_unit_test(written_text_reads_back),
        cmocka_unit_test(text_that_does_not_fit_is_an_error_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
