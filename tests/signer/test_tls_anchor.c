/* How long a handshake counts, and with whom. */
#include "pki/software_ca.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>

#include "pki/handshake.h"
#include "pki/tls_pair.h"
#include "signer/tls_anchor.h"

#define BEGIN_MS UINT64_C(1000000)

struct world {
    struct tls_anchors anchors;
    struct buf *server_der;
};

static struct buf *der_of(X509 *certificate)
{
    struct buf *der;
    assert_ok(buf_new(X509_DER_MAX_BYTES, &der));
    assert_ok(x509_put_der(certificate, der));
    return der;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    AUTO(EVP_PKEY) key = EVP_EC_gen("P-384");
    AUTO(X509) certificate = tls_pair_self_signed(key);
    AUTO(buf) pem = NULL;
    assert_ok(buf_new(8192, &pem));
    assert_ok(x509_put_pem(certificate, pem));
    assert_ok(tls_anchors_open(&w->anchors, buf_view(pem)));
    w->server_der = der_of(certificate);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    EVP_PKEY_free(w->anchors.tls_key);
    buf_free(w->server_der);
    free(w);
    return 0;
}

static err_t check(const struct world *w, const uint8_t anchor[static IPC_TLS_ANCHOR_BYTES], uint64_t now_ms)
{
    const struct handshake handshake = {.anchor = view_of(anchor, IPC_TLS_ANCHOR_BYTES), .server_certificate = buf_view(w->server_der)};
    return tls_anchors_check(&w->anchors, &handshake, now_ms);
}

static void take(struct world *w, uint64_t now_ms, uint8_t out_anchor[static IPC_TLS_ANCHOR_BYTES])
{
    memcpy(out_anchor, tls_anchors_take(&w->anchors, now_ms), IPC_TLS_ANCHOR_BYTES);
}

static void anchor_counts_for_two_minutes_and_no_longer(void **state)
{
    struct world *w = *state;
    uint8_t anchor[IPC_TLS_ANCHOR_BYTES];
    take(w, BEGIN_MS, anchor);
    assert_ok(check(w, anchor, BEGIN_MS));
    assert_ok(check(w, anchor, BEGIN_MS + TLS_ANCHOR_COUNTS_MS - 1));
    assert_err(check(w, anchor, BEGIN_MS + TLS_ANCHOR_COUNTS_MS), CLIENT_PROOF_EXPIRED);
}

static void handshakes_of_a_moment_share_an_anchor_and_later_ones_do_not(void **state)
{
    struct world *w = *state;
    uint8_t first[IPC_TLS_ANCHOR_BYTES];
    uint8_t second[IPC_TLS_ANCHOR_BYTES];
    take(w, BEGIN_MS, first);
    take(w, BEGIN_MS + TLS_ANCHOR_NEW_MS - 1, second);
    assert_memory_equal(first, second, sizeof first);
    take(w, BEGIN_MS + TLS_ANCHOR_NEW_MS, second);
    assert_memory_not_equal(first, second, sizeof first);
    assert_ok(check(w, first, BEGIN_MS + TLS_ANCHOR_NEW_MS));
    assert_ok(check(w, second, BEGIN_MS + TLS_ANCHOR_NEW_MS));
}

/* However busy: none is pushed out while it counts, and none is kept beyond the bound. */
static void each_anchor_of_an_hour_counts_for_its_time(void **state)
{
    struct world *w = *state;
    enum { ANCHORS = 240 };
    static uint8_t all[ANCHORS][IPC_TLS_ANCHOR_BYTES];
    for (size_t i = 0; i < ANCHORS; i++) {
        uint64_t now = BEGIN_MS + i * TLS_ANCHOR_NEW_MS;
        take(w, now, all[i]);
        for (size_t k = 0; k <= i; k++) {
            bool counts = (i - k) * TLS_ANCHOR_NEW_MS < TLS_ANCHOR_COUNTS_MS;
            assert_int_equal(IS_OK(check(w, all[k], now)), counts);
        }
    }
}

static void anchor_that_was_never_made_does_not_count(void **state)
{
    struct world *w = *state;
    const uint8_t zeros[IPC_TLS_ANCHOR_BYTES] = {0}; /* as those not made yet are in memory */
    uint8_t anchor[IPC_TLS_ANCHOR_BYTES];
    assert_err(check(w, zeros, BEGIN_MS), CLIENT_PROOF_EXPIRED);
    take(w, BEGIN_MS, anchor);
    assert_err(check(w, zeros, BEGIN_MS), CLIENT_PROOF_EXPIRED);
    anchor[31] ^= 1;
    assert_err(check(w, anchor, BEGIN_MS), CLIENT_PROOF_EXPIRED);
}

static void handshake_with_another_server_does_not_count(void **state)
{
    struct world *w = *state;
    uint8_t anchor[IPC_TLS_ANCHOR_BYTES];
    take(w, BEGIN_MS, anchor);
    AUTO(EVP_PKEY) key = EVP_EC_gen("P-384");
    AUTO(X509) other = tls_pair_self_signed(key);
    AUTO(buf) der = der_of(other);
    struct handshake handshake = {.anchor = view_of(anchor, sizeof anchor), .server_certificate = buf_view(der)};
    assert_err(tls_anchors_check(&w->anchors, &handshake, BEGIN_MS), CLIENT_PROOF_INVALID);
    handshake.server_certificate = view_text("no certificate");
    assert_err(tls_anchors_check(&w->anchors, &handshake, BEGIN_MS), CLIENT_PROOF_INVALID);
}

/* The key stays when the certificate is renewed: that is the appliance as well. */
static void handshake_with_a_renewed_certificate_of_the_same_key_counts(void **state)
{
    struct world *w = *state;
    uint8_t anchor[IPC_TLS_ANCHOR_BYTES];
    take(w, BEGIN_MS, anchor);
    AUTO(EVP_PKEY) key = EVP_EC_gen("P-384");
    AUTO(X509) before = tls_pair_self_signed(key);
    AUTO(X509) renewed = tls_pair_self_signed(key);
    AUTO(buf) pem = NULL;
    AUTO(buf) der = der_of(renewed);
    assert_ok(buf_new(8192, &pem));
    assert_ok(x509_put_pem(before, pem));
    EVP_PKEY_free(STEAL(w->anchors.tls_key));
    assert_ok(tls_anchors_open(&w->anchors, buf_view(pem)));
    struct handshake handshake = {.anchor = view_of(anchor, sizeof anchor), .server_certificate = buf_view(der)};
    assert_ok(tls_anchors_check(&w->anchors, &handshake, BEGIN_MS));
}

static void chain_that_is_none_is_refused(void **state)
{
    struct tls_anchors anchors = {0};
    (void)state;
    assert_err(tls_anchors_open(&anchors, VIEW_EMPTY), TLS_CERTIFICATE);
    assert_err(tls_anchors_open(&anchors, view_text("-----BEGIN CERTIFICATE-----\nAAAA\n")), TLS_CERTIFICATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(anchor_counts_for_two_minutes_and_no_longer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(handshakes_of_a_moment_share_an_anchor_and_later_ones_do_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_anchor_of_an_hour_counts_for_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(anchor_that_was_never_made_does_not_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(handshake_with_another_server_does_not_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(handshake_with_a_renewed_certificate_of_the_same_key_counts, set_up, tear_down),
        cmocka_unit_test(chain_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
