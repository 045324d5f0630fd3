/* Policy documents: what is accepted, what is refused, and where the refusal points. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "policy/policy.h"

#include <stdio.h>
#include <string.h>

#define HEAD "name: test\nversion: 3\n"
#define D32  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define E32  "BBbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct policy *accepted(const char *yaml)
{
    struct policy *policy = NULL;
    struct policy_problem problem;
    err_t e = policy_parse(view_text(yaml), &policy, &problem);
    if (!IS_OK(e)) {
        fail_msg("%u:%u %s: %s", problem.line, problem.column, problem.path, problem.text);
    }
    return policy;
}

static struct policy_problem refused(const char *yaml)
{
    struct policy *policy = NULL;
    struct policy_problem problem;
    err_t e = policy_parse(view_text(yaml), &policy, &problem);
    if (IS_OK(e)) {
        fail_msg("accepted: %s", yaml);
    }
    assert_true(IS_E(e, POLICY_INVALID));
    assert_null(policy);
    assert_true(strlen(problem.text) > 0);
    return problem;
}

static void assert_same(const struct policy *a, const struct policy *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->mode, b->mode);
    assert_int_equal(a->trust, b->trust);
    assert_int_equal(a->certificateless, b->certificateless);
    assert_int_equal(a->require_quote, b->require_quote);
    assert_int_equal(a->pcr_selection_count, b->pcr_selection_count);
    assert_memory_equal(a->pcr_selection, b->pcr_selection, sizeof a->pcr_selection);
    assert_int_equal(a->ak_keys_count, b->ak_keys_count);
    assert_memory_equal(a->ak_keys, b->ak_keys, sizeof a->ak_keys);
    assert_int_equal(a->pcr_values_count, b->pcr_values_count);
}

static void the_shipped_default_is_what_policy_new_gives(void **state)
{
    (void)state;
    AUTO(buf) text = NULL;
    assert_true(IS_OK(fd_read_file(ITL_SOURCE_DIR "/policy/defaults/identity-and-quote.yaml",
                                   POLICY_FILE_MAX_BYTES, &text)));
    struct policy *shipped = NULL;
    struct policy_problem problem;
    assert_true(IS_OK(policy_parse(buf_view(text), &shipped, &problem)));
    AUTO(policy) built_in = NULL;
    assert_true(IS_OK(policy_new(&built_in)));
    assert_same(shipped, built_in);
    policy_free(shipped);
}

static void the_default_never_asks_for_pcr_1(void **state)
{
    (void)state;
    AUTO(policy) p = NULL;
    assert_true(IS_OK(policy_new(&p)));
    assert_int_equal(p->pcr_selection_count, 1);
    assert_string_equal(p->pcr_selection[0].bank, "sha256");
    assert_int_equal(p->pcr_selection[0].mask, 0x95);
    assert_null(policy_high_assurance_violation(p));
}

static void every_key_is_kept(void **state)
{
    (void)state;
    AUTO(policy)
    p = accepted(HEAD "mode: telemetry\n"
                      "ek: {trust: chain_and_hash, certificateless: pending}\n"
                      "ak: {keys: [RSA-2048, P-384]}\n"
                      "quote:\n"
                      "  required: true\n"
                      "  pcr_selection: {sha384: [23, 0], sha256: [7]}\n"
                      "  pcr_values:\n"
                      "    sha256: {'7': [" D32 ", " E32 "]}\n");
    assert_string_equal(p->name, "test");
    assert_int_equal(p->version, 3);
    assert_int_equal(p->mode, POLICY_MODE_TELEMETRY);
    assert_int_equal(p->trust, POLICY_TRUST_CHAIN_AND_HASH);
    assert_int_equal(p->certificateless, POLICY_CERTIFICATELESS_PENDING);
    assert_int_equal(p->ak_keys_count, 2);
    assert_string_equal(p->ak_keys[0], "RSA-2048");
    assert_int_equal(p->pcr_selection_count, 2);
    assert_string_equal(p->pcr_selection[0].bank, "sha384");
    assert_int_equal(p->pcr_selection[0].mask, 1u << 23 | 1u);
    assert_int_equal(p->pcr_values_count, 2);
    assert_string_equal(p->pcr_values[0].bank, "sha256");
    assert_int_equal(p->pcr_values[0].index, 7);
    assert_int_equal(p->pcr_values[0].digest_len, 32);
    assert_int_equal(p->pcr_values[0].digest[31], 0xaa);
    assert_int_equal(p->pcr_values[1].digest[0], 0xbb);
}

static void each_trust_rule_has_its_word(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        enum policy_trust trust;
    } cases[] = {
        {"chain_or_hash", POLICY_TRUST_CHAIN_OR_HASH},
        {"chain", POLICY_TRUST_CHAIN},
        {"hash", POLICY_TRUST_HASH},
        {"chain_and_hash", POLICY_TRUST_CHAIN_AND_HASH},
    };
    for (size_t i = 0; i < 4; i++) {
        char yaml[128];
        snprintf(yaml, sizeof yaml, HEAD "ek: {trust: %s}\n", cases[i].word);
        AUTO(policy) p = accepted(yaml);
        assert_int_equal(p->trust, cases[i].trust);
    }
}

static void a_fault_is_shown_with_line_column_and_path(void **state)
{
    (void)state;
    struct policy_problem problem = refused(HEAD "quote:\n  pcr_selection:\n    sha256: [0, 24]\n");
    assert_int_equal(problem.line, 5);
    assert_int_equal(problem.column, 17);
    assert_string_equal(problem.path, "quote.pcr_selection.sha256[1]");
    problem = refused(HEAD "quote: {requird: true}\n");
    assert_int_equal(problem.line, 3);
    assert_string_equal(problem.path, "quote.requird");
}

static void documents_that_mean_nothing_clear_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "[]\n",
        "name: x\n",
        "version: 1\n",
        "name: x\nversion: 0\n",
        "name: ''\nversion: 1\n",
        HEAD "version: 4\n",
        HEAD "mode: off\n",
        HEAD "mode: &a enforce\n",
        HEAD "ek: {trust: any}\n",
        HEAD "ek: {trust: ''}\n",
        HEAD "ek: {trust: [chain]}\n",
        HEAD "ek: {certificateless: accept}\n",
        HEAD "ek:\n",
        HEAD "ek.trust: chain\n",
        HEAD "ak: {keys: []}\n",
        HEAD "ak: {keys: P-384}\n",
        HEAD "ak: {keys: [P-384, P-384]}\n",
        HEAD "ak: {keys: [P-192]}\n",
        HEAD "ak: {keys: [P-384, P-256, P-521, RSA-2048, RSA-3072, RSA-4096, P-384]}\n",
        HEAD "quote: {required: yes}\n",
        HEAD "quote: {pcr_selection: {}}\n",
        HEAD "quote: {pcr_selection: {sha1: [0]}}\n",
        HEAD "quote: {pcr_selection: {sha256: []}}\n",
        HEAD "quote: {pcr_selection: {sha256: [-1]}}\n",
        HEAD "quote: {pcr_selection: {sha256: [0, 0]}}\n",
        HEAD "quote: {pcr_selection: [0, 7]}\n",
        HEAD "quote: {pcr_values: {sha1: {0: [" D32 "]}}}\n",
        HEAD "quote: {pcr_values: {sha256: {0: []}}}\n",
        HEAD "quote: {pcr_values: {sha256: {0: " D32 "}}}\n",
        HEAD "quote: {pcr_values: {sha256: {0: [" D32 "aa]}}}\n",
        HEAD "quote: {pcr_values: {sha256: {0: [x" D32 "]}}}\n",
        HEAD "quote: {pcr_values: {sha256: {0: "
             "[zaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]}}}\n",
        HEAD "quote: {pcr_values: {sha256: {0: [" D32 ", " D32 "]}}}\n",
        HEAD "quote: {pcr_values: {sha256: {24: [" D32 "]}}}\n",
        HEAD "quote: {pcr_values: {sha256: {'': [" D32 "]}}}\n",
        HEAD "quote: {pcr_values: {sha256: {07: [" D32 "]}}}\n",
        HEAD "quote: {pcr_values: {sha256: {x: [" D32 "]}}}\n",
        HEAD "quote: {pcr_values: {sha384: {0: [" D32 "]}}}\n",
        HEAD "caCerts: []\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refused(bad[i]);
    }
}

static void values_of_a_pcr_that_is_not_quoted_are_refused(void **state)
{
    (void)state;
    struct policy_problem problem = refused(HEAD "quote: {pcr_values: {sha256: {1: [" D32 "]}}}\n");
    assert_non_null(strstr(problem.text, "PCR 1"));
    refused(HEAD "quote: {pcr_selection: {sha384: [7]}, pcr_values: {sha256: {7: [" D32 "]}}}\n");
}

static void values_without_a_required_quote_are_refused(void **state)
{
    (void)state;
    refused(HEAD "quote: {required: false, pcr_values: {sha256: {7: [" D32 "]}}}\n");
}

static void more_values_than_the_limit_are_refused(void **state)
{
    (void)state;
    AUTO(buf) yaml = NULL;
    assert_true(IS_OK(buf_new(POLICY_FILE_MAX_BYTES, &yaml)));
    assert_true(IS_OK(buf_put_text(yaml, HEAD "quote:\n  pcr_values:\n    sha256:\n      7:\n")));
    for (unsigned i = 0; i < POLICY_PCR_VALUES_MAX; i++) {
        assert_true(IS_OK(buf_printf(yaml, "      - \"%064x\"\n", i)));
    }
    struct policy *p = NULL;
    struct policy_problem problem;
    assert_true(IS_OK(policy_parse(buf_view(yaml), &p, &problem)));
    assert_int_equal(p->pcr_values_count, POLICY_PCR_VALUES_MAX);
    policy_free(p);
    p = NULL;
    assert_true(IS_OK(buf_printf(yaml, "      - \"%064x\"\n", POLICY_PCR_VALUES_MAX)));
    assert_true(IS_E(policy_parse(buf_view(yaml), &p, &problem), POLICY_INVALID));
    assert_null(p);
}

static void each_weaker_policy_violates_high_assurance(void **state)
{
    (void)state;
    static const char *const weak[][2] = {
        {HEAD "quote: {required: false}\n", "quote.required"},
        {HEAD "ek: {certificateless: pending}\n", "ek.certificateless"},
        {HEAD "mode: telemetry\n", "mode"},
    };
    for (size_t i = 0; i < 3; i++) {
        AUTO(policy) p = accepted(weak[i][0]);
        const char *why = policy_high_assurance_violation(p);
        assert_non_null(why);
        assert_memory_equal(why, weak[i][1], strlen(weak[i][1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_default_is_what_policy_new_gives),
        cmocka_unit_test(the_default_never_asks_for_pcr_1),
        cmocka_unit_test(every_key_is_kept),
        cmocka_unit_test(each_trust_rule_has_its_word),
        cmocka_unit_test(a_fault_is_shown_with_line_column_and_path),
        cmocka_unit_test(documents_that_mean_nothing_clear_are_refused),
        cmocka_unit_test(values_of_a_pcr_that_is_not_quoted_are_refused),
        cmocka_unit_test(values_without_a_required_quote_are_refused),
        cmocka_unit_test(more_values_than_the_limit_are_refused),
        cmocka_unit_test(each_weaker_policy_violates_high_assurance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
