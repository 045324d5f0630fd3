/* Vectors of the C2SP XAES-256-GCM specification, with OpenSSL's AES in the token's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/text.h"
#include "crypto/gcm.h"
#include "hsm/xaes.h"

static ERRFN software_blocks(void *key, const uint8_t *in, size_t len, uint8_t *out_blocks)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int written = 0;
    bool done = ctx && EVP_EncryptInit_ex2(ctx, EVP_aes_256_ecb(), key, NULL, NULL) == 1 &&
                EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
                EVP_EncryptUpdate(ctx, out_blocks, &written, in, (int)len) == 1 &&
                written == (int)len;
    EVP_CIPHER_CTX_free(ctx);
    ENSURE(done, CRYPTO);
    return OK;
}

static void expect_sealed(uint8_t key_byte, const char *aad, const char *expected_hex)
{
    static const char nonce[] = "ABCDEFGHIJKLMNOPQRSTUVWX";
    uint8_t key[XAES_KEY_BYTES];
    uint8_t message_key[XAES_KEY_BYTES];
    uint8_t tag[GCM_TAG_BYTES];
    char hex[128];
    memset(key, key_byte, sizeof key);
    AUTO(buf) sealed = NULL;
    assert_true(IS_OK(buf_new(64, &sealed)));
    assert_true(IS_OK(xaes_message_key(software_blocks, key, (const uint8_t *)nonce, message_key)));
    assert_true(IS_OK(gcm_seal(view_of(message_key, sizeof message_key),
                               view_of(nonce + XAES_KEY_NONCE_BYTES, GCM_IV_BYTES), view_text(aad),
                               view_text("XAES-256-GCM"), sealed, tag)));
    assert_true(IS_OK(buf_put(sealed, view_of(tag, sizeof tag))));
    hex_encode(buf_view(sealed), hex);
    assert_string_equal(hex, expected_hex);
}

/* The two vectors differ in the top bit of AES(K, 0): the subkey is doubled in both ways. */
static void first_published_vector_matches(void **state)
{
    (void)state;
    expect_sealed(0x01, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
}

static void second_published_vector_matches(void **state)
{
    (void)state;
    expect_sealed(0x03, "c2sp.org/XAES-256-GCM",
                  "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_published_vector_matches),
        cmocka_unit_test(second_published_vector_matches),
    };
    return cmocka_run_group_tests_name("xaes", tests, NULL, NULL);
}
