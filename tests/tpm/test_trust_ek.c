#include "cmocka_all.h"
#include "issue.h"
#include "trust_world.h"

#include <stdio.h>

static void ca_certificate_shown_as_ek_is_refused(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    struct issue_spec root = issue_root("Root", w->root_key);
    assert_invalid(world_judge(trust, &root), TRUST_FINDING_EK_IS_CA);

    /* Even one with the EK purpose, as some vendors' CAs have. */
    struct issue_spec ca = issue_ek(w->ek_key, "Inter", w->inter_key);
    ca.basic_constraints = "critical,CA:TRUE";
    assert_invalid(world_judge(trust, &ca), TRUST_FINDING_EK_IS_CA);

    struct issue_spec signer = issue_ek(w->ek_key, "Inter", w->inter_key);
    signer.basic_constraints = NULL;
    signer.key_usage = "critical,keyAgreement,keyCertSign";
    assert_invalid(world_judge(trust, &signer), TRUST_FINDING_EK_IS_CA);
}

static void web_server_certificate_under_the_same_root_is_refused(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    struct issue_spec spec = issue_ek(w->ek_rsa_key, "Inter", w->inter_key);
    spec.purposes = "serverAuth";
    spec.tpm_san = false;
    assert_invalid(world_judge(trust, &spec), TRUST_FINDING_EK_PURPOSE);
    spec.purposes = "serverAuth,clientAuth";
    spec.tpm_san = true;
    assert_invalid(world_judge(trust, &spec), TRUST_FINDING_EK_PURPOSE);
    spec.purposes = NULL;
    spec.tpm_san = false;
    assert_invalid(world_judge(trust, &spec), TRUST_FINDING_EK_PURPOSE);
    spec.purposes = "serverAuth,2.23.133.8.1";
    spec.key_usage = "critical,digitalSignature,keyEncipherment";
    assert_invalid(world_judge(trust, &spec), TRUST_FINDING_EK_KEY_USAGE);
}

static void certificate_without_purpose_needs_the_tpm_name_or_a_known_vendor(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    spec.purposes = NULL;
    assert_trusted(world_judge(trust, &spec));
    spec.tpm_san = false;
    assert_invalid(world_judge(trust, &spec), TRUST_FINDING_EK_PURPOSE);
    spec.extra_oid = "1.3.6.1.4.1.11129.2.1.21";
    assert_trusted(world_judge(trust, &spec));
}

static void key_usage_must_fit_the_key(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    struct {
        EVP_PKEY *key;
        const char *usage;
        bool good;
    } cases[] = {
        {w->ek_key, NULL, true},
        {w->ek_key, "keyAgreement", true},
        {w->ek_key, "keyEncipherment", true},
        {w->ek_key, "digitalSignature", false},
        {w->ek_key, "digitalSignature,keyAgreement", false},
        {w->ek_key, "dataEncipherment", false},
        {w->ek_rsa_key, NULL, true},
        {w->ek_rsa_key, "keyEncipherment", true},
        {w->ek_rsa_key, "keyAgreement", true}, /* as in Microsoft's Pluton */
        {w->ek_rsa_key, "digitalSignature,keyAgreement", false},
        {w->ek_rsa_key, "digitalSignature", false},
        {w->ek_rsa_key, "nonRepudiation,keyEncipherment", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct issue_spec spec = issue_ek(cases[i].key, "Inter", w->inter_key);
        spec.key_usage = cases[i].usage;
        struct trust_verdict verdict = world_judge(trust, &spec);
        if (cases[i].good) {
            assert_trusted(verdict);
        } else {
            assert_invalid(verdict, TRUST_FINDING_EK_KEY_USAGE);
        }
    }
}

static void expired_factory_certificate_is_accepted_and_shown(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    spec.from = Y2015;
    spec.until = Y2020;
    struct trust_verdict verdict = world_judge(trust, &spec);
    assert_trusted(verdict);
    assert_true(verdict.expired);
}

static void certificate_of_the_future_is_refused(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    uint64_t issued = (uint64_t)spec.from * 1000;
    assert_invalid(world_judge_at(trust, &spec, issued - 3600 * 1000),
                   TRUST_FINDING_EK_NOT_YET_VALID);
    assert_invalid(world_judge_at(trust, &spec, issued - 301 * 1000),
                   TRUST_FINDING_EK_NOT_YET_VALID);
    /* Clocks differ by minutes. */
    assert_trusted(world_judge_at(trust, &spec, issued - 299 * 1000));
    spec.until = spec.from - 1;
    assert_invalid(world_judge(trust, &spec), TRUST_FINDING_EK_VALIDITY);
}

static void unsupported_key_is_shown_and_never_trusted(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    world_add_mixed(trust, &root);
    EVP_PKEY *small = issue_rsa(1024);
    struct issue_spec spec = issue_ek(small, "Root", w->root_key);
    AUTO(buf) der = world_der(&spec);
    AUTO(ek) ek = NULL;
    assert_err(ek_parse(buf_view(der), EK_SOURCE_CERT, &ek), EK_KEY_UNSUPPORTED);
    assert_ok(ek_parse_for_display(buf_view(der), &ek));
    assert_null(ek->key);
    assert_string_equal(ek->model, "Test TPM");
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, NULL, 0, world_now_ms, &verdict));
    assert_true(verdict.findings & 1U << TRUST_FINDING_EK_KEY);
    assert_int_equal(verdict.chain, TRUST_CHAIN_INVALID);
    /* Nor when someone allows its hash. */
    char hash[2 * SHA256_BYTES + 1];
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        snprintf(hash + 2 * i, 3, "%02x", ek->spki_sha256[i]);
    }
    assert_ok(trust_allow_hash(trust, view_text(hash)));
    assert_ok(trust_evaluate(trust, ek, NULL, 0, world_now_ms, &verdict));
    assert_false(verdict.hash_allowed);
    assert_err(verdict.reason, EK_CHAIN_INVALID);
    EVP_PKEY_free(small);
}

static void key_usage_of_the_other_kind_of_key_is_a_quirk(void **state)
{
    struct trust_world *w = *state;
    struct issue_spec spec = issue_ek(w->ek_rsa_key, "Inter", w->inter_key);
    spec.key_usage = "critical,keyAgreement";
    AUTO(ek) rsa = world_ek(&spec);
    assert_int_equal(rsa->quirks, EK_QUIRK_RSA_AGREEMENT);
    spec.key_usage = "critical,keyAgreement,keyEncipherment";
    AUTO(ek) both = world_ek(&spec);
    assert_int_equal(both->quirks, 0);
    spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    spec.key_usage = "critical,keyEncipherment";
    AUTO(ek) ecc = world_ek(&spec);
    assert_int_equal(ecc->quirks, EK_QUIRK_ECC_ENCIPHERMENT);
}

static void certificate_of_an_older_version_is_refused(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    for (spec.version = 1; spec.version <= 2; spec.version++) {
        assert_invalid(world_judge(trust, &spec), TRUST_FINDING_EK_VERSION);
    }
    spec.version = 3;
    assert_trusted(world_judge(trust, &spec));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ca_certificate_shown_as_ek_is_refused),
        cmocka_unit_test(web_server_certificate_under_the_same_root_is_refused),
        cmocka_unit_test(certificate_without_purpose_needs_the_tpm_name_or_a_known_vendor),
        cmocka_unit_test(key_usage_must_fit_the_key),
        cmocka_unit_test(key_usage_of_the_other_kind_of_key_is_a_quirk),
        cmocka_unit_test(certificate_of_an_older_version_is_refused),
        cmocka_unit_test(expired_factory_certificate_is_accepted_and_shown),
        cmocka_unit_test(certificate_of_the_future_is_refused),
        cmocka_unit_test(unsupported_key_is_shown_and_never_trusted),
    };
    return cmocka_run_group_tests(tests, world_make, world_end);
}
