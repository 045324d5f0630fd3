#include "https/pin.h"

#include <openssl/x509.h>
#include <string.h>

#include "base/text.h"

static const char key_prefix[] = "sha256//";

static ERRFN parse_key_pin(const char *text, struct pin *out_pin)
{
    AUTO(buf) digest = NULL;
    TRY(buf_new(SHA256_BYTES, &digest));
    ENSURE(IS_OK(base64_decode(view_text(text), digest)) && digest->len == SHA256_BYTES,
           FIELD_INVALID);
    out_pin->kind = PIN_KEY;
    memcpy(out_pin->digest, digest->data, SHA256_BYTES);
    return OK;
}

static ERRFN parse_certificate_pin(const char *text, struct pin *out_pin)
{
    char hex[2 * SHA256_BYTES + 1];
    size_t len = strlen(text);
    bool colons = len == 3 * SHA256_BYTES - 1;
    ENSURE(colons || len == 2 * SHA256_BYTES, FIELD_INVALID);
    size_t step = colons ? 3 : 2;
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        hex[2 * i] = text[i * step];
        hex[2 * i + 1] = text[i * step + 1];
        ENSURE(!colons || i + 1 == SHA256_BYTES || text[i * step + 2] == ':', FIELD_INVALID);
    }
    struct pin pin = {.kind = PIN_CERTIFICATE};
    TRY(hex_decode(view_of(hex, 2 * SHA256_BYTES), pin.digest, SHA256_BYTES));
    *out_pin = pin;
    return OK;
}

ERRFN pin_parse(const char *text, struct pin *out_pin)
{
    size_t prefix = strlen(key_prefix);
    if (strncmp(text, key_prefix, prefix) == 0) {
        return parse_key_pin(text + prefix, out_pin);
    }
    return parse_certificate_pin(text, out_pin);
}

ERRFN pin_check(const struct pin *pin, X509 *certificate)
{
    unsigned char *der = NULL;
    int len = pin->kind == PIN_KEY ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der)
                                   : i2d_X509(certificate, &der);
    ENSURE(len > 0, CRYPTO);
    uint8_t digest[SHA256_BYTES];
    err_t e = sha256(view_of(der, (size_t)len), digest);
    OPENSSL_free(der);
    TRY(e);
    ENSURE(
        view_equal_secret(view_of(digest, sizeof digest), view_of(pin->digest, sizeof pin->digest)),
        TLS_PIN);
    return OK;
}
