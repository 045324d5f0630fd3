/* AgentAttestation documents: certificates, hashes, both; and what each error means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/fixture.h"

#include <stdio.h>
#include <string.h>

#define TOP "section: AgentAttestation\nschema: v1\nspec:\n  policies:\n"
#define NAMED(name) \
    "    - name: " name "\n      requiredAttestors:\n        - type: tpm_ek\n          config:\n"
#define CA                                        \
    "            caCerts: |\n"                    \
    "              -----BEGIN CERTIFICATE-----\n" \
    "              MIIBxTCCAWsCAQEwCgYIKoZI\n"    \
    "              -----END CERTIFICATE-----\n"
#define SECOND_CA                                 \
    "            caCerts: |\n"                    \
    "              # the second vendor\n"         \
    "              -----BEGIN CERTIFICATE-----\n" \
    "              AAECAwQFBgcICQ==\n"            \
    "              -----END CERTIFICATE-----\n"
#define HASHES(hash) "            allowedHashes:\n              - \"" hash "\"\n"

/* An EK that only its hash is known of. */
static struct policy_facts hashed_facts(void)
{
    struct policy_facts f = good_facts();
    f.ek_has_certificate = false;
    f.ek_chain_trusted = false;
    return f;
}

static void a_document_with_certificates_trusts_by_chain(void **state)
{
    (void)state;
    AUTO(policy) p = accepted(TOP NAMED("tpm_ek_policy") CA);
    assert_string_equal(p->name, "tpm_ek_policy");
    assert_int_equal(p->version, 1);
    assert_int_equal(p->trust, POLICY_TRUST_CHAIN);
    assert_true(p->ek_roots_only);
    assert_non_null(strstr((const char *)p->ek_roots->data, "MIIBxTCCAWsCAQEwCgYIKoZI"));
    assert_null(p->ek_intermediates);
    assert_true(p->require_quote); /* says only who is trusted; the rest is as by default */
    assert_null(policy_high_assurance_violation(p));
    struct policy_facts f = good_facts();
    assert_int_equal(evaluated(p, &f).result, POLICY_RESULT_PASS);
    f = hashed_facts();
    f.ek_hash_allowed = true; /* by a list that this document knows nothing of */
    assert_int_equal(evaluated(p, &f).result, POLICY_RESULT_FAIL);
}

static void a_document_with_hashes_trusts_these_chips_only(void **state)
{
    (void)state;
    AUTO(policy) p = accepted(TOP NAMED("chips") HASHES(E32));
    assert_int_equal(p->trust, POLICY_TRUST_HASH);
    assert_null(p->ek_roots);
    assert_int_equal(p->ek_allowed_hash_count, 1);
    assert_string_equal(p->ek_allowed_hashes[0], E32);
    struct policy_facts f = hashed_facts();
    assert_int_equal(evaluated(p, &f).result, POLICY_RESULT_PASS);
    f.ek_public_hash = C32;
    struct policy_verdict v = evaluated(p, &f);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
    assert_string_equal(err_reason(v.chain.reason), "ek_not_trusted");
    f.ek_has_certificate = f.ek_chain_trusted = true;
    assert_int_equal(evaluated(p, &f).result, POLICY_RESULT_FAIL);
}

static void a_document_with_both_trusts_either(void **state)
{
    (void)state;
    AUTO(policy) p = accepted(TOP NAMED("both") CA HASHES(E32));
    assert_int_equal(p->trust, POLICY_TRUST_CHAIN_OR_HASH);
    struct policy_facts f = good_facts();
    f.ek_public_hash = C32;
    assert_int_equal(evaluated(p, &f).result, POLICY_RESULT_PASS);
    f = hashed_facts();
    assert_int_equal(evaluated(p, &f).result, POLICY_RESULT_PASS);
}

static void any_of_several_policies_may_authorise(void **state)
{
    (void)state;
    AUTO(policy)
    p = accepted(TOP NAMED("a") CA NAMED("b") SECOND_CA HASHES(E32) NAMED("c") HASHES(C32));
    assert_string_equal(p->name, "AgentAttestation");
    assert_int_equal(p->trust, POLICY_TRUST_CHAIN_OR_HASH);
    assert_int_equal(p->ek_allowed_hash_count, 2);
    const char *roots = (const char *)p->ek_roots->data;
    assert_true(strstr(roots, "MIIBxTCC") && strstr(roots, "AAECAwQF"));
}

static void intermediates_are_kept_beside_the_roots(void **state)
{
    (void)state;
    AUTO(policy)
    p = accepted(TOP NAMED("a") CA "            intermediateCerts: |\n"
                                   "              -----BEGIN CERTIFICATE-----\n"
                                   "              AAECAwQFBgcICQ==\n"
                                   "              -----END CERTIFICATE-----\n");
    assert_non_null(strstr((const char *)p->ek_intermediates->data, "AAECAwQF"));
}

static void a_policy_that_asks_for_another_attestor_authorises_nobody(void **state)
{
    (void)state;
    static const char *const documents[] = {
        TOP "    - {name: k8s, requiredAttestors: [{type: k8s_psat, config: {anything: 1}}]}\n",
        TOP NAMED("a") CA "        - type: aws_iid\n",
    };
    struct policy_facts f = good_facts();
    for (size_t i = 0; i < 2; i++) {
        AUTO(policy) p = accepted(documents[i]);
        assert_null(p->ek_roots); /* lends none of its anchors */
        struct policy_verdict v = evaluated(p, &f);
        assert_int_equal(v.result, POLICY_RESULT_FAIL);
        assert_string_equal(err_reason(v.policy.reason), "no_policy_authorizes_attestors");
        assert_non_null(failure_of(&v, "policy.attestors"));
    }
    AUTO(policy)
    p = accepted(TOP "    - {name: k8s, requiredAttestors: [{type: k8s_psat}]}\n" NAMED("b") CA);
    assert_int_equal(evaluated(p, &f).result, POLICY_RESULT_PASS);
}

static void text_that_is_no_pem_is_refused_with_its_own_reason(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "'certificate'",
        "|\n              -----BEGIN CERTIFICATE-----\n",
        "|\n              -----BEGIN CERTIFICATE-----\n              -----END CERTIFICATE-----\n",
        "|\n              -----BEGIN CERTIFICATE-----\n              MIIBxTCCAW...\n"
        "              -----END CERTIFICATE-----\n",
        "|\n              -----BEGIN PUBLIC KEY-----\n              AAEC\n"
        "              -----END PUBLIC KEY-----\n",
        "[a]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char yaml[1024];
        snprintf(yaml, sizeof yaml, TOP NAMED("a") "            caCerts: %s\n", bad[i]);
        struct policy_problem problem = refused_as(yaml, E(CA_CERTS_NO_PEM));
        assert_string_equal(problem.path, "spec.policies[0].requiredAttestors[0].config.caCerts");
        assert_int_equal(problem.line, 9);
        snprintf(yaml, sizeof yaml, TOP NAMED("a") CA "            intermediateCerts: %s\n",
                 bad[i]);
        refused_as(yaml, E(INTERMEDIATE_CERTS_NO_PEM));
        snprintf(yaml, sizeof yaml, HEAD "ek:\n            roots: %s\n", bad[i]);
        refused_as(yaml, E(CA_CERTS_NO_PEM));
        snprintf(yaml, sizeof yaml, HEAD "ek:\n            intermediates: %s\n", bad[i]);
        refused_as(yaml, E(INTERMEDIATE_CERTS_NO_PEM));
    }
}

static void one_broken_certificate_among_good_ones_is_refused(void **state)
{
    (void)state;
    refused_as(TOP NAMED("a") CA "              -----BEGIN CERTIFICATE-----\n"
                                 "              !!!!\n"
                                 "              -----END CERTIFICATE-----\n",
               E(CA_CERTS_NO_PEM));
}

static void documents_that_mean_nothing_clear_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "section: AgentAttestation\n",
        "section: AgentAttestation\nschema: v1\n",
        "section: Other\nschema: v1\nspec: {policies: []}\n",
        "section: AgentAttestation\nschema: v2\nspec: {policies: []}\n",
        "section: AgentAttestation\nschema: v1\nspec: {policies: []}\n",
        "section: AgentAttestation\nschema: v1\nspec: {policies: [], more: 1}\n",
        "section: AgentAttestation\nschema: v1\nname: x\nspec: {policies: []}\n",
        TOP "    - {name: a}\n",
        TOP "    - {name: a, requiredAttestors: []}\n",
        TOP "    - {name: a, requiredAttestors: [{type: tpm_ek}]}\n",
        TOP "    - {name: a, requiredAttestors: [{config: {}}]}\n",
        TOP "    - {name: a, requiredAttestors: [{type: tpm_ek, config: {}}]}\n",
        TOP "    - {name: a, requiredAttestors: [{type: tpm_ek, config: {allowedHashes: []}}]}\n",
        TOP "    - {name: a, requiredAttestors: [{type: tpm_ek, config: {caCerts: ''}}]}\n",
        TOP
        "    - {name: a, requiredAttestors: [{type: tpm_ek, config: {allowedHashes: [a3f1]}}]}\n",
        TOP "    - {name: a, requiredAttestors: [{type: tpm_ek, config: {hashes: [" D32 "]}}]}\n",
        TOP "    - {requiredAttestors: [{type: tpm_ek, config: {allowedHashes: [" D32 "]}}]}\n",
        TOP NAMED("a") HASHES(D32) NAMED("a") HASHES(E32),
        TOP NAMED("a") HASHES(D32) "        - {type: tpm_ek, config: {allowedHashes: [" D32 "]}}\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refused(bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_with_certificates_trusts_by_chain),
        cmocka_unit_test(a_document_with_hashes_trusts_these_chips_only),
        cmocka_unit_test(a_document_with_both_trusts_either),
        cmocka_unit_test(any_of_several_policies_may_authorise),
        cmocka_unit_test(intermediates_are_kept_beside_the_roots),
        cmocka_unit_test(a_policy_that_asks_for_another_attestor_authorises_nobody),
        cmocka_unit_test(text_that_is_no_pem_is_refused_with_its_own_reason),
        cmocka_unit_test(one_broken_certificate_among_good_ones_is_refused),
        cmocka_unit_test(documents_that_mean_nothing_clear_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
