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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_of_the_signature_counts),
        cmocka_unit_test(no_bit_of_an_ek_certificate_can_be_flipped),
        cmocka_unit_test(no_bit_of_a_real_ek_certificate_can_be_flipped),
    };
    return cmocka_run_group_tests(tests, world_make, world_end);
}
