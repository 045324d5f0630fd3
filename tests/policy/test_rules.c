/* Event-log rules: each comparison, satisfied and not, and what proves a claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/fixture.h"

#include <stdio.h>
#include <string.h>

#define LOG HEAD "event_log:\n  required: true\n  rules:\n    - "

/* The document with this one rule. */
static const char *with_rule(const char *rule)
{
    static char yaml[4096];
    snprintf(yaml, sizeof yaml, LOG "{name: the-rule, %s}\n", rule);
    return yaml;
}

struct row {
    const char *rule;
    bool holds;
};

static void assert_rows(const struct row *rows, size_t count)
{
    struct policy_facts f = good_facts();
    for (size_t i = 0; i < count; i++) {
        if (rows[i].holds) {
            assert_passes(with_rule(rows[i].rule), &f);
        } else {
            struct policy_verdict v = assert_fails(with_rule(rows[i].rule), &f, "the-rule");
            assert_string_equal(err_reason(v.policy.reason), "event_log_policy_mismatch");
        }
    }
}
#define ASSERT_ROWS(rows) assert_rows((rows), sizeof(rows) / sizeof(rows)[0])

static void equals_wants_this_value_and_no_other(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"claim: secure_boot.enabled, equals: 'true'", true},
        {"claim: secure_boot.enabled, equals: true", true},
        {"claim: secure_boot.enabled, equals: 'false'", false},
        {"claim: secure_boot.enabled, equals: 'TRUE'", false},
        {"claim: secure_boot.enabled, equals: 'tru'", false},
        {"claim: secure_boot.db, equals: 'x509:sha256:" D32 "'", false}, /* and another one */
        {"claim: secure_boot.db_default, equals: 'x'", false},           /* missing */
    };
    ASSERT_ROWS(rows);
}

static void one_of_wants_one_value_from_the_list(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"claim: firmware.crtm_version, one_of: [N3AET80W, N3AET79W]", true},
        {"claim: firmware.crtm_version, one_of: [N3AET79W]", false},
        {"claim: secure_boot.db, one_of: ['x509:sha256:" D32 "', 'x509:sha256:" E32 "']", false},
        {"claim: secure_boot.dbt, one_of: [x]", false},
    };
    ASSERT_ROWS(rows);
}

static void contains_wants_each_listed_value(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"claim: secure_boot.dbx, contains: 'sha256:" D32 "'", true},
        {"claim: secure_boot.dbx, contains_all: ['sha256:" C32 "', 'sha256:" D32 "']", true},
        {"claim: secure_boot.dbx, contains_all: ['sha256:" C32 "', 'sha256:00']", false},
        {"claim: secure_boot.dbx, contains: 'sha256:00'", false},
        {"claim: secure_boot.dbt, contains: 'sha256:00'", false},
    };
    ASSERT_ROWS(rows);
}

static void a_digest_may_be_written_in_upper_case(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"claim: secure_boot.dbx, contains: 'sha256:"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'",
         true},
        {"claim: secure_boot.enabled, equals: 'True'", false}, /* only digests */
    };
    ASSERT_ROWS(rows);
    struct policy_problem problem =
        refused(with_rule("claim: secure_boot.dbx, contains_all: ['sha256:" D32 "', 'sha256:"
                          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA']"));
    assert_non_null(strstr(problem.text, "twice"));
}

static void subset_of_tolerates_nothing_beyond_the_list(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"claim: boot.application, subset_of: ['sha256:" D32 "', 'sha256:" E32 "', 'sha256:" C32
         "']",
         true},
        {"claim: boot.application, subset_of: ['sha256:" D32 "']", false},
        {"claim: boot.driver, subset_of: ['sha256:" D32 "']", false},
    };
    ASSERT_ROWS(rows);
}

static void excludes_wants_values_but_none_of_the_list(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"claim: boot.application, excludes: ['sha256:" C32 "']", true},
        {"claim: boot.application, excludes: ['sha256:" C32 "', 'sha256:" E32 "']", false},
        {"claim: boot.driver, excludes: ['sha256:" C32 "']", false},
    };
    ASSERT_ROWS(rows);
}

static void absent_is_the_only_one_that_a_missing_claim_satisfies(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"claim: firmware.debug_mode, absent: true", true},
        {"claim: secure_boot.enabled, absent: true", false},
        {"claim: firmware.debug_mode, matches: '*'", false},
        {"claim: firmware.debug_mode, at_least: 1", false},
    };
    ASSERT_ROWS(rows);
}

static void matches_knows_stars_and_question_marks(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"claim: firmware.crtm_version, matches: 'N3AET*'", true},
        {"claim: firmware.crtm_version, matches: 'N3AET8?W'", true},
        {"claim: firmware.crtm_version, matches: '*'", true},
        {"claim: firmware.crtm_version, matches: '*80*W'", true},
        {"claim: firmware.crtm_version, matches: 'N3AET8?'", false},
        {"claim: firmware.crtm_version, matches: 'n3aet*'", false},
        {"claim: secure_boot.db, matches: 'x509:*'", true},
        {"claim: secure_boot.db, matches: '*aaa'", false}, /* each value must */
        {"claim: firmware.crtm_version, matches: '*a*b*c*d*e*f*g*'", false},
    };
    ASSERT_ROWS(rows);
}

static void at_least_counts_values(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"claim: secure_boot.dbx, at_least: 3", true},
        {"claim: secure_boot.dbx, at_least: 4", false},
    };
    ASSERT_ROWS(rows);
}

static void claims_of_the_ek_come_from_its_certificate(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"claim: tpm_ek.model, matches: 'NPCT7*'", true},
        {"claim: tpm_ek.manufacturer, equals: 'id:4E544300'", true},
        {"claim: tpm_ek.version, equals: 'id:00070002'", true},
        {"claim: tpm_ek.serial_number, equals: '0123ab'", true},
        {"claim: tpm_ek.public_hash, equals: '" E32 "'", true},
        {"claim: tpm_ek.model, equals: SLB9670", false},
    };
    ASSERT_ROWS(rows);
}

static void a_certificate_that_leads_nowhere_claims_nothing(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.ek_chain_trusted = false;
    f.ek_hash_allowed = true;
    assert_fails(with_rule("claim: tpm_ek.model, equals: NPCT75x"), &f, "the-rule");
    assert_passes(with_rule("claim: tpm_ek.public_hash, equals: '" E32 "'"), &f);
}

static void a_log_can_not_speak_for_the_ek(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.ek_model = "SLB9670";
    struct policy_claim claims[] = {{"tpm_ek.model", view_text("NPCT75x"), 1u << 7}};
    f.claims = claims;
    f.claim_count = 1;
    assert_fails(with_rule("claim: tpm_ek.model, equals: NPCT75x"), &f, "the-rule");
    assert_passes(with_rule("claim: tpm_ek.model, equals: SLB9670"), &f);
}

static void a_claim_counts_only_when_its_pcr_replays(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.log_replays &= ~(1u << 7);
    f.log_differs = 1u << 7;
    static const char yaml[] =
        HEAD "event_log:\n  required: true\n  must_replay: [0, 4]\n  rules:\n"
             "    - {name: the-rule, claim: secure_boot.enabled, equals: 'true'}\n"
             "    - {name: other, claim: boot.application, at_least: 2}\n";
    struct policy_verdict v = assert_fails(yaml, &f, "the-rule");
    assert_non_null(strstr(v.failures[0].actual, "PCR 7"));
    assert_int_equal(v.replay.outcome, POLICY_OUTCOME_PASS); /* 7 was not asked for */
}

static void absence_is_not_proved_by_a_log_that_does_not_replay(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.log_replays &= ~(1u << 7);
    assert_fails(with_rule("claim: firmware.debug_mode, absent: true"), &f, "the-rule");
}

static void a_pcr_that_both_replays_and_differs_is_not_believed(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.log_differs = 1u << 7;
    assert_fails(HEAD "event_log:\n  required: true\n  must_replay: [4]\n  rules:\n"
                      "    - {name: the-rule, claim: secure_boot.enabled, equals: 'true'}\n",
                 &f, "the-rule");
}

static void a_claim_from_another_pcr_is_not_seen(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    struct policy_claim claims[] = {{"secure_boot.enabled", view_text("true"), 1u << 10},
                                    {"secure_boot.enabled", view_text("false"), 1u << 7}};
    f.claims = claims;
    f.claim_count = 2;
    assert_fails(with_rule("claim: secure_boot.enabled, equals: 'true'"), &f, "the-rule");
    assert_passes(with_rule("claim: secure_boot.enabled, equals: 'false'"), &f);
    f.claim_count = 1;
    assert_fails(with_rule("claim: secure_boot.enabled, equals: 'true'"), &f, "the-rule");
}

static void a_claim_whose_pcr_is_not_known_counts_by_the_rules_pcr(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    struct policy_claim claims[] = {{"secure_boot.enabled", view_text("true"), 0}};
    f.claims = claims;
    f.claim_count = 1;
    assert_passes(with_rule("claim: secure_boot.enabled, equals: 'true'"), &f);
}

static void a_log_cut_short_proves_only_what_is_there(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.claims_truncated = true;
    assert_passes(with_rule("claim: secure_boot.dbx, contains: 'sha256:" D32 "'"), &f);
    assert_passes(with_rule("claim: secure_boot.dbx, at_least: 3"), &f);
    static const char *const unknown[] = {
        "claim: secure_boot.enabled, equals: 'true'", "claim: firmware.debug_mode, absent: true",
        "claim: boot.application, excludes: ['sha256:" C32 "']",
        "claim: firmware.crtm_version, matches: '*'", "claim: secure_boot.dbx, at_least: 4"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        struct policy_verdict v = assert_fails(with_rule(unknown[i]), &f, "the-rule");
        assert_non_null(strstr(v.failures[0].actual, "more than is kept"));
    }
    assert_passes(with_rule("claim: tpm_ek.model, equals: NPCT75x"), &f); /* not from the log */
}

static void more_claims_than_are_looked_at_count_as_cut_short(void **state)
{
    (void)state;
    static struct policy_claim many[POLICY_CLAIMS_MAX + 1];
    for (size_t i = 0; i <= POLICY_CLAIMS_MAX; i++) {
        many[i] = (struct policy_claim){"secure_boot.dbx", view_text("sha256:" D32), 1u << 7};
    }
    struct policy_facts f = good_facts();
    f.claims = many;
    f.claim_count = POLICY_CLAIMS_MAX;
    assert_passes(with_rule("claim: secure_boot.dbx, subset_of: ['sha256:" D32 "']"), &f);
    assert_passes(with_rule("claim: secure_boot.dbx, at_least: 4096"), &f);
    f.claim_count = POLICY_CLAIMS_MAX + 1;
    assert_fails(with_rule("claim: secure_boot.dbx, subset_of: ['sha256:" D32 "']"), &f,
                 "the-rule");
}

static void without_a_log_every_rule_says_so(void **state)
{
    (void)state;
    static const char yaml[] =
        HEAD "event_log:\n  rules:\n"
             "    - {name: the-rule, claim: firmware.debug_mode, absent: true}\n";
    struct policy_facts f = good_facts();
    f.event_log = POLICY_LOG_ABSENT;
    struct policy_verdict v = assert_fails(yaml, &f, "the-rule");
    assert_non_null(strstr(v.failures[0].actual, "no event log"));
    assert_int_equal(v.replay.outcome, POLICY_OUTCOME_NOT_EVALUATED);
}

static void expected_and_actual_are_shown(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *expected, *actual;
    } rows[] = {
        {"claim: secure_boot.enabled, equals: 'false'", "secure_boot.enabled is false", "true"},
        {"claim: firmware.crtm_version, one_of: [a, b]", "firmware.crtm_version is one of 2 values",
         "N3AET80W"},
        {"claim: boot.application, subset_of: ['sha256:" D32 "']", "nothing beyond 1",
         "sha256:" E32 ", among 2 values"},
        {"claim: secure_boot.dbx, contains_all: ['sha256:" D32 "', 'sha256:00']",
         "secure_boot.dbx has sha256:00", "3 values, not that"},
        {"claim: boot.application, excludes: ['sha256:" E32 "']", "none of 1 values",
         "sha256:" E32},
        {"claim: secure_boot.enabled, absent: true", "no secure_boot.enabled", "true"},
        {"claim: secure_boot.dbx, at_least: 9", "9 values or more", "3 values"},
        {"claim: firmware.crtm_version, matches: 'x*'", "is like x*", "N3AET80W"},
        {"claim: boot.driver, equals: x", "boot.driver is x", "the claim is missing"},
    };
    struct policy_facts f = good_facts();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct policy_verdict v = assert_fails(with_rule(rows[i].rule), &f, "the-rule");
        assert_non_null(strstr(v.failures[0].expected, rows[i].expected));
        assert_non_null(strstr(v.failures[0].actual, rows[i].actual));
    }
}

static void what_a_log_says_is_shown_as_printable_text_only(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    char value[600];
    memset(value, 'x', sizeof value);
    memcpy(value, "a\nb\x1b[2J\xff", 8);
    struct policy_claim claims[] = {{"secure_boot.enabled", view_of(value, sizeof value), 0}};
    f.claims = claims;
    f.claim_count = 1;
    struct policy_verdict v =
        assert_fails(with_rule("claim: secure_boot.enabled, equals: 'true'"), &f, "the-rule");
    assert_memory_equal(v.failures[0].actual, "a?b?[2J?x", 9);
    assert_true(strlen(v.failures[0].actual) < POLICY_VALUE_SIZE);
}

static void a_rule_of_severity_telemetry_reports_and_refuses_nothing(void **state)
{
    (void)state;
    AUTO(policy)
    p = accepted(with_rule("claim: secure_boot.enabled, equals: 'false', severity: telemetry"));
    struct policy_facts f = good_facts();
    struct policy_verdict v = evaluated(p, &f);
    assert_int_equal(v.result, POLICY_RESULT_TELEMETRY);
    assert_int_equal(v.policy.outcome, POLICY_OUTCOME_PASS);
    assert_int_equal(v.failure_count, 1);
    assert_true(v.failures[0].telemetry);
    assert_true(v.gates.config && v.gates.certificates && v.gates.secrets);
}

static void rules_that_mean_nothing_clear_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *text;
    } bad[] = {
        {"claim: secure_boot.enabled", "expected a comparison"},
        {"equals: x", "claim is required"},
        {"claim: secure_boot.enabled, equals: a, one_of: [b]", "one comparison"},
        {"claim: secure_boot.enabled, equals: ''", "expected a text"},
        {"claim: secure_boot.enabled, equals: [a]", "expected a text"},
        {"claim: secure_boot.enabled, one_of: []", "one item at least"},
        {"claim: secure_boot.enabled, one_of: a", "expected a list"},
        {"claim: secure_boot.enabled, one_of: [a, b, a]", "twice"},
        {"claim: secure_boot.enabled, absent: false", "at_least: 1"},
        {"claim: secure_boot.enabled, at_least: 0", "expected a number"},
        {"claim: secure_boot.enabled, at_least: 4097", "expected a number"},
        {"claim: Secure Boot, equals: a", "name of a claim"},
        {"claim: secure_boot.enabled, equals: a, severity: loud", "expected one of"},
        {"claim: secure_boot.enabled, equals: a, gate: door", "expected config"},
        {"claim: secure_boot.enabled, equals: a, gate: secrets.disk", "expected config"},
        {"claim: secure_boot.enabled, equals: a, pcrs: [24]", "expected a number"},
        {"claim: secure_boot.enabled, equals: a, pcrs: [9]", "PCR 9 proves"},
        {"claim: secure_boot.mok_list, absent: true", "PCR 14 proves"},
        {"claim: kernel.command_line, equals: a", "not known which PCR"},
        {"claim: firmwre.debug_mode, absent: true", "check its name"},
        {"claim: tpm_ek.model, equals: a, pcrs: [7]", "no PCR"},
        {"claim: secure_boot.enabled, equal: a", "no such setting"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct policy_problem problem = refused(with_rule(bad[i].rule));
        if (!strstr(problem.text, bad[i].text)) {
            fail_msg("%s: %s", bad[i].rule, problem.text);
        }
        assert_int_equal(problem.line, 6);
        assert_true(problem.column > 1);
        assert_memory_equal(problem.path, "event_log.rules[0]", 18);
    }
}

static void two_rules_of_one_name_are_refused(void **state)
{
    (void)state;
    struct policy_problem problem =
        refused(LOG "{name: a, claim: secure_boot.enabled, equals: x}\n"
                    "    - {name: a, claim: secure_boot.pk, at_least: 1}\n");
    assert_string_equal(problem.path, "event_log.rules[1].name");
    assert_int_equal(problem.line, 7);
    refused(with_rule("name: again, claim: secure_boot.pk, at_least: 1"));
    refused(LOG "{name: 'a.b', claim: secure_boot.enabled, equals: x}\n");
    refused(LOG "{name: -a, claim: secure_boot.enabled, equals: x}\n");
    refused(LOG "{claim: secure_boot.enabled, equals: x}\n");
}

static void more_rules_than_the_limit_are_refused(void **state)
{
    (void)state;
    for (unsigned count = POLICY_RULES_MAX; count <= POLICY_RULES_MAX + 1; count++) {
        AUTO(buf) yaml = NULL;
        assert_true(IS_OK(buf_new(POLICY_FILE_MAX_BYTES, &yaml)));
        assert_true(IS_OK(buf_put_text(yaml, HEAD "event_log:\n  rules:\n")));
        for (unsigned i = 0; i < count; i++) {
            assert_true(IS_OK(buf_printf(
                yaml, "    - {name: r%u, claim: secure_boot.x%u, absent: true}\n", i, i)));
        }
        assert_true(IS_OK(buf_put_u8(yaml, '\0')));
        if (count == POLICY_RULES_MAX) {
            AUTO(policy) p = accepted((const char *)yaml->data);
            assert_int_equal(p->rules.count, POLICY_RULES_MAX);
            assert_int_equal(p->claim_names.count, POLICY_RULES_MAX);
        } else {
            refused((const char *)yaml->data);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_wants_this_value_and_no_other),
        cmocka_unit_test(one_of_wants_one_value_from_the_list),
        cmocka_unit_test(contains_wants_each_listed_value),
        cmocka_unit_test(a_digest_may_be_written_in_upper_case),
        cmocka_unit_test(subset_of_tolerates_nothing_beyond_the_list),
        cmocka_unit_test(excludes_wants_values_but_none_of_the_list),
        cmocka_unit_test(absent_is_the_only_one_that_a_missing_claim_satisfies),
        cmocka_unit_test(matches_knows_stars_and_question_marks),
        cmocka_unit_test(at_least_counts_values),
        cmocka_unit_test(claims_of_the_ek_come_from_its_certificate),
        cmocka_unit_test(a_certificate_that_leads_nowhere_claims_nothing),
        cmocka_unit_test(a_log_can_not_speak_for_the_ek),
        cmocka_unit_test(a_claim_counts_only_when_its_pcr_replays),
        cmocka_unit_test(absence_is_not_proved_by_a_log_that_does_not_replay),
        cmocka_unit_test(a_pcr_that_both_replays_and_differs_is_not_believed),
        cmocka_unit_test(a_claim_from_another_pcr_is_not_seen),
        cmocka_unit_test(a_claim_whose_pcr_is_not_known_counts_by_the_rules_pcr),
        cmocka_unit_test(a_log_cut_short_proves_only_what_is_there),
        cmocka_unit_test(more_claims_than_are_looked_at_count_as_cut_short),
        cmocka_unit_test(without_a_log_every_rule_says_so),
        cmocka_unit_test(expected_and_actual_are_shown),
        cmocka_unit_test(what_a_log_says_is_shown_as_printable_text_only),
        cmocka_unit_test(a_rule_of_severity_telemetry_reports_and_refuses_nothing),
        cmocka_unit_test(rules_that_mean_nothing_clear_are_refused),
        cmocka_unit_test(two_rules_of_one_name_are_refused),
        cmocka_unit_test(more_rules_than_the_limit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
