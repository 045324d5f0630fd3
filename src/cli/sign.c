#include "cli/sign.h"

#include <string.h>

#include "api/signature_base.h"
#include "base/clock.h"
#include "base/random.h"

void signed_headers_clear(struct signed_headers *headers)
{
    buf_free(headers->digest);
    buf_free(headers->input);
    buf_free(headers->signature);
}

static ERRFN start_header(const char *name, struct buf **out_header)
{
    TRY(buf_new(64 + SIGNATURE_HEADER_MAX_BYTES, out_header));
    return buf_put_text(*out_header, name);
}

/* What stands behind the name. */
static struct view value_of(const struct buf *header, const char *name)
{
    size_t skip = strlen(name);
    return view_of(header->data + skip, header->len - skip);
}

static ERRFN sign_base(EVP_PKEY *key, const struct signature_request *request, struct view input,
                       uint8_t out_signature[static SIGNATURE_BYTES])
{
    struct signature_params params;
    TRY(signature_input_parse(input, &params));
    AUTO(buf) base = NULL;
    TRY(buf_new(SIGNATURE_BASE_MAX_BYTES, &base));
    TRY(signature_base_put(request, &params, base));
    return signature_make(key, buf_view(base), out_signature);
}

ERRFN signed_headers_make(EVP_PKEY *key, const char *method, const char *target, struct view body,
                          struct signed_headers *headers)
{
    static const char digest_name[] = "Content-Digest: ";
    static const char input_name[] = "Signature-Input: ";
    TRY(start_header(digest_name, &headers->digest));
    TRY(content_digest_put(body, headers->digest));
    uint8_t nonce[SIGNATURE_NONCE_BYTES];
    uint8_t keyid[SIGNATURE_KEYID_BYTES];
    random_bytes(nonce, sizeof nonce);
    TRY(signature_keyid(key, keyid));
    TRY(start_header(input_name, &headers->input));
    TRY(signature_input_put(clock_utc_ms() / 1000, nonce, keyid, headers->input));

    struct signature_request request = {.method = view_text(method),
                                        .target = view_text(target),
                                        .content_digest = value_of(headers->digest, digest_name)};
    uint8_t signature[SIGNATURE_BYTES];
    TRY(sign_base(key, &request, value_of(headers->input, input_name), signature));
    TRY(start_header("Signature: ", &headers->signature));
    TRY(signature_header_put(signature, headers->signature));
    TRY(buf_put_u8(headers->digest, '\0'));
    TRY(buf_put_u8(headers->input, '\0'));
    return buf_put_u8(headers->signature, '\0');
}
