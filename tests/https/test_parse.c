#include "https/json.h"
#include "https/pin.h"
#include "https/refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ASSERT_OK(expr)   assert_int_equal((expr).code, 0)
#define ASSERT_E(expr, e) assert_int_equal((expr).code, ERR_CODE_##e)

/* -- pins -------------------------------------------------------------------------------------- */

static const char hex64[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F";

static void pins_of_every_spelling_are_read(void **state)
{
    (void)state;
    struct pin pin = {0};
    ASSERT_OK(pin_parse(hex64, &pin));
    assert_int_equal(pin.kind, PIN_CERTIFICATE);
    assert_int_equal(pin.digest[31], 0x1f);
    ASSERT_OK(pin_parse("00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:"
                        "18:19:1A:1B:1C:1D:1E:1F",
                        &pin));
    assert_int_equal(pin.kind, PIN_CERTIFICATE);
    assert_int_equal(pin.digest[31], 0x1f);
    ASSERT_OK(pin_parse("sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", &pin));
    assert_int_equal(pin.kind, PIN_KEY);
    assert_int_equal(pin.digest[1], 1);
}

static void texts_that_are_no_pins_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "sha256//",
        "sha256//AAEC",
        "sha1//AAECAwQFBgcICQoLDA0ODxAREhM=",
        "000102",
        "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1G",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00",
        "00-01-02-03-04-05-06-07-08-09-0A-0B-0C-0D-0E-0F-10-11-12-13-14-15-16-17-18-19-1A-1B-1C-1D-1E-1F",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct pin pin = {0};
        ASSERT_E(pin_parse(texts[i], &pin), FIELD_INVALID);
        assert_int_equal(pin.kind, PIN_NONE);
    }
}

/* -- JSON -------------------------------------------------------------------------------------- */

static void json_that_nests_too_deeply_is_refused(void **state)
{
    (void)state;
    char text[4096] = "{\"a\":";
    size_t len = strlen(text);
    memset(text + len, '[', 2000);
    AUTO(json) value = NULL;
    ASSERT_E(json_read(view_text(text), &value), JSON_TOO_DEEP);
    ASSERT_E(json_read(view_text("{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"), &value),
             JSON_TOO_DEEP);
    ASSERT_OK(json_read(view_text("{\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}"), &value));
}

static void brackets_in_texts_do_not_count_as_nesting(void **state)
{
    (void)state;
    AUTO(json) value = NULL;
    ASSERT_OK(json_read(view_text("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[\\\"{{{{{{{\\\\\"}"), &value));
}

static void malformed_json_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "[]", "1", "{", "{}}", "{\"a\":1,\"a\":2}", "{\"a\":1} x", "]", "{\"a\":\"\xff\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO(json) value = NULL;
        ASSERT_E(json_read(view_text(texts[i]), &value), JSON_INVALID);
        assert_null(value);
    }
    AUTO(json) list = NULL;
    ASSERT_E(json_read_list(view_text("{}"), &list), JSON_INVALID);
    ASSERT_OK(json_read_list(view_text("[{}]"), &list));
}

static void fields_are_bounded_and_typed(void **state)
{
    (void)state;
    AUTO(json) o = NULL;
    ASSERT_OK(json_read(
        view_text(
            "{\"t\":\"text\",\"n\":1,\"z\":null,\"c\":\"a\\u001bb\",\"b\":\"AAEC\",\"x\":\"AAE\"}"),
        &o));
    const char *text = NULL;
    ASSERT_OK(json_get_text(o, "t", 4, &text));
    assert_string_equal(text, "text");
    ASSERT_E(json_get_text(o, "t", 3, &text), TOO_LONG);
    ASSERT_E(json_get_text(o, "n", 9, &text), FIELD_INVALID);
    ASSERT_E(json_get_text(o, "z", 9, &text), FIELD_MISSING);
    ASSERT_E(json_get_text(o, "absent", 9, &text), FIELD_MISSING);
    ASSERT_E(json_get_text(o, "c", 9, &text), FIELD_INVALID);
    ASSERT_OK(json_get_text_or_empty(o, "absent", 9, &text));
    assert_string_equal(text, "");
    ASSERT_E(json_get_text_or_empty(o, "n", 9, &text), FIELD_INVALID);
    AUTO(buf) bytes = NULL;
    ASSERT_OK(json_get_base64(o, "b", 3, &bytes));
    assert_int_equal(bytes->len, 3);
    AUTO(buf) none = NULL;
    ASSERT_E(json_get_base64(o, "b", 2, &none), TOO_LONG);
    ASSERT_E(json_get_base64(o, "x", 3, &none), BASE64_INVALID);
}

static void base64_survives_a_round_trip(void **state)
{
    (void)state;
    AUTO(json) o = json_object();
    ASSERT_OK(json_set_base64(o, "b", view_of("\x00\xff\x10", 3)));
    ASSERT_OK(json_set_base64(o, "e", VIEW_EMPTY));
    AUTO(buf) text = NULL;
    ASSERT_OK(json_write(o, 0, 100, &text));
    assert_true(view_is(buf_view(text), "{\"b\":\"AP8Q\",\"e\":\"\"}"));
    AUTO(buf) none = NULL;
    ASSERT_E(json_write(o, 0, 10, &none), TOO_LONG);
}

/* -- refusals ---------------------------------------------------------------------------------- */

static struct refusal refusal_of(unsigned status, const char *body)
{
    struct https_answer answer = {.status = status};
    ASSERT_OK(buf_copy(view_text(body), &answer.body));
    struct refusal refusal = {0};
    ASSERT_E(refusal_check(&answer, &refusal), REFUSED);
    https_answer_clear(&answer);
    return refusal;
}

static void answers_of_200_are_no_refusals(void **state)
{
    (void)state;
    struct https_answer answer = {.status = 202};
    struct refusal refusal = {0};
    ASSERT_OK(refusal_check(&answer, &refusal));
    assert_int_equal(refusal.status, 0);
}

static void refusals_of_any_shape_are_told(void **state)
{
    (void)state;
    struct refusal refusal =
        refusal_of(403, "{\"detail\":\"No.\",\"reason\":\"machine_rejected\"}");
    assert_string_equal(refusal.reason, "machine_rejected");
    assert_string_equal(refusal.detail, "No.");
    refusal = refusal_of(422, "{\"detail\":[{\"loc\":[\"body\",\"role\"],\"msg\":\"unknown "
                              "role\",\"type\":\"value\"}],\"reason\":\"role_unknown\"}");
    assert_string_equal(refusal.reason, "role_unknown");
    assert_string_equal(refusal.detail, "role: unknown role");
    refusal = refusal_of(500, "<html>");
    assert_string_equal(refusal.reason, "http_500");
    assert_string_equal(refusal.detail, "");
    refusal = refusal_of(400, "{\"detail\":[],\"reason\":7}");
    assert_string_equal(refusal.reason, "http_400");
    refusal = refusal_of(400, "{\"detail\":\"\\u001b[2J\",\"reason\":\"x\"}");
    assert_string_equal(refusal.detail, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pins_of_every_spelling_are_read),
        cmocka_unit_test(texts_that_are_no_pins_are_refused),
        cmocka_unit_test(json_that_nests_too_deeply_is_refused),
        cmocka_unit_test(brackets_in_texts_do_not_count_as_nesting),
        cmocka_unit_test(malformed_json_is_refused),
        cmocka_unit_test(fields_are_bounded_and_typed),
        cmocka_unit_test(base64_survives_a_round_trip),
        cmocka_unit_test(answers_of_200_are_no_refusals),
        cmocka_unit_test(refusals_of_any_shape_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
