#include "cmocka_all.h"
#include "issue.h"
#include "real.h"

#include "tpm/trust.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t now_ms = (uint64_t)Y2025 * 1000;

struct world {
    EVP_PKEY *root_key;
    EVP_PKEY *first_key;
    EVP_PKEY *second_key;
    EVP_PKEY *ek_key;
    EVP_PKEY *ek_rsa_key;
};

static int make_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->root_key = issue_ec("P-384");
    w->first_key = issue_ec("P-256");
    w->second_key = issue_ec("P-256");
    w->ek_key = issue_ec("P-256");
    w->ek_rsa_key = issue_rsa(2048);
    *state = w;
    return 0;
}

static int end_world(void **state)
{
    struct world *w = *state;
    EVP_PKEY_free(w->root_key);
    EVP_PKEY_free(w->first_key);
    EVP_PKEY_free(w->second_key);
    EVP_PKEY_free(w->ek_key);
    EVP_PKEY_free(w->ek_rsa_key);
    free(w);
    return 0;
}

static struct buf *der_of(const struct issue_spec *spec)
{
    X509 *cert = issue_certificate(spec);
    struct buf *der = issue_der(cert);
    X509_free(cert);
    return der;
}

static struct trust_mixed add(struct trust *trust, const struct issue_spec *spec)
{
    AUTO(buf) der = der_of(spec);
    struct trust_mixed added;
    assert_ok(trust_add_mixed(trust, buf_view(der), &added));
    return added;
}

static struct trust_verdict judge_der(const struct trust *trust, struct view der)
{
    AUTO(ek) ek = NULL;
    struct trust_verdict verdict;
    assert_ok(ek_parse(der, EK_SOURCE_CERT, &ek));
    assert_ok(trust_evaluate(trust, ek, NULL, 0, now_ms, &verdict));
    return verdict;
}

static struct trust_verdict judge(const struct trust *trust, const struct issue_spec *spec)
{
    AUTO(buf) der = der_of(spec);
    return judge_der(trust, buf_view(der));
}

static void assert_finding(struct trust_verdict verdict, enum trust_finding finding)
{
    assert_string_equal(trust_finding_name(verdict.finding), trust_finding_name(finding));
}

/* -- mixed folders ----------------------------------------------------------------------------- */

static void self_signed_certificates_are_roots_and_others_intermediates(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec inter = issue_intermediate("First", w->first_key, "Root", w->root_key);
    struct issue_spec root = issue_root("Root", w->root_key);
    /* In the folder's order an intermediate may come first: then there is no root yet to add. */
    struct trust_mixed added = add(trust, &inter);
    assert_int_equal(added.roots, 0);
    assert_int_equal(added.intermediates, 1);
    AUTO(buf) der = der_of(&root);
    assert_ok(trust_add_mixed(trust, buf_view(der), &added));
    assert_int_equal(added.roots, 1);
    assert_int_equal(added.intermediates, 0);
    assert_ok(trust_add_mixed(trust, buf_view(der), &added));
    assert_int_equal(added.roots, 0);
    assert_int_equal(trust_root_count(trust), 1);
    assert_int_equal(trust_intermediate_count(trust), 1);
    struct issue_spec ek = issue_ek(w->ek_key, "First", w->first_key);
    assert_finding(judge(trust, &ek), TRUST_FINDING_NONE);
}

/* Its own name as issuer makes no root: the signature does. */
static void certificate_that_only_names_itself_is_no_root(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec liar = issue_intermediate("Root", w->first_key, "Root", w->root_key);
    assert_int_equal(add(trust, &liar).roots, 0);
    struct issue_spec ek = issue_ek(w->ek_key, "Root", w->first_key);
    struct trust_verdict verdict = judge(trust, &ek);
    assert_int_not_equal(verdict.chain, TRUST_CHAIN_TRUSTED);
}

static void what_is_no_certificate_is_counted_and_left_out(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    AUTO(buf) bundle = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec spec = issue_root("Root", w->root_key);
    X509 *root = issue_certificate(&spec);
    AUTO(buf) pem = issue_pem(root);
    X509_free(root);
    assert_ok(buf_new(16384, &bundle));
    assert_ok(buf_put_text(bundle, "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"));
    assert_ok(buf_put_text(bundle, "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"));
    assert_ok(buf_put(bundle, buf_view(pem)));
    struct trust_mixed added;
    assert_ok(trust_add_mixed(trust, buf_view(bundle), &added));
    assert_int_equal(added.roots, 1);
    assert_int_equal(added.skipped, 2);
    assert_err(trust_add_mixed(trust, view_text("hello"), &added), FIELD_INVALID);
    assert_err(trust_add_mixed(trust, VIEW_EMPTY, &added), FIELD_INVALID);
    assert_err(trust_add_mixed(trust, view_of("\x30\x03\x02\x01\x01", 5), &added), FIELD_INVALID);
    assert_int_equal(trust_root_count(trust), 1);
}

/* -- rules ------------------------------------------------------------------------------------- */

static void constraints_hold_for_cas_further_down_too(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    struct issue_spec first = issue_intermediate("First", w->first_key, "Root", w->root_key);
    first.permitted_directory = "Second";
    struct issue_spec second = issue_intermediate("Second", w->second_key, "First", w->first_key);
    add(trust, &root);
    add(trust, &first);
    add(trust, &second);
    struct issue_spec ek = issue_ek(w->ek_key, "Second", w->second_key);
    ek.tpm_san = false; /* no name of its own that the constraint would meet */
    assert_finding(judge(trust, &ek), TRUST_FINDING_NONE);

    AUTO(trust) other = NULL;
    assert_ok(trust_new(&other));
    first.permitted_directory = "Elsewhere";
    add(other, &root);
    add(other, &first);
    add(other, &second);
    assert_finding(judge(other, &ek), TRUST_FINDING_NAME_CONSTRAINT);
}

static void self_issued_cas_do_not_count_for_the_path_length(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    root.basic_constraints = "critical,CA:TRUE,pathlen:0";
    struct issue_spec rollover = issue_intermediate("Root", w->first_key, "Root", w->root_key);
    struct issue_spec below = issue_intermediate("Below", w->second_key, "Root", w->root_key);
    add(trust, &root);
    add(trust, &rollover);
    add(trust, &below);
    struct issue_spec ek = issue_ek(w->ek_key, "Root", w->first_key);
    assert_finding(judge(trust, &ek), TRUST_FINDING_NONE);
    ek = issue_ek(w->ek_key, "Below", w->second_key);
    assert_finding(judge(trust, &ek), TRUST_FINDING_PATH_LENGTH);
}

static void root_may_lack_basic_constraints_and_an_intermediate_may_not(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    struct issue_spec inter = issue_intermediate("First", w->first_key, "Root", w->root_key);
    root.basic_constraints = NULL;
    inter.basic_constraints = NULL;
    add(trust, &root);
    add(trust, &inter);
    struct issue_spec ek = issue_ek(w->ek_key, "Root", w->root_key);
    assert_finding(judge(trust, &ek), TRUST_FINDING_NONE);
    ek = issue_ek(w->ek_key, "First", w->first_key);
    assert_finding(judge(trust, &ek), TRUST_FINDING_ISSUER_NOT_CA);
}

/* -- what is said ------------------------------------------------------------------------------ */

static void every_finding_is_kept_and_has_a_name(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    add(trust, &root);
    struct issue_spec ek = issue_ek(w->ek_key, "Nobody", w->root_key);
    ek.basic_constraints = "critical,CA:TRUE";
    ek.key_usage = "critical,digitalSignature";
    ek.purposes = "2.23.133.8.3";
    struct trust_verdict verdict = judge(trust, &ek);
    assert_int_equal(verdict.findings,
                     1U << TRUST_FINDING_ISSUER_UNKNOWN | 1U << TRUST_FINDING_EK_IS_CA |
                         1U << TRUST_FINDING_EK_KEY_USAGE | 1U << TRUST_FINDING_EK_PURPOSE);
    assert_finding(verdict, TRUST_FINDING_ISSUER_UNKNOWN);
    assert_int_equal(verdict.chain, TRUST_CHAIN_UNTRUSTED);
    for (int i = TRUST_FINDING_NONE + 1; i < TRUST_FINDING_COUNT; i++) {
        assert_string_not_equal(trust_finding_name((enum trust_finding)i), "none");
    }
}

static void missing_issuer_is_named_however_high(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec ek = issue_ek(w->ek_key, "First", w->first_key);
    assert_string_equal(judge(trust, &ek).missing, "/CN=First");
    struct issue_spec inter = issue_intermediate("First", w->first_key, "Root", w->root_key);
    add(trust, &inter);
    assert_string_equal(judge(trust, &ek).missing, "/CN=Root");
    struct issue_spec root = issue_root("Root", w->root_key);
    add(trust, &root);
    assert_string_equal(judge(trust, &ek).missing, "");
}

static void unsupported_key_is_shown_and_never_trusted(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    add(trust, &root);
    EVP_PKEY *small = issue_rsa(1024);
    struct issue_spec spec = issue_ek(small, "Root", w->root_key);
    AUTO(buf) der = der_of(&spec);
    AUTO(ek) ek = NULL;
    assert_err(ek_parse(buf_view(der), EK_SOURCE_CERT, &ek), EK_KEY_UNSUPPORTED);
    assert_ok(ek_parse_for_display(buf_view(der), &ek));
    assert_null(ek->key);
    assert_string_equal(ek->model, "Test TPM");
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, NULL, 0, now_ms, &verdict));
    assert_true(verdict.findings & 1U << TRUST_FINDING_EK_KEY);
    assert_int_equal(verdict.chain, TRUST_CHAIN_INVALID);
    /* Nor when someone allows its hash. */
    char hash[2 * SHA256_BYTES + 1];
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        snprintf(hash + 2 * i, 3, "%02x", ek->spki_sha256[i]);
    }
    assert_ok(trust_allow_hash(trust, view_text(hash)));
    assert_ok(trust_evaluate(trust, ek, NULL, 0, now_ms, &verdict));
    assert_false(verdict.hash_allowed);
    assert_err(verdict.reason, EK_CHAIN_INVALID);
    EVP_PKEY_free(small);
}

/* -- mutations --------------------------------------------------------------------------------- */

static void refuse_every_flip(const struct trust *trust, struct buf *der)
{
    assert_int_equal(judge_der(trust, buf_view(der)).chain, TRUST_CHAIN_TRUSTED);
    for (size_t bit = 0; bit < der->len * 8; bit++) {
        der->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        AUTO(ek) ek = NULL;
        if (IS_OK(ek_parse(buf_view(der), EK_SOURCE_CERT, &ek))) {
            struct trust_verdict verdict;
            assert_ok(trust_evaluate(trust, ek, NULL, 0, now_ms, &verdict));
            if (verdict.chain == TRUST_CHAIN_TRUSTED || IS_OK(verdict.reason)) {
                fail_msg("trusted with bit %zu flipped", bit);
            }
        }
        der->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void no_bit_of_an_ek_certificate_can_be_flipped(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    struct issue_spec rsa_root = issue_root("RSA root", w->ek_rsa_key);
    add(trust, &root);
    add(trust, &rsa_root);
    struct issue_spec by_ecdsa = issue_ek(w->ek_rsa_key, "Root", w->root_key);
    struct issue_spec by_rsa = issue_ek(w->ek_key, "RSA root", w->ek_rsa_key);
    AUTO(buf) first = der_of(&by_ecdsa);
    AUTO(buf) second = der_of(&by_rsa);
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
        cmocka_unit_test(self_signed_certificates_are_roots_and_others_intermediates),
        cmocka_unit_test(certificate_that_only_names_itself_is_no_root),
        cmocka_unit_test(what_is_no_certificate_is_counted_and_left_out),
        cmocka_unit_test(constraints_hold_for_cas_further_down_too),
        cmocka_unit_test(self_issued_cas_do_not_count_for_the_path_length),
        cmocka_unit_test(root_may_lack_basic_constraints_and_an_intermediate_may_not),
        cmocka_unit_test(every_finding_is_kept_and_has_a_name),
        cmocka_unit_test(missing_issuer_is_named_however_high),
        cmocka_unit_test(unsupported_key_is_shown_and_never_trusted),
        cmocka_unit_test(no_bit_of_an_ek_certificate_can_be_flipped),
        cmocka_unit_test(no_bit_of_a_real_ek_certificate_can_be_flipped),
    };
    return cmocka_run_group_tests(tests, make_world, end_world);
}
