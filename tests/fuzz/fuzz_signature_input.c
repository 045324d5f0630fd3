/* The headers of a signed request: what parses must be of the one shape, so it encodes to the same text. */
#include "api/signature_base.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct signature_params params;
    uint8_t signature[SIGNATURE_BYTES];
    struct view header = view_of(data, size);
    if (IS_OK(signature_input_parse(header, &params))) {
        uint8_t keyid[SIGNATURE_KEYID_BYTES];
        bool sound = IS_OK(hex_decode(params.keyid, keyid, sizeof keyid)) && params.nonce.len == SIGNATURE_NONCE_CHARS &&
                     params.created < params.expires && params.expires <= params.created + SIGNATURE_LIFETIME_S;
        if (!sound) {
            abort();
        }
    }
    if (IS_OK(signature_header_parse(header, signature))) {
        AUTO(buf) again = NULL;
        if (!IS_OK(buf_new(SIGNATURE_HEADER_MAX_BYTES, &again)) || !IS_OK(signature_header_put(signature, again)) ||
            !view_equal(buf_view(again), header)) {
            abort();
        }
    }
    IGNORE_ERR(content_digest_check(header, view_text("body")));
    return 0;
}
