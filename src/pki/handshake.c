#include "pki/handshake.h"

#include <string.h>

#include <openssl/err.h>

/* RFC 8446 section 4. */
enum message_type {
    MESSAGE_CLIENT_HELLO = 1,
    MESSAGE_SERVER_HELLO = 2,
    MESSAGE_ENCRYPTED_EXTENSIONS = 8,
    MESSAGE_CERTIFICATE = 11,
    MESSAGE_CERTIFICATE_REQUEST = 13,
    MESSAGE_CERTIFICATE_VERIFY = 15,
    MESSAGE_FINISHED = 20,
    MESSAGE_HASH = 254
};

enum {
    HANDSHAKE_MAX_BYTES = 65536, /* senders have their own, smaller limit */
    RANDOM_BYTES = 32,
    ECDSA_SECP384R1_SHA384 = 0x0503,
    PADDING_BYTES = 64
};

/* The ServerHello.random that makes it a HelloRetryRequest (RFC 8446 section 4.1.3). */
static const uint8_t RETRY_RANDOM[RANDOM_BYTES] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

/* -- messages -------------------------------------------------------------------------------------------------------- */

static ERRFN get_u24(struct view *v, size_t *out_value)
{
    uint8_t high;
    uint16_t low;
    TRY(view_get_u8(v, &high, E(CLIENT_PROOF_INVALID)));
    TRY(view_get_u16(v, &low, E(CLIENT_PROOF_INVALID)));
    *out_value = ((size_t)high << 16) | low;
    return OK;
}

/* The next message, which must be of this type. */
static ERRFN expect(struct view *rest, enum message_type type, struct view *out_body)
{
    uint8_t found;
    size_t len;
    TRY(view_get_u8(rest, &found, E(CLIENT_PROOF_INVALID)));
    ENSURE(found == type, CLIENT_PROOF_INVALID);
    TRY(get_u24(rest, &len));
    return view_get_bytes(rest, len, out_body, E(CLIENT_PROOF_INVALID));
}

/* Version, then the random that tells. */
static ERRFN is_retry(struct view hello, bool *out_retry)
{
    uint16_t version;
    struct view random;
    TRY(view_get_u16(&hello, &version, E(CLIENT_PROOF_INVALID)));
    TRY(view_get_bytes(&hello, RANDOM_BYTES, &random, E(CLIENT_PROOF_INVALID)));
    *out_retry = view_equal(random, view_of(RETRY_RANDOM, sizeof RETRY_RANDOM));
    return OK;
}

/* Up to the ServerHello that counts. *out_retry is where a HelloRetryRequest begins, NULL when there was none. */
static ERRFN read_hellos(struct view *rest, const uint8_t **out_retry)
{
    struct view hello;
    bool retry;
    TRY(expect(rest, MESSAGE_CLIENT_HELLO, &hello));
    const uint8_t *at = rest->data;
    TRY(expect(rest, MESSAGE_SERVER_HELLO, &hello));
    TRY(is_retry(hello, &retry));
    *out_retry = retry ? at : NULL;
    if (retry) {
        TRY(expect(rest, MESSAGE_CLIENT_HELLO, &hello));
        TRY(expect(rest, MESSAGE_SERVER_HELLO, &hello));
        TRY(is_retry(hello, &retry));
        ENSURE(!retry, CLIENT_PROOF_INVALID); /* there is one at most (RFC 8446 section 4.1.4) */
    }
    return OK;
}

/* Section 4.3.2: an empty context in the main handshake, then extensions, each type once. */
static ERRFN find_anchor(struct view body, uint16_t anchor_extension, struct view *out_anchor)
{
    uint8_t context_len;
    uint16_t len;
    struct view anchor = VIEW_EMPTY;
    TRY(view_get_u8(&body, &context_len, E(CLIENT_PROOF_INVALID)));
    ENSURE(context_len == 0, CLIENT_PROOF_INVALID);
    TRY(view_get_u16(&body, &len, E(CLIENT_PROOF_INVALID)));
    ENSURE(len == body.len, CLIENT_PROOF_INVALID);
    while (body.len > 0) {
        uint16_t type;
        struct view value;
        TRY(view_get_u16(&body, &type, E(CLIENT_PROOF_INVALID)));
        TRY(view_get_u16(&body, &len, E(CLIENT_PROOF_INVALID)));
        TRY(view_get_bytes(&body, len, &value, E(CLIENT_PROOF_INVALID)));
        if (type == anchor_extension) {
            ENSURE(anchor.len == 0 && value.len == HANDSHAKE_ANCHOR_BYTES, CLIENT_PROOF_INVALID);
            anchor = value;
        }
    }
    ENSURE(anchor.len > 0, CLIENT_PROOF_INVALID);
    *out_anchor = anchor;
    return OK;
}

/* Section 4.4.2. Empty when there is no certificate in it. */
static ERRFN first_certificate(struct view body, struct view *out_certificate)
{
    uint8_t context_len;
    size_t len;
    TRY(view_get_u8(&body, &context_len, E(CLIENT_PROOF_INVALID)));
    ENSURE(context_len == 0, CLIENT_PROOF_INVALID);
    TRY(get_u24(&body, &len));
    ENSURE(len == body.len, CLIENT_PROOF_INVALID);
    *out_certificate = VIEW_EMPTY;
    if (len == 0) {
        return OK;
    }
    TRY(get_u24(&body, &len));
    return view_get_bytes(&body, len, out_certificate, E(CLIENT_PROOF_INVALID));
}

/* Section 4.4.3; no other algorithm is offered to clients. */
static ERRFN read_signature(struct view body, struct view *out_signature)
{
    uint16_t algorithm;
    uint16_t len;
    TRY(view_get_u16(&body, &algorithm, E(CLIENT_PROOF_INVALID)));
    ENSURE(algorithm == ECDSA_SECP384R1_SHA384, CLIENT_PROOF_INVALID);
    TRY(view_get_u16(&body, &len, E(CLIENT_PROOF_INVALID)));
    TRY(view_get_bytes(&body, len, out_signature, E(CLIENT_PROOF_INVALID)));
    ENSURE(body.len == 0, CLIENT_PROOF_INVALID);
    return OK;
}

/* -- transcript ------------------------------------------------------------------------------------------------------ */

/* Section 4.4.1: after a HelloRetryRequest the first ClientHello is replaced by a message that holds its hash. */
static ERRFN hash_transcript(struct view signed_part, const uint8_t *retry, uint8_t out_hash[static SHA384_BYTES])
{
    if (!retry) {
        return sha384(signed_part, out_hash);
    }
    uint8_t hello_hash[SHA384_BYTES];
    size_t hello_len = (size_t)(retry - signed_part.data);
    AUTO(buf) all = NULL;
    TRY(sha384(view_of(signed_part.data, hello_len), hello_hash));
    TRY(buf_new(HANDSHAKE_MAX_BYTES + 4 + SHA384_BYTES, &all));
    TRY(buf_put_u8(all, MESSAGE_HASH));
    TRY(buf_put_u8(all, 0));
    TRY(buf_put_u16(all, SHA384_BYTES));
    TRY(buf_put(all, view_of(hello_hash, sizeof hello_hash)));
    TRY(buf_put(all, view_of(retry, signed_part.len - hello_len)));
    return sha384(buf_view(all), out_hash);
}

/* "TLS 1.3, client CertificateVerify" after 64 spaces and before a zero byte and the hash (section 4.4.3). */
static ERRFN make_content(const struct handshake *h, struct buf **out_content)
{
    static const char context[] = "TLS 1.3, client CertificateVerify";
    uint8_t *padding;
    AUTO(buf) content = NULL;
    TRY(buf_new(PADDING_BYTES + sizeof context + SHA384_BYTES, &content));
    TRY(buf_extend(content, PADDING_BYTES, &padding));
    memset(padding, ' ', PADDING_BYTES);
    TRY(buf_put(content, view_of(context, sizeof context))); /* its NUL is the zero byte */
    TRY(buf_put(content, view_of(h->transcript, sizeof h->transcript)));
    *out_content = STEAL(content);
    return OK;
}

/* -- what is asked for ----------------------------------------------------------------------------------------------- */

static ERRFN read_server_flight(struct view *rest, uint16_t anchor_extension, struct handshake *h)
{
    struct view body;
    TRY(expect(rest, MESSAGE_ENCRYPTED_EXTENSIONS, &body));
    TRY(expect(rest, MESSAGE_CERTIFICATE_REQUEST, &body));
    TRY(find_anchor(body, anchor_extension, &h->anchor));
    TRY(expect(rest, MESSAGE_CERTIFICATE, &body));
    TRY(first_certificate(body, &h->server_certificate));
    ENSURE(h->server_certificate.len > 0, CLIENT_PROOF_INVALID);
    TRY(expect(rest, MESSAGE_CERTIFICATE_VERIFY, &body));
    return expect(rest, MESSAGE_FINISHED, &body);
}

ERRFN handshake_parse(struct view messages, uint16_t anchor_extension, struct handshake *out_handshake)
{
    struct handshake h = {0};
    struct view rest = messages;
    struct view body;
    const uint8_t *retry;
    ENSURE(messages.len <= HANDSHAKE_MAX_BYTES, CLIENT_PROOF_INVALID);
    TRY(read_hellos(&rest, &retry));
    TRY(read_server_flight(&rest, anchor_extension, &h));
    TRY(expect(&rest, MESSAGE_CERTIFICATE, &body));
    TRY(first_certificate(body, &h.client_certificate));
    ENSURE(h.client_certificate.len > 0, CLIENT_CERTIFICATE_MISSING);
    TRY(hash_transcript(view_of(messages.data, messages.len - rest.len), retry, h.transcript));
    TRY(expect(&rest, MESSAGE_CERTIFICATE_VERIFY, &body));
    TRY(read_signature(body, &h.signature));
    ENSURE(rest.len == 0, CLIENT_PROOF_INVALID);
    *out_handshake = h;
    return OK;
}

ERRFN handshake_check_server(const struct handshake *handshake, const EVP_PKEY *server_key)
{
    const uint8_t *at = handshake->server_certificate.data;
    AUTO(X509) certificate = d2i_X509(NULL, &at, (long)handshake->server_certificate.len);
    bool same = certificate && at == handshake->server_certificate.data + handshake->server_certificate.len &&
                X509_get0_pubkey(certificate) && EVP_PKEY_eq(X509_get0_pubkey(certificate), server_key) == 1;
    ERR_clear_error();
    ENSURE(same, CLIENT_PROOF_INVALID);
    return OK;
}

ERRFN handshake_check_client(const struct handshake *handshake, const struct presented *presented)
{
    AUTO(buf) content = NULL;
    ENSURE(EVP_PKEY_is_a(presented->key, "EC"), CLIENT_PROOF_INVALID);
    TRY(make_content(handshake, &content));
    err_t signed_by = presented_check_signature(presented, buf_view(content), handshake->signature);
    ENSURE(!IS_E(signed_by, CERTIFICATE_SIGNATURE), CLIENT_PROOF_INVALID);
    return signed_by;
}
