#include "crypto/digest.h"
#include "crypto/gcm.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static void sha384_gives_the_value_of_fips_180_for_abc(void **state)
{
    (void)state;
    uint8_t digest[SHA384_BYTES];
    char text[HEX_TEXT_SIZE(SHA384_BYTES)];
    assert_true(IS_OK(sha384(view_text("abc"), digest)));
    hex_encode(view_of(digest, sizeof digest), text);
    assert_string_equal(text, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                              "8086072ba1e7cc2358baeca134c825a7");
}

static const uint8_t key[GCM_KEY_BYTES] = {1};
static const uint8_t iv[GCM_IV_BYTES] = {2};

static void sealed_bytes_open_with_the_same_key_iv_and_aad(void **state)
{
    (void)state;
    AUTO(buf) sealed = NULL;
    AUTO(buf) opened = NULL;
    uint8_t tag[GCM_TAG_BYTES];
    assert_true(IS_OK(buf_new(64, &sealed)) && IS_OK(buf_new(64, &opened)));
    assert_true(IS_OK(gcm_seal(view_of(key, 32), view_of(iv, 12), view_text("aad"), view_text("secret"), sealed, tag)));
    assert_true(IS_OK(gcm_open(view_of(key, 32), view_of(iv, 12), view_text("aad"), buf_view(sealed), view_of(tag, 16), opened)));
    assert_true(view_is(buf_view(opened), "secret"));
}

static void every_altered_bit_is_refused_and_leaves_no_plaintext(void **state)
{
    (void)state;
    AUTO(buf) sealed = NULL;
    AUTO(buf) opened = NULL;
    uint8_t tag[GCM_TAG_BYTES];
    assert_true(IS_OK(buf_new(64, &sealed)) && IS_OK(buf_new(64, &opened)));
    assert_true(IS_OK(gcm_seal(view_of(key, 32), view_of(iv, 12), view_text("aad"), view_text("secret"), sealed, tag)));
    for (size_t bit = 0; bit < (sealed->len + GCM_TAG_BYTES) * 8; bit++) {
        uint8_t *at = bit / 8 < sealed->len ? sealed->data + bit / 8 : tag + (bit / 8 - sealed->len);
        *at ^= (uint8_t)(1u << bit % 8);
        assert_true(IS_E(gcm_open(view_of(key, 32), view_of(iv, 12), view_text("aad"), buf_view(sealed), view_of(tag, 16), opened),
                         SEALED_INVALID));
        assert_int_equal(opened->len, 0);
        *at ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(IS_E(gcm_open(view_of(key, 32), view_of(iv, 12), view_text("aaD"), buf_view(sealed), view_of(tag, 16), opened),
                     SEALED_INVALID));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha384_gives_the_value_of_fips_180_for_abc),
        cmocka_unit_test(sealed_bytes_open_with_the_same_key_iv_and_aad),
        cmocka_unit_test(every_altered_bit_is_refused_and_leaves_no_plaintext),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
