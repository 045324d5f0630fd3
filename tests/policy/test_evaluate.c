/* Facts against policy: every rule, in both modes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t value_a[32] = {0xaa};
static const uint8_t value_b[32] = {0xbb};
static const uint8_t value_c[48] = {0xcc};

static struct policy *standard(void)
{
    struct policy *p = NULL;
    assert_true(IS_OK(policy_new(&p)));
    return p;
}

/* A policy with golden values: PCR 7 of SHA-256 may be a or b, PCR 0 must be a. */
static struct policy *golden(enum policy_mode mode)
{
    struct policy *p = standard();
    p->mode = mode;
    p->pcr_values = calloc(3, sizeof *p->pcr_values);
    assert_non_null(p->pcr_values);
    p->pcr_values_count = 3;
    static const struct policy_pcr_value values[3] = {
        {.bank = "sha256", .index = 7, .digest_len = 32, .digest = {0xaa}},
        {.bank = "sha256", .index = 7, .digest_len = 32, .digest = {0xbb}},
        {.bank = "sha256", .index = 0, .digest_len = 32, .digest = {0xaa}},
    };
    memcpy(p->pcr_values, values, sizeof values);
    return p;
}

static struct policy_facts good_facts(void)
{
    return (struct policy_facts){
        .quoted = true, .ak_key = "P-384", .ek_has_certificate = true, .ek_chain_trusted = true};
}

static void assert_fails(const struct policy *p, const struct policy_facts *f, const char *rule,
                         struct policy_verdict *out_verdict)
{
    policy_evaluate(p, f, out_verdict);
    assert_int_equal(out_verdict->result, POLICY_RESULT_FAIL);
    assert_int_equal(out_verdict->failure_count, 1);
    assert_string_equal(out_verdict->failures[0].rule, rule);
    assert_true(strlen(out_verdict->failures[0].expected) > 0);
    assert_true(strlen(out_verdict->failures[0].actual) > 0);
}

static void assert_passes(const struct policy *p, const struct policy_facts *f)
{
    struct policy_verdict v;
    policy_evaluate(p, f, &v);
    if (v.result != POLICY_RESULT_PASS) {
        fail_msg("%s: expected %s, is %s", v.failures[0].rule, v.failures[0].expected,
                 v.failures[0].actual);
    }
    assert_int_equal(v.failure_count, 0);
    assert_false(v.more);
}

static void a_machine_that_proved_everything_passes(void **state)
{
    (void)state;
    AUTO(policy) p = standard();
    struct policy_facts f = good_facts();
    assert_passes(p, &f);
}

static void no_facts_at_all_fail_every_identity_rule(void **state)
{
    (void)state;
    AUTO(policy) p = standard();
    struct policy_facts f = {0};
    struct policy_verdict v;
    policy_evaluate(p, &f, &v);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
    assert_int_equal(v.failure_count, 3);
    assert_string_equal(v.failures[0].rule, "ek.trust");
    assert_string_equal(v.failures[1].rule, "ak.key");
    assert_string_equal(v.failures[2].rule, "quote.required");
}

/* Every combination of what can be known about an EK against every trust rule. */
static void ek_trust_follows_its_table(void **state)
{
    (void)state;
    static const struct {
        bool certificate, chain, hash;
        bool chain_or_hash, only_chain, only_hash, chain_and_hash;
    } rows[] = {
        {false, false, false, false, false, false, false},
        {false, false, true, true, false, true, false},
        {false, true, false, false, false, false, false}, /* a chain without a certificate is
                                                             nonsense */
        {false, true, true, true, false, true, false},
        {true, false, false, false, false, false, false},
        {true, false, true, true, false, true, false},
        {true, true, false, true, true, false, false},
        {true, true, true, true, true, true, true},
    };
    AUTO(policy) p = standard();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct policy_facts f = good_facts();
        f.ek_has_certificate = rows[i].certificate;
        f.ek_chain_trusted = rows[i].chain;
        f.ek_hash_allowed = rows[i].hash;
        const bool expected[] = {false, rows[i].chain_or_hash, rows[i].only_chain,
                                 rows[i].only_hash, rows[i].chain_and_hash};
        for (unsigned trust = POLICY_TRUST_NONE; trust <= POLICY_TRUST_CHAIN_AND_HASH; trust++) {
            p->trust = (enum policy_trust)trust;
            struct policy_verdict v;
            policy_evaluate(p, &f, &v);
            assert_int_equal(v.result, expected[trust] ? POLICY_RESULT_PASS : POLICY_RESULT_FAIL);
        }
    }
}

static void an_ek_without_a_certificate_passes_only_where_operators_decide(void **state)
{
    (void)state;
    AUTO(policy) p = standard();
    struct policy_facts f = good_facts();
    f.ek_has_certificate = false;
    f.ek_chain_trusted = false;
    struct policy_verdict v;
    assert_fails(p, &f, "ek.trust", &v);
    assert_non_null(strstr(v.failures[0].actual, "no certificate"));
    p->certificateless = POLICY_CERTIFICATELESS_PENDING;
    assert_passes(p, &f);
}

static void an_untrusted_certificate_never_counts_as_no_certificate(void **state)
{
    (void)state;
    AUTO(policy) p = standard();
    p->certificateless = POLICY_CERTIFICATELESS_PENDING;
    struct policy_facts f = good_facts();
    f.ek_chain_trusted = false;
    struct policy_verdict v;
    assert_fails(p, &f, "ek.trust", &v);
}

static void an_ak_of_another_type_fails(void **state)
{
    (void)state;
    AUTO(policy) p = standard();
    struct policy_facts f = good_facts();
    struct policy_verdict v;
    f.ak_key = "RSA-1024";
    assert_fails(p, &f, "ak.key", &v);
    assert_string_equal(v.failures[0].actual, "RSA-1024");
    assert_non_null(strstr(v.failures[0].expected, "P-384"));
    f.ak_key = NULL;
    assert_fails(p, &f, "ak.key", &v);
    f.ak_key = "P-256";
    assert_passes(p, &f);
    p->ak_keys_count = 1; /* P-384 */
    assert_fails(p, &f, "ak.key", &v);
}

static void a_missing_quote_fails_only_where_one_is_required(void **state)
{
    (void)state;
    AUTO(policy) p = standard();
    struct policy_facts f = good_facts();
    f.quoted = false;
    struct policy_verdict v;
    assert_fails(p, &f, "quote.required", &v);
    p->require_quote = false;
    assert_passes(p, &f);
}

static void any_of_the_accepted_values_passes(void **state)
{
    (void)state;
    AUTO(policy) p = golden(POLICY_MODE_ENFORCE);
    struct policy_facts f = good_facts();
    struct policy_pcr pcrs[] = {{"sha256", 0, {value_a, 32}}, {"sha256", 7, {value_a, 32}}};
    f.pcrs = pcrs;
    f.pcr_count = 2;
    assert_passes(p, &f);
    pcrs[1].digest.data = value_b;
    assert_passes(p, &f);
}

static void another_value_fails_and_both_are_shown(void **state)
{
    (void)state;
    AUTO(policy) p = golden(POLICY_MODE_ENFORCE);
    struct policy_facts f = good_facts();
    struct policy_pcr pcrs[] = {{"sha256", 0, {value_b, 32}}, {"sha256", 7, {value_b, 32}}};
    f.pcrs = pcrs;
    f.pcr_count = 2;
    struct policy_verdict v;
    assert_fails(p, &f, "pcr.sha256.0", &v);
    assert_memory_equal(v.failures[0].expected, "aa00", 4);
    assert_int_equal(strlen(v.failures[0].expected), 64);
    assert_memory_equal(v.failures[0].actual, "bb00", 4);
    assert_int_equal(strlen(v.failures[0].actual), 64);
}

static void a_pcr_with_several_values_fails_once(void **state)
{
    (void)state;
    AUTO(policy) p = golden(POLICY_MODE_ENFORCE);
    struct policy_facts f = good_facts();
    static const uint8_t zero[32] = {0};
    struct policy_pcr pcrs[] = {{"sha256", 0, {value_a, 32}}, {"sha256", 7, {zero, 32}}};
    f.pcrs = pcrs;
    f.pcr_count = 2;
    struct policy_verdict v;
    assert_fails(p, &f, "pcr.sha256.7", &v);
    assert_non_null(strstr(v.failures[0].expected, "1 other"));
}

static void a_value_in_another_bank_or_of_another_length_does_not_count(void **state)
{
    (void)state;
    AUTO(policy) p = golden(POLICY_MODE_ENFORCE);
    struct policy_facts f = good_facts();
    struct policy_verdict v;
    struct policy_pcr pcrs[] = {{"sha384", 0, {value_a, 32}}, {"sha256", 7, {value_a, 32}}};
    f.pcrs = pcrs;
    f.pcr_count = 2;
    assert_fails(p, &f, "pcr.sha256.0", &v);
    assert_string_equal(v.failures[0].actual, "no value");
    pcrs[0] = (struct policy_pcr){"sha256", 0, {value_c, 48}};
    assert_fails(p, &f, "pcr.sha256.0", &v);
    pcrs[0] = (struct policy_pcr){"sha256", 0, {value_a, 31}};
    assert_fails(p, &f, "pcr.sha256.0", &v);
    pcrs[0] = (struct policy_pcr){"sha256", 0, VIEW_EMPTY};
    assert_fails(p, &f, "pcr.sha256.0", &v);
}

static void values_that_were_not_sent_fail(void **state)
{
    (void)state;
    AUTO(policy) p = golden(POLICY_MODE_ENFORCE);
    struct policy_facts f = good_facts();
    struct policy_verdict v;
    policy_evaluate(p, &f, &v);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
    assert_int_equal(v.failure_count, 2);
}

static void values_without_a_quote_are_worth_nothing(void **state)
{
    (void)state;
    AUTO(policy) p = golden(POLICY_MODE_ENFORCE);
    struct policy_facts f = good_facts();
    struct policy_pcr pcrs[] = {{"sha256", 0, {value_a, 32}}, {"sha256", 7, {value_a, 32}}};
    f.pcrs = pcrs;
    f.pcr_count = 2;
    f.quoted = false;
    struct policy_verdict v;
    assert_fails(p, &f, "quote.required", &v);
}

static void telemetry_reports_a_wrong_pcr_without_failing(void **state)
{
    (void)state;
    AUTO(policy) p = golden(POLICY_MODE_TELEMETRY);
    struct policy_facts f = good_facts();
    struct policy_pcr pcrs[] = {{"sha256", 0, {value_b, 32}}, {"sha256", 7, {value_b, 32}}};
    f.pcrs = pcrs;
    f.pcr_count = 2;
    struct policy_verdict v;
    policy_evaluate(p, &f, &v);
    assert_int_equal(v.result, POLICY_RESULT_TELEMETRY);
    assert_int_equal(v.failure_count, 1);
    pcrs[0].digest.data = value_a;
    assert_passes(p, &f);
}

static void telemetry_never_excuses_identity_or_a_missing_quote(void **state)
{
    (void)state;
    AUTO(policy) p = golden(POLICY_MODE_TELEMETRY);
    struct policy_verdict v;
    struct policy_facts f = good_facts();
    f.ek_chain_trusted = false;
    policy_evaluate(p, &f, &v);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
    f = good_facts();
    f.ak_key = "P-192";
    policy_evaluate(p, &f, &v);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
    f = good_facts();
    f.quoted = false;
    policy_evaluate(p, &f, &v);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
}

static void more_failures_than_fit_are_counted_as_more(void **state)
{
    (void)state;
    AUTO(policy) p = standard();
    p->pcr_values = calloc(48, sizeof *p->pcr_values);
    assert_non_null(p->pcr_values);
    p->pcr_values_count = 48;
    for (size_t i = 0; i < 48; i++) {
        p->pcr_values[i] = (struct policy_pcr_value){.index = (uint8_t)(i % 24), .digest_len = 32};
        snprintf(p->pcr_values[i].bank, sizeof p->pcr_values[i].bank, "%s",
                 i < 24 ? "sha256" : "sha384");
    }
    struct policy_facts f = good_facts();
    struct policy_verdict v;
    policy_evaluate(p, &f, &v);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
    assert_int_equal(v.failure_count, POLICY_FAILURES_MAX);
    assert_true(v.more);
}

static void results_have_the_names_of_the_wire(void **state)
{
    (void)state;
    assert_string_equal(policy_result_name(POLICY_RESULT_NONE), "not_evaluated");
    assert_string_equal(policy_result_name(POLICY_RESULT_PASS), "pass");
    assert_string_equal(policy_result_name(POLICY_RESULT_FAIL), "fail");
    assert_string_equal(policy_result_name(POLICY_RESULT_TELEMETRY), "telemetry");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_that_proved_everything_passes),
        cmocka_unit_test(no_facts_at_all_fail_every_identity_rule),
        cmocka_unit_test(ek_trust_follows_its_table),
        cmocka_unit_test(an_ek_without_a_certificate_passes_only_where_operators_decide),
        cmocka_unit_test(an_untrusted_certificate_never_counts_as_no_certificate),
        cmocka_unit_test(an_ak_of_another_type_fails),
        cmocka_unit_test(a_missing_quote_fails_only_where_one_is_required),
        cmocka_unit_test(any_of_the_accepted_values_passes),
        cmocka_unit_test(another_value_fails_and_both_are_shown),
        cmocka_unit_test(a_pcr_with_several_values_fails_once),
        cmocka_unit_test(a_value_in_another_bank_or_of_another_length_does_not_count),
        cmocka_unit_test(values_that_were_not_sent_fail),
        cmocka_unit_test(values_without_a_quote_are_worth_nothing),
        cmocka_unit_test(telemetry_reports_a_wrong_pcr_without_failing),
        cmocka_unit_test(telemetry_never_excuses_identity_or_a_missing_quote),
        cmocka_unit_test(more_failures_than_fit_are_counted_as_more),
        cmocka_unit_test(results_have_the_names_of_the_wire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
