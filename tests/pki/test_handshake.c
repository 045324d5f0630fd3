/* What a TLS handshake proves of its client: real ones by OpenSSL, and what can be done to them. */
#include "pki/software_ca.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "base/random.h"
#include "pki/handshake.h"
#include "pki/tls_pair.h"

#define NO_RETRY "P-384"
#define RETRY    "X25519:P-384"

struct world {
    struct software_ca software;
    EVP_PKEY *client_key;
    X509 *client_certificate;
    EVP_PKEY *server_key;
    X509 *server_certificate;
    uint8_t anchor[HANDSHAKE_ANCHOR_BYTES];
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    software_ca_make(&w->software, "P-384", NULL, NULL);
    struct ca_key key = software_ca_key(&w->software);
    assert_ok(ca_new(buf_view(w->software.pem), w->software.key, NOW_MS, &key, &w->software.ca));
    w->client_key = EVP_EC_gen("P-384");
    struct issue_facts facts = sample_facts(ISSUE_ENROLLMENT, w->client_key);
    struct issued issued;
    assert_ok(certificate_issue(w->software.ca, &facts, &issued));
    w->client_certificate = parse_certificate(issued.der);
    issued_clear(&issued);
    w->server_key = EVP_EC_gen("P-384");
    w->server_certificate = tls_pair_self_signed(w->server_key);
    random_bytes(w->anchor, sizeof w->anchor);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    X509_free(w->client_certificate);
    EVP_PKEY_free(w->client_key);
    X509_free(w->server_certificate);
    EVP_PKEY_free(w->server_key);
    software_ca_clear(&w->software);
    free(w);
    return 0;
}

static struct tls_pair pair_of(const struct world *w, const char *client_groups)
{
    return (struct tls_pair){
        .server_certificate = w->server_certificate,
        .server_key = w->server_key,
        .client_certificate = w->client_certificate,
        .client_key = w->client_key,
        .client_groups = client_groups,
        .anchor = view_of(w->anchor, sizeof w->anchor),
    };
}

/* All that a verifier does, the anchor included. */
static err_t judge(const struct world *w, struct view messages)
{
    struct handshake h;
    struct presented presented = {0};
    TRY(handshake_parse(messages, TLS_PAIR_EXTENSION, &h));
    ENSURE(view_equal(h.anchor, view_of(w->anchor, sizeof w->anchor)), CLIENT_PROOF_EXPIRED);
    TRY(handshake_check_server(&h, w->server_key));
    TRY(presented_parse(w->software.ca, h.client_certificate, NOW_MS, &presented));
    err_t checked = handshake_check_client(&h, &presented);
    presented_clear(&presented);
    return checked;
}

/* -- genuine ones -------------------------------------------------------------------------------------------------------- */

static void client_that_signs_the_handshake_is_believed(void **state)
{
    const char *const groups[] = {NO_RETRY, RETRY};
    const struct world *w = *state;
    for (size_t i = 0; i < 2; i++) {
        struct tls_pair pair = pair_of(w, groups[i]);
        AUTO(buf) messages = tls_pair_shake(&pair);
        assert_ok(judge(w, buf_view(messages)));
    }
}

static void client_without_a_certificate_is_told_so(void **state)
{
    const struct world *w = *state;
    struct tls_pair pair = pair_of(w, NO_RETRY);
    pair.client_certificate = NULL;
    AUTO(buf) messages = tls_pair_shake(&pair);
    assert_err(judge(w, buf_view(messages)), CLIENT_CERTIFICATE_MISSING);
}

/* -- altered ones ---------------------------------------------------------------------------------------------------------- */

static void handshake_with_any_byte_altered_is_refused(void **state)
{
    const char *const groups[] = {NO_RETRY, RETRY};
    const struct world *w = *state;
    for (size_t g = 0; g < 2; g++) {
        struct tls_pair pair = pair_of(w, groups[g]);
        AUTO(buf) messages = tls_pair_shake(&pair);
        for (size_t i = 0; i < messages->len; i++) {
            uint8_t bit = (uint8_t)(1U << (i % 8));
            messages->data[i] ^= bit;
            assert_false(IS_OK(judge(w, buf_view(messages))));
            messages->data[i] ^= bit;
        }
        assert_ok(judge(w, buf_view(messages)));
    }
}

static void handshake_cut_or_extended_anywhere_is_refused(void **state)
{
    const struct world *w = *state;
    struct tls_pair pair = pair_of(w, RETRY);
    AUTO(buf) messages = tls_pair_shake(&pair);
    for (size_t len = 0; len < messages->len; len++) {
        assert_false(IS_OK(judge(w, view_of(messages->data, len))));
    }
    AUTO(buf) longer = NULL;
    assert_ok(buf_new(messages->len + 1, &longer));
    assert_ok(buf_put(longer, buf_view(messages)));
    assert_ok(buf_put_u8(longer, 0));
    assert_err(judge(w, buf_view(longer)), CLIENT_PROOF_INVALID);
}

static void handshake_of_more_than_64_kib_is_refused(void **state)
{
    static uint8_t many[65537] = {1};
    struct handshake h;
    (void)state;
    assert_err(handshake_parse(view_of(many, sizeof many), TLS_PAIR_EXTENSION, &h), CLIENT_PROOF_INVALID);
}

/* -- genuine ones that prove something else ---------------------------------------------------------------------------------- */

static void handshake_without_an_anchor_or_with_another_is_refused(void **state)
{
    const struct world *w = *state;
    struct tls_pair pair = pair_of(w, NO_RETRY);
    const uint8_t other[HANDSHAKE_ANCHOR_BYTES] = {0};
    const struct view anchors[] = {VIEW_EMPTY, view_of(w->anchor, sizeof w->anchor - 1), view_of(other, sizeof other)};
    for (size_t i = 0; i < 3; i++) {
        pair.anchor = anchors[i];
        AUTO(buf) messages = tls_pair_shake(&pair);
        err_t judged = judge(w, buf_view(messages));
        assert_string_equal(err_reason(judged), err_reason(i < 2 ? E(CLIENT_PROOF_INVALID) : E(CLIENT_PROOF_EXPIRED)));
    }
}

/* The client meant another server, which passed its signature on. */
static void handshake_with_another_server_is_refused(void **state)
{
    const struct world *w = *state;
    struct tls_pair pair = pair_of(w, NO_RETRY);
    AUTO(EVP_PKEY) other_key = EVP_EC_gen("P-384");
    AUTO(X509) other = tls_pair_self_signed(other_key);
    pair.server_key = other_key;
    pair.server_certificate = other;
    AUTO(buf) messages = tls_pair_shake(&pair);
    assert_err(judge(w, buf_view(messages)), CLIENT_PROOF_INVALID);
}

/* Whoever shakes hands with a certificate of their own can't put another's beside it: the transcript holds it. */
static void signature_by_another_key_than_the_certificates_is_refused(void **state)
{
    const struct world *w = *state;
    struct tls_pair pair = pair_of(w, NO_RETRY);
    AUTO(EVP_PKEY) thief = EVP_EC_gen("P-384");
    AUTO(X509) own = tls_pair_self_signed(thief);
    struct presented victim = {.key = w->client_key};
    struct handshake h;
    pair.client_key = thief;
    pair.client_certificate = own;
    AUTO(buf) messages = tls_pair_shake(&pair);
    assert_ok(handshake_parse(buf_view(messages), TLS_PAIR_EXTENSION, &h));
    assert_err(handshake_check_client(&h, &victim), CLIENT_PROOF_INVALID);
    struct presented self = {.key = thief};
    assert_ok(handshake_check_client(&h, &self));
}

/* Signs in the client's place what the handshake holds up to the client's Certificate, with a context string of the caller's. */
static struct buf *sign_anew(const struct world *w, struct view messages, const char *context_string)
{
    struct handshake h;
    uint8_t content[64 + 34 + SHA384_BYTES];
    uint8_t signature[256];
    size_t len = sizeof signature;
    assert_ok(handshake_parse(messages, TLS_PAIR_EXTENSION, &h));
    memset(content, ' ', 64);
    memcpy(content + 64, context_string, 34);
    memcpy(content + 98, h.transcript, SHA384_BYTES);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, w->client_key), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &len, content, sizeof content), 1);
    EVP_MD_CTX_free(ctx);
    size_t before = (size_t)(h.signature.data - messages.data) - 8;
    struct buf *out;
    assert_ok(buf_new(65536, &out));
    assert_ok(buf_put(out, view_of(messages.data, before)));
    assert_ok(buf_put_u16(out, 15 << 8));
    assert_ok(buf_put_u16(out, (uint16_t)(len + 4)));
    assert_ok(buf_put_u16(out, 0x0503));
    assert_ok(buf_put_u16(out, (uint16_t)len));
    assert_ok(buf_put(out, view_of(signature, len)));
    return out;
}

/* The same key could serve somewhere: what it signs as a server proves no client. */
static void signature_of_a_server_is_no_clients(void **state)
{
    const struct world *w = *state;
    struct tls_pair pair = pair_of(w, NO_RETRY);
    AUTO(buf) messages = tls_pair_shake(&pair);
    AUTO(buf) good = sign_anew(w, buf_view(messages), "TLS 1.3, client CertificateVerify");
    assert_ok(judge(w, buf_view(good)));
    AUTO(buf) bad = sign_anew(w, buf_view(messages), "TLS 1.3, server CertificateVerify");
    assert_err(judge(w, buf_view(bad)), CLIENT_PROOF_INVALID);
}

/* A HelloRetryRequest comes once at most. */
static void second_retry_is_refused(void **state)
{
    const struct world *w = *state;
    struct tls_pair pair = pair_of(w, RETRY);
    struct handshake h;
    AUTO(buf) messages = tls_pair_shake(&pair);
    size_t hello = 4 + (size_t)messages->data[2] * 256 + messages->data[3];
    const uint8_t *at = messages->data + hello;
    size_t retry = 4 + (size_t)at[2] * 256 + at[3];
    AUTO(buf) twice = NULL;
    assert_ok(buf_new(65536, &twice));
    assert_ok(buf_put(twice, view_of(messages->data, hello + retry)));
    assert_ok(buf_put(twice, buf_view(messages)));
    assert_err(handshake_parse(buf_view(twice), TLS_PAIR_EXTENSION, &h), CLIENT_PROOF_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_that_signs_the_handshake_is_believed),
        cmocka_unit_test(client_without_a_certificate_is_told_so),
        cmocka_unit_test(handshake_with_any_byte_altered_is_refused),
        cmocka_unit_test(handshake_cut_or_extended_anywhere_is_refused),
        cmocka_unit_test(handshake_of_more_than_64_kib_is_refused),
        cmocka_unit_test(handshake_without_an_anchor_or_with_another_is_refused),
        cmocka_unit_test(handshake_with_another_server_is_refused),
        cmocka_unit_test(signature_by_another_key_than_the_certificates_is_refused),
        cmocka_unit_test(signature_of_a_server_is_no_clients),
        cmocka_unit_test(second_retry_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
