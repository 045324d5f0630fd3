#include "cmocka_all.h"
#include "issue.h"
#include "real.h"
#include "trust_world.h"

#include <stdio.h>
#include <string.h>

static void ek_below_root_and_intermediate_is_trusted(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    struct trust_verdict verdict = world_judge(trust, &spec);
    assert_trusted(verdict);
    assert_string_equal(verdict.anchor, "/CN=Root");
    assert_false(verdict.expired);
    assert_false(verdict.hash_allowed);

    spec = issue_ek(w->ek_rsa_key, "Root", w->root_key);
    assert_trusted(world_judge(trust, &spec));
}

static void ek_without_its_intermediate_is_untrusted(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    world_add(trust, &root, true);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    struct trust_verdict verdict = world_judge(trust, &spec);
    assert_int_equal(verdict.chain, TRUST_CHAIN_UNTRUSTED);
    assert_int_equal(verdict.finding, TRUST_FINDING_ISSUER_UNKNOWN);
    assert_err(verdict.reason, EK_NOT_TRUSTED);
}

static void self_signed_ek_is_not_trusted(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "EK", w->ek_key);
    spec.subject = "EK";
    struct trust_verdict verdict = world_judge(trust, &spec);
    assert_int_equal(verdict.chain, TRUST_CHAIN_UNTRUSTED);
    assert_err(verdict.reason, EK_NOT_TRUSTED);
}

/* -- what a node sends along ------------------------------------------------------------------- */

static void intermediate_from_the_node_completes_the_path(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    world_add(trust, &root, true);
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    X509 *cert = issue_certificate(&inter);
    AUTO(buf) der = issue_der(cert);
    struct view node[] = {buf_view(der)};
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    AUTO(ek) ek = world_ek(&spec);
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, node, 1, world_now_ms, &verdict));
    assert_trusted(verdict);
    X509_free(cert);
}

static void put_cert(struct buf *area, const struct issue_spec *spec)
{
    X509 *cert = issue_certificate(spec);
    AUTO(buf) der = issue_der(cert);
    assert_ok(buf_put(area, buf_view(der)));
    X509_free(cert);
}

static void chain_behind_the_ek_certificate_completes_the_path(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    world_add(trust, &root, true);
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    AUTO(buf) area = NULL;
    assert_ok(buf_new(EK_MAX_BYTES, &area));
    put_cert(area, &spec);
    size_t alone = area->len;
    assert_ok(buf_put(area, view_of("\xff\xff\x00", 3)));
    put_cert(area, &spec); /* another EK's: no CA */
    put_cert(area, &inter);
    put_cert(area, &root);
    AUTO(ek) ek = NULL;
    assert_ok(ek_parse(buf_view(area), EK_SOURCE_CERT, &ek));
    assert_true(view_equal(ek->cert, view_of(area->data, alone)));
    assert_int_equal(ek->chain_count, 2);
    assert_int_equal(ek->quirks, EK_QUIRK_SECOND_CERT | EK_QUIRK_PADDED);
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, ek->chain, ek->chain_count, world_now_ms, &verdict));
    assert_trusted(verdict);

    /* What is stored says the same. */
    AUTO(ek) stored = NULL;
    assert_ok(ek_parse(buf_view(ek->area), EK_SOURCE_CERT, &stored));
    assert_int_equal(stored->chain_count, 2);
    assert_true(view_equal(stored->cert, ek->cert));
    assert_memory_equal(stored->cert_sha384, ek->cert_sha384, SHA384_BYTES);
    assert_ok(trust_evaluate(trust, stored, NULL, 0, world_now_ms, &verdict));
    assert_int_equal(verdict.finding, TRUST_FINDING_ISSUER_UNKNOWN);
}

static void chain_of_more_than_eight_is_refused(void **state)
{
    struct trust_world *w = *state;
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    AUTO(buf) area = NULL;
    assert_ok(buf_new(EK_MAX_BYTES, &area));
    put_cert(area, &spec);
    for (int i = 0; i < EK_CHAIN_MAX; i++) {
        put_cert(area, &inter);
    }
    AUTO(ek) most = NULL;
    AUTO(ek) none = NULL;
    assert_ok(ek_parse(buf_view(area), EK_SOURCE_CERT, &most));
    assert_int_equal(most->chain_count, EK_CHAIN_MAX);
    assert_ok(buf_put(area, view_of("\x30\x00", 2))); /* no certificate, but counted */
    assert_err(ek_parse(buf_view(area), EK_SOURCE_CERT, &none), TOO_LONG);
}

static void root_from_the_node_counts_for_nothing(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    X509 *cert = issue_certificate(&root);
    AUTO(buf) der = issue_der(cert);
    struct view node[] = {buf_view(der)};
    struct issue_spec spec = issue_ek(w->ek_key, "Root", w->root_key);
    AUTO(ek) ek = world_ek(&spec);
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, node, 1, world_now_ms, &verdict));
    assert_int_equal(verdict.chain, TRUST_CHAIN_UNTRUSTED);
    assert_err(verdict.reason, EK_NOT_TRUSTED);
    X509_free(cert);
}

static void node_intermediates_past_a_limit_are_refused(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    AUTO(ek) ek = world_ek(&spec);
    struct issue_spec root = issue_root("Root", w->root_key);
    X509 *cert = issue_certificate(&root);
    AUTO(buf) der = issue_der(cert);
    struct view node[TRUST_NODE_CERTS_MAX + 1];
    for (size_t i = 0; i <= TRUST_NODE_CERTS_MAX; i++) {
        node[i] = buf_view(der);
    }
    static uint8_t large[TRUST_NODE_CERT_MAX_BYTES + 1];
    memcpy(large, der->data, der->len);
    struct view too_large = view_of(large, sizeof large);
    struct view padded = view_of(large, sizeof large - 1);
    struct view garbage = view_text("garbage");
    struct view empty = VIEW_EMPTY;
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, node, TRUST_NODE_CERTS_MAX, world_now_ms, &verdict));
    assert_err(trust_evaluate(trust, ek, node, TRUST_NODE_CERTS_MAX + 1, world_now_ms, &verdict),
               TOO_LONG);
    assert_err(trust_evaluate(trust, ek, &too_large, 1, world_now_ms, &verdict), TOO_LONG);
    assert_ok(trust_evaluate(trust, ek, &padded, 1, world_now_ms, &verdict));
    assert_err(trust_evaluate(trust, ek, &garbage, 1, world_now_ms, &verdict), FIELD_INVALID);
    assert_err(trust_evaluate(trust, ek, &empty, 1, world_now_ms, &verdict), FIELD_INVALID);
    X509_free(cert);
}

/* -- what is said ------------------------------------------------------------------------------ */

/* -- what is said ------------------------------------------------------------------------------ */

static void every_finding_is_kept_and_has_a_name(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    world_add_mixed(trust, &root);
    struct issue_spec ek = issue_ek(w->ek_key, "Nobody", w->root_key);
    ek.basic_constraints = "critical,CA:TRUE";
    ek.key_usage = "critical,digitalSignature";
    ek.purposes = "2.23.133.8.3";
    struct trust_verdict verdict = world_judge(trust, &ek);
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
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec ek = issue_ek(w->ek_key, "First", w->inter_key);
    assert_string_equal(world_judge(trust, &ek).missing, "/CN=First");
    struct issue_spec inter = issue_intermediate("First", w->inter_key, "Root", w->root_key);
    world_add_mixed(trust, &inter);
    assert_string_equal(world_judge(trust, &ek).missing, "/CN=Root");
    struct issue_spec root = issue_root("Root", w->root_key);
    world_add_mixed(trust, &root);
    assert_string_equal(world_judge(trust, &ek).missing, "");
}

/* -- real certificates ------------------------------------------------------------------------- */

/* The real collection: roots and intermediates as expected_certs.json names them. */
static struct trust *real_trust(void)
{
    struct trust *trust = NULL;
    assert_ok(trust_new(&trust));
    json_t *list = real_json("ca-certificates/expected_certs.json");
    assert_true(json_array_size(list) >= 15);
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
    {
        char path[256];
        snprintf(path, sizeof path, "ca-certificates/%s", real_text(entry, "file"));
        AUTO(buf) pem = real_file(path);
        size_t count;
        bool root = strcmp(real_text(entry, "role"), "root CA") == 0;
        assert_ok(root ? trust_add_root(trust, buf_view(pem), &count)
                       : trust_add_intermediate(trust, buf_view(pem), &count));
        assert_int_equal(count, 1);
    }
    json_decref(list);
    return trust;
}

static const struct {
    const char *file;
    enum trust_chain chain;
    enum trust_finding finding;
} real_outcomes[] = {
    {"ntc_npct75x_keylime.der", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"stm_st33htphahb4_rsa_padded_ff.der", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"ifx_slb9665_053e_ca029.der", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"ifx_slb9670_0728_ca007.der", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"intel_spt_rsa2048.der", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"stm_st33htphahe0_ca06.der", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"intel_glk_ecc_p256.der", TRUST_CHAIN_UNTRUSTED, TRUST_FINDING_ISSUER_UNKNOWN},
    {"gce_uca_tpm_rsa_enc_cert.pem", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"gce_pca_tpm_ecc_enc_cert.pem", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"gce_uca_tpm_ecc_sign_cert.pem", TRUST_CHAIN_INVALID, TRUST_FINDING_EK_KEY_USAGE},
    {"hirs_nuc_ek_with_tcg_header.bin", TRUST_CHAIN_INVALID, TRUST_FINDING_WEAK_SIGNATURE},
    {"hirs_nuc_ek_tpm12.der", TRUST_CHAIN_INVALID, TRUST_FINDING_WEAK_SIGNATURE},
};

static void real_certificates_get_the_expected_verdicts(void **state)
{
    (void)state;
    AUTO(trust) trust = real_trust();
    size_t count = sizeof real_outcomes / sizeof real_outcomes[0];
    json_t *list = real_json("ek-certificates/expected_certs.json");
    assert_int_equal(json_array_size(list), count);
    json_decref(list);
    for (size_t i = 0; i < count; i++) {
        char path[256];
        snprintf(path, sizeof path, "ek-certificates/%s", real_outcomes[i].file);
        AUTO(buf) sent = real_file(path);
        AUTO(ek) ek = NULL;
        assert_ok(ek_parse(buf_view(sent), EK_SOURCE_CERT, &ek));
        struct trust_verdict verdict;
        assert_ok(trust_evaluate(trust, ek, NULL, 0, world_now_ms, &verdict));
        if (verdict.chain != real_outcomes[i].chain ||
            verdict.finding != real_outcomes[i].finding) {
            fail_msg("%s: chain %d, %s", path, (int)verdict.chain,
                     trust_finding_name(verdict.finding));
        }
    }
}

static void real_certificates_without_roots_are_untrusted(void **state)
{
    (void)state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    AUTO(buf) sent = real_file("ek-certificates/ifx_slb9670_0728_ca007.der");
    AUTO(ek) ek = NULL;
    assert_ok(ek_parse(buf_view(sent), EK_SOURCE_CERT, &ek));
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, NULL, 0, world_now_ms, &verdict));
    assert_int_equal(verdict.chain, TRUST_CHAIN_UNTRUSTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ek_below_root_and_intermediate_is_trusted),
        cmocka_unit_test(ek_without_its_intermediate_is_untrusted),
        cmocka_unit_test(self_signed_ek_is_not_trusted),
        cmocka_unit_test(intermediate_from_the_node_completes_the_path),
        cmocka_unit_test(chain_behind_the_ek_certificate_completes_the_path),
        cmocka_unit_test(chain_of_more_than_eight_is_refused),
        cmocka_unit_test(root_from_the_node_counts_for_nothing),
        cmocka_unit_test(node_intermediates_past_a_limit_are_refused),
        cmocka_unit_test(every_finding_is_kept_and_has_a_name),
        cmocka_unit_test(missing_issuer_is_named_however_high),
        cmocka_unit_test(real_certificates_get_the_expected_verdicts),
        cmocka_unit_test(real_certificates_without_roots_are_untrusted),
    };
    return cmocka_run_group_tests(tests, world_make, world_end);
}
