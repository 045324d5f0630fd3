#include "pki/bundle.h"

#include <inttypes.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/text.h"

enum { COORDINATE_BYTES = 48 };

static ERRFN put_coordinate(const struct ca *ca, const char *name, const char *parameter, struct buf *out_json)
{
    uint8_t bytes[COORDINATE_BYTES];
    BIGNUM *number = NULL;
    bool read = EVP_PKEY_get_bn_param(ca->public_key, parameter, &number) == 1 &&
                BN_bn2binpad(number, bytes, sizeof bytes) == COORDINATE_BYTES;
    BN_free(number);
    ENSURE(read, CRYPTO);
    TRY(buf_printf(out_json, "\"%s\":\"", name));
    TRY(buf_put_base64url(out_json, view_of(bytes, sizeof bytes)));
    return buf_put_text(out_json, "\",");
}

ERRFN bundle_make(const struct ca *ca, struct buf *out_json)
{
    TRY(buf_put_text(out_json, "{\"keys\":[{\"use\":\"x509-svid\",\"kty\":\"EC\",\"crv\":\"P-384\","));
    TRY(put_coordinate(ca, "x", OSSL_PKEY_PARAM_EC_PUB_X, out_json));
    TRY(put_coordinate(ca, "y", OSSL_PKEY_PARAM_EC_PUB_Y, out_json));
    TRY(buf_put_text(out_json, "\"x5c\":[\""));
    TRY(buf_put_base64(out_json, buf_view(ca->der)));
    return buf_printf(out_json, "\"]}],\"spiffe_sequence\":%" PRIu64 ",\"spiffe_refresh_hint\":%d}", ca->not_before_ms / 1000,
                      BUNDLE_REFRESH_S);
}
