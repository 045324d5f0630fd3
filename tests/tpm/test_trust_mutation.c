#include "cmocka_all.h"
#include "issue.h"
#include "real.h"
#include "trust_world.h"

static void every_bit_of_the_signature_counts(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    X509 *cert = issue_certificate(&spec);
    AUTO(buf) der = issue_der(cert);
    X509_free(cert);
    /* The signature is at the end; the bits before it are covered by it. */
    for (size_t bit = 0; bit < der->len * 8; bit += 3) {
        der->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        AUTO(ek) ek = NULL;
        if (IS_OK(ek_parse(buf_view(der), EK_SOURCE_CERT, &ek))) {
            struct trust_verdict verdict;
            assert_ok(trust_evaluate(trust, ek, NULL, 0, world_now_ms, &verdict));
            assert_int_not_equal(verdict.chain, TRUST_CHAIN_TRUSTED);
            assert_false(IS_OK(verdict.reason));
        }
        der->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

/* -- mutations --------------------------------------------------------------------------------- */

static void refuse_every_flip(const struct trust *trust, struct buf *der)
{
    assert_int_equal(world_judge_der(trust, buf_view(der)).chain, TRUST_CHAIN_TRUSTED);
    for (size_t bit = 0; bit < der->len * 8; bit++) {
        der->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        AUTO(ek) ek = NULL;
        if (IS_OK(ek_parse(buf_view(der), EK_SOURCE_CERT, &ek))) {
            struct trust_verdict verdict;
            assert_ok(trust_evaluate(trust, ek, NULL, 0, world_now_ms, &verdict));
            if (verdict.chain == TRUST_CHAIN_TRUSTED || IS_OK(verdict.reason)) {
                fail_msg("trusted with bit %zu flipped", bit);
            }
        }
        der->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void no_bit_of_an_ek_certificate_can_be_flipped(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    struct issue_spec rsa_root = issue_root("RSA root", w->ek_rsa_key);
    world_add_mixed(trust, &root);
    world_add_mixed(trust, &rsa_root);
    struct issue_spec by_ecdsa = issue_ek(w->ek_rsa_key, "Root", w->root_key);
    struct issue_spec by_rsa = issue_ek(w->ek_key, "RSA root", w->ek_rsa_key);
    AUTO(buf) first = world_der(&by_ecdsa);
    AUTO(buf) second = world_der(&by_rsa);
    refuse_every_flip(trust, first);
    refuse_every_flip(trust, second);
}

static void no_bit_of_a_real_ek_certificate_can_be_flipped(void **state)
{
    (void)state;
    AUTO(trust) trust = NULL;
    AUTO(buf) root = real_file("ca-certificates/nuvoton_tpm_root_ca_2111.pem");
    AUTO(buf) der = real_file("ek-certificates/ntc_npct75x_keylime.der");
    struct trust_mixed added;
    assert_ok(trust_new(&trust));
    assert_ok(trust_add_mixed(trust, buf_view(root), &added));
    assert_int_equal(added.roots, 1);
    refuse_every_flip(trust, der);
}

/* Where the TBSCertificate is in an area whose certificate begins at `start`: behind the header of
 * four bytes that a certificate of this size has. */
static bool in_tbs(struct view area, size_t start, size_t at)
{
    size_t tbs = start + 4;
    size_t len = 4 + ((size_t)area.data[tbs + 2] << 8 | area.data[tbs + 3]);
    return at >= tbs && at < tbs + len;
}

/* An EK certificate and the intermediate that the node sends with it: what is signed in either may
 * not change at all. */
static void no_signed_byte_of_a_chain_can_be_changed(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    world_add(trust, &root, true);
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    struct issue_spec spec = issue_ek(w->ek_rsa_key, "Inter", w->inter_key);
    AUTO(buf) first = world_der(&spec);
    AUTO(buf) second = world_der(&inter);
    AUTO(buf) area = NULL;
    assert_ok(buf_new(EK_MAX_BYTES, &area));
    assert_ok(buf_put(area, buf_view(first)));
    assert_ok(buf_put(area, buf_view(second)));
    AUTO(buf) good = NULL;
    assert_ok(buf_copy(buf_view(area), &good));
    size_t trusted = 0;
    for (size_t at = 0; at < area->len; at++) {
        area->data[at] ^= (uint8_t)(1U << at % 8);
        AUTO(ek) ek = NULL;
        struct trust_verdict verdict = {0};
        if (IS_OK(ek_parse(buf_view(area), EK_SOURCE_CERT, &ek))) {
            assert_ok(
                trust_evaluate(trust, ek, ek->chain, ek->chain_count, world_now_ms, &verdict));
        }
        if (verdict.chain == TRUST_CHAIN_TRUSTED) {
            trusted++;
            if (in_tbs(buf_view(good), 0, at) || in_tbs(buf_view(good), first->len, at)) {
                fail_msg("trusted with byte %zu changed", at);
            }
        }
        area->data[at] ^= (uint8_t)(1U << at % 8);
    }
    assert_int_equal(trusted, 0); /* nor in the signatures and around them */
}

/* Bytes set to what trips readers: a certificate that still reads must say what was signed. */
static void no_signed_byte_of_a_real_certificate_can_be_set(void **state)
{
    (void)state;
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x30, 0x31, 0x06, 0x0c, 0x13};
    AUTO(trust) trust = NULL;
    AUTO(buf) root = real_file("ca-certificates/nuvoton_tpm_root_ca_2111.pem");
    AUTO(buf) der = real_file("ek-certificates/ntc_npct75x_keylime.der");
    struct trust_mixed added;
    assert_ok(trust_new(&trust));
    assert_ok(trust_add_mixed(trust, buf_view(root), &added));
    for (size_t at = 0; at < der->len; at++) {
        uint8_t was = der->data[at];
        for (size_t i = 0; i < sizeof values; i++) {
            der->data[at] = values[i];
            AUTO(ek) ek = NULL;
            if (values[i] == was || !IS_OK(ek_parse(buf_view(der), EK_SOURCE_CERT, &ek))) {
                continue;
            }
            struct trust_verdict verdict;
            assert_ok(trust_evaluate(trust, ek, NULL, 0, world_now_ms, &verdict));
            if (verdict.chain == TRUST_CHAIN_TRUSTED) {
                fail_msg("trusted with byte %zu set to %02x", at, values[i]);
            }
        }
        der->data[at] = was;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_of_the_signature_counts),
        cmocka_unit_test(no_bit_of_an_ek_certificate_can_be_flipped),
        cmocka_unit_test(no_bit_of_a_real_ek_certificate_can_be_flipped),
        cmocka_unit_test(no_signed_byte_of_a_chain_can_be_changed),
        cmocka_unit_test(no_signed_byte_of_a_real_certificate_can_be_set),
    };
    return cmocka_run_group_tests(tests, world_make, world_end);
}
