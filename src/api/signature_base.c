#include "api/signature_base.h"

#include <inttypes.h>
#include <string.h>

/* The shape, piece by piece: writer and reader take it from here. */
static const char label[] = "itl=";
static const char components[] = "(\"@method\" \"@path\" \"@query\" \"content-digest\")";
static const char created_key[] = ";created=";
static const char expires_key[] = ";expires=";
static const char nonce_key[] = ";nonce=\"";
static const char keyid_key[] = "\";keyid=\"";
static const char alg_key[] = "\";alg=\"ecdsa-p384-sha384\"";
static const char digest_label[] = "sha-512=:";
static const char signature_label[] = "itl=:";

/* Takes exactly this text from the front. */
static ERRFN expect(struct view *v, const char *text)
{
    struct view found;
    TRY(view_get_bytes(v, strlen(text), &found, E(SIGNATURE_INVALID)));
    ENSURE(view_is(found, text), SIGNATURE_INVALID);
    return OK;
}

/* A decimal number without sign or leading zero: sf-integer (RFC 8941 section 3.3.1) has at most 15
 * digits. */
static ERRFN expect_number(struct view *v, uint64_t *out_value)
{
    uint64_t value = 0;
    size_t digits = 0;
    while (digits < v->len && v->data[digits] >= '0' && v->data[digits] <= '9') {
        ENSURE(digits < 15, SIGNATURE_INVALID);
        value = value * 10 + (uint64_t)(v->data[digits] - '0');
        digits++;
    }
    ENSURE(digits > 0 && v->data[0] != '0', SIGNATURE_INVALID);
    v->data += digits;
    v->len -= digits;
    *out_value = value;
    return OK;
}

ERRFN content_digest_put(struct view body, struct buf *out_header)
{
    uint8_t digest[SHA512_BYTES];
    TRY(sha512(body, digest));
    TRY(buf_put_text(out_header, digest_label));
    TRY(buf_put_base64(out_header, view_of(digest, sizeof digest)));
    return buf_put_u8(out_header, ':');
}

ERRFN content_digest_check(struct view header, struct view body)
{
    ENSURE(header.len > 0, SIGNATURE_MISSING);
    AUTO(buf) expected = NULL;
    TRY(buf_new(SIGNATURE_HEADER_MAX_BYTES, &expected));
    TRY(content_digest_put(body, expected));
    ENSURE(view_equal(header, buf_view(expected)), SIGNATURE_INVALID);
    return OK;
}

ERRFN signature_input_put(uint64_t created, const uint8_t nonce[static SIGNATURE_NONCE_BYTES],
                          const uint8_t keyid[static SIGNATURE_KEYID_BYTES], struct buf *out_header)
{
    TRY(buf_printf(out_header, "%s%s%s%" PRIu64 "%s%" PRIu64 "%s", label, components, created_key,
                   created, expires_key, created + SIGNATURE_LIFETIME_S, nonce_key));
    TRY(buf_put_base64url(out_header, view_of(nonce, SIGNATURE_NONCE_BYTES)));
    TRY(buf_put_text(out_header, keyid_key));
    TRY(buf_put_hex(out_header, view_of(keyid, SIGNATURE_KEYID_BYTES)));
    return buf_put_text(out_header, alg_key);
}

static ERRFN check_nonce(struct view nonce)
{
    AUTO(buf) bytes = NULL;
    TRY(buf_new(SIGNATURE_NONCE_BYTES, &bytes));
    ENSURE(IS_OK(base64url_decode(nonce, bytes)) && bytes->len == SIGNATURE_NONCE_BYTES,
           SIGNATURE_INVALID);
    return OK;
}

static ERRFN check_keyid(struct view keyid)
{
    for (size_t i = 0; i < keyid.len; i++) {
        uint8_t c = keyid.data[i];
        ENSURE((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'), SIGNATURE_INVALID);
    }
    return OK;
}

ERRFN signature_input_parse(struct view header, struct signature_params *out_params)
{
    ENSURE(header.len > 0, SIGNATURE_MISSING);
    ENSURE(header.len <= SIGNATURE_HEADER_MAX_BYTES, SIGNATURE_INVALID);
    struct signature_params params = {0};
    struct view rest = header;
    TRY(expect(&rest, label));
    params.text = rest;
    TRY(expect(&rest, components));
    TRY(expect(&rest, created_key));
    TRY(expect_number(&rest, &params.created));
    TRY(expect(&rest, expires_key));
    TRY(expect_number(&rest, &params.expires));
    TRY(expect(&rest, nonce_key));
    TRY(view_get_bytes(&rest, SIGNATURE_NONCE_CHARS, &params.nonce, E(SIGNATURE_INVALID)));
    TRY(expect(&rest, keyid_key));
    TRY(view_get_bytes(&rest, SIGNATURE_KEYID_CHARS, &params.keyid, E(SIGNATURE_INVALID)));
    TRY(expect(&rest, alg_key));
    ENSURE(rest.len == 0, SIGNATURE_INVALID);

    TRY(check_nonce(params.nonce));
    TRY(check_keyid(params.keyid));
    ENSURE(params.created < params.expires &&
               params.expires - params.created <= SIGNATURE_LIFETIME_S,
           SIGNATURE_INVALID);
    *out_params = params;
    return OK;
}

/* Visible ASCII only: a line end or a blank in a value could make two different requests have one
 * base. */
static bool is_visible(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f) {
            return false;
        }
    }
    return text.len > 0;
}

static ERRFN put_line(struct buf *base, const char *name, struct view value)
{
    TRY(buf_printf(base, "\"%s\": ", name));
    TRY(buf_put(base, value));
    return buf_put_u8(base, '\n');
}

ERRFN signature_base_put(const struct signature_request *request,
                         const struct signature_params *params, struct buf *out_base)
{
    struct view target = request->target;
    ENSURE(target.len <= SIGNATURE_TARGET_MAX_BYTES, TOO_LONG);
    ENSURE(is_visible(request->method) && is_visible(target) && is_visible(request->content_digest),
           SIGNATURE_INVALID);
    ENSURE(target.data[0] == '/' && !memchr(target.data, '#', target.len), SIGNATURE_INVALID);
    const uint8_t *mark = memchr(target.data, '?', target.len);
    size_t path_len = mark ? (size_t)(mark - target.data) : target.len;
    struct view query =
        mark ? view_of(mark, target.len - path_len) : view_text("?"); /* section 2.2.7 */

    size_t before = out_base->len;
    err_t e = put_line(out_base, "@method", request->method);
    e = IS_OK(e) ? put_line(out_base, "@path", view_of(target.data, path_len)) : e;
    e = IS_OK(e) ? put_line(out_base, "@query", query) : e;
    e = IS_OK(e) ? put_line(out_base, "content-digest", request->content_digest) : e;
    e = IS_OK(e) ? buf_put_text(out_base, "\"@signature-params\": ") : e;
    e = IS_OK(e) ? buf_put(out_base, params->text) : e;
    if (!IS_OK(e)) {
        buf_truncate(out_base, before);
    }
    return e;
}

ERRFN signature_header_put(const uint8_t signature[static SIGNATURE_BYTES], struct buf *out_header)
{
    TRY(buf_put_text(out_header, signature_label));
    TRY(buf_put_base64(out_header, view_of(signature, SIGNATURE_BYTES)));
    return buf_put_u8(out_header, ':');
}

ERRFN signature_header_parse(struct view header, uint8_t out_signature[static SIGNATURE_BYTES])
{
    ENSURE(header.len > 0, SIGNATURE_MISSING);
    struct view rest = header;
    TRY(expect(&rest, signature_label));
    struct view text;
    TRY(view_get_bytes(&rest, BASE64_TEXT_SIZE(SIGNATURE_BYTES) - 1, &text, E(SIGNATURE_INVALID)));
    TRY(expect(&rest, ":"));
    ENSURE(rest.len == 0, SIGNATURE_INVALID);
    AUTO(buf) bytes = NULL;
    TRY(buf_new(SIGNATURE_BYTES, &bytes));
    ENSURE(IS_OK(base64_decode(text, bytes)) && bytes->len == SIGNATURE_BYTES, SIGNATURE_INVALID);
    memcpy(out_signature, bytes->data, SIGNATURE_BYTES);
    return OK;
}
