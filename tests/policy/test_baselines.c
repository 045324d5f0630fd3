/* Baselines: alternatives, states, windows, and what is said when none matches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/fixture.h"

#include <stdio.h>
#include <string.h>

#define LOG          HEAD "event_log: {required: true}\n"
#define GOOD         "pcr_values: {sha256: {4: [" D32 "], 7: [" D32 "]}}"
#define BAD          "pcr_values: {sha256: {4: [" E32 "], 7: [" D32 "]}}"
#define WORSE        "pcr_values: {sha256: {4: [" E32 "], 7: [" E32 "]}}"
#define CLAIMS       "claims: [{name: image, claim: boot.application, contains: 'sha256:" D32 "'}]"
#define OTHER_CLAIMS "claims: [{name: image, claim: boot.application, contains: 'sha256:" C32 "'}]"

static void assert_standing(const struct policy_verdict *v, enum policy_standing standing,
                            const char *name)
{
    assert_int_equal(v->standing, standing);
    assert_string_equal(v->baseline, name);
}

static struct policy_verdict verdict_of(const char *yaml, const struct policy_facts *facts)
{
    AUTO(policy) p = accepted(yaml);
    return evaluated(p, facts);
}

static void one_active_baseline_that_matches_is_enough(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    struct policy_verdict v = verdict_of(LOG "baselines:\n"
                                             "  - {name: a, state: active, " BAD "}\n"
                                             "  - {name: b, state: active, " GOOD "}\n"
                                             "  - {name: c, state: active, " GOOD "}\n",
                                         &f);
    assert_int_equal(v.result, POLICY_RESULT_PASS);
    assert_int_equal(v.failure_count, 0);
    assert_standing(&v, POLICY_STANDING_MATCHES, "b");
}

static void values_and_claims_must_both_hold(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    assert_passes(LOG "baselines: [{name: a, state: active, " GOOD ", " CLAIMS "}]\n", &f);
    struct policy_verdict v =
        verdict_of(LOG "baselines: [{name: a, state: active, " GOOD ", " OTHER_CLAIMS "}]\n", &f);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
    assert_non_null(failure_of(&v, "image"));
    v = verdict_of(LOG "baselines: [{name: a, state: active, " BAD ", " CLAIMS "}]\n", &f);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
    assert_non_null(failure_of(&v, "pcr.sha256.4"));
}

static void the_nearest_baselines_differences_are_reported(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    struct policy_verdict v = verdict_of(LOG "baselines:\n"
                                             "  - {name: far, state: active, " WORSE "}\n"
                                             "  - {name: near, state: active, " BAD "}\n",
                                         &f);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
    assert_string_equal(err_reason(v.policy.reason), "baseline_mismatch");
    assert_standing(&v, POLICY_STANDING_DIFFERS, "near");
    assert_int_equal(v.failure_count, 2);
    assert_string_equal(v.failures[0].rule, "baseline.match");
    assert_string_equal(v.failures[0].expected, "one of 2 baselines in force");
    assert_string_equal(v.failures[0].actual, "nearest is near, with 1 difference");
    assert_string_equal(v.failures[1].rule, "pcr.sha256.4");
    assert_string_equal(v.failures[1].expected, E32);
    assert_string_equal(v.failures[1].actual, D32);
}

static void pending_and_retired_never_match_and_are_named(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    static const char *const states[] = {"pending", "retired"};
    for (size_t i = 0; i < 2; i++) {
        char yaml[1024];
        snprintf(yaml, sizeof yaml,
                 LOG "baselines:\n  - {name: old, state: active, " BAD "}\n"
                     "  - {name: mine, state: %s, " GOOD "}\n",
                 states[i]);
        struct policy_verdict v = verdict_of(yaml, &f);
        assert_int_equal(v.result, POLICY_RESULT_FAIL);
        assert_non_null(strstr(v.failures[0].actual, "matches mine, which is "));
        assert_non_null(strstr(v.failures[0].actual, states[i]));
    }
}

static void an_obsolete_baseline_matches_with_a_note(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    static const char yaml[] = LOG "baselines:\n"
                                   "  - {name: old, state: obsolete, note: update it, " GOOD "}\n"
                                   "  - {name: new, state: active, " BAD "}\n";
    struct policy_verdict v = verdict_of(yaml, &f);
    assert_int_equal(v.result, POLICY_RESULT_PASS);
    assert_standing(&v, POLICY_STANDING_OBSOLETE, "old");
    assert_string_equal(v.note, "baseline old is obsolete: update it");
    v = verdict_of(LOG "baselines:\n  - {name: old, state: obsolete, " GOOD "}\n"
                       "  - {name: new, state: active, " GOOD "}\n",
                   &f);
    assert_standing(&v, POLICY_STANDING_MATCHES, "new"); /* an active one first */
    v = verdict_of(LOG "baselines: [{name: old, state: obsolete, " BAD "}]\n", &f);
    assert_int_equal(v.result, POLICY_RESULT_FAIL); /* it asks to be matched too */
}

static void a_revoked_baseline_fails_whatever_else_matches(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    struct policy_verdict v =
        assert_fails(LOG "baselines:\n  - {name: a, state: active, " GOOD "}\n"
                         "  - {name: bad, state: revoked, note: debug shell, " CLAIMS "}\n",
                     &f, "baseline.revoked");
    assert_standing(&v, POLICY_STANDING_REVOKED, "bad");
    assert_string_equal(err_reason(v.policy.reason), "baseline_revoked");
    assert_string_equal(v.failures[0].expected, "anything but bad: debug shell");
    assert_string_equal(v.failures[0].actual, "it matches");
    assert_fails(LOG "baselines: [{name: bad, state: revoked, " GOOD "}]\n", &f,
                 "baseline.revoked");
    assert_passes(LOG "baselines: [{name: bad, state: revoked, " BAD "}]\n", &f);
    assert_passes(LOG "baselines: [{name: bad, state: revoked, " OTHER_CLAIMS "}]\n", &f);
    assert_passes(LOG "baselines: [{name: bad, state: revoked, " GOOD ", " OTHER_CLAIMS "}]\n", &f);
}

static void a_window_never_spares_a_revoked_baseline(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    assert_fails(LOG "baselines: [{name: bad, state: revoked, until: 2020-01-01T00:00:00Z, " GOOD
                     "}]\n",
                 &f, "baseline.revoked");
}

static void what_is_not_shown_does_not_rule_a_revoked_baseline_out(void **state)
{
    (void)state;
    static const char claims[] =
        HEAD "baselines: [{name: bad, state: revoked, " OTHER_CLAIMS "}]\n";
    struct policy_facts f = good_facts();
    assert_passes(claims, &f);
    f.event_log = POLICY_LOG_ABSENT;
    struct policy_verdict v = assert_fails(claims, &f, "baseline.revoked");
    assert_string_equal(v.failures[0].actual, "it can't be ruled out");
    f = good_facts();
    f.log_replays &= ~(1u << 4);
    assert_fails(claims, &f, "baseline.revoked");
    f = good_facts();
    f.claims_truncated = true;
    assert_passes(HEAD "baselines: [{name: bad, state: revoked, " BAD "}]\n", &f);
    static const char scoped[] = HEAD
        "baselines: [{name: bad, state: revoked, scope: {manufacturers: ['id:49465800']}, " GOOD
        "}]\n";
    f = good_facts();
    assert_passes(scoped, &f); /* another manufacturer */
    f.ek_chain_trusted = false;
    f.ek_hash_allowed = true;
    v = assert_fails(scoped, &f, "baseline.revoked"); /* any manufacturer, for all that is known */
    assert_string_equal(v.failures[0].actual, "it can't be ruled out");
    f = good_facts();
    f.pcr_count = 0; /* quoted, but the values were not sent */
    assert_fails(HEAD "baselines: [{name: bad, state: revoked, " BAD "}]\n", &f,
                 "baseline.revoked");
}

static void before_its_time_a_baseline_is_not_there(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    static const char alone[] =
        LOG "baselines: [{name: next, state: active, from: 2026-11-26T12:00:01Z, " BAD "}]\n";
    struct policy_verdict v = verdict_of(alone, &f);
    assert_int_equal(v.result, POLICY_RESULT_PASS);
    assert_standing(&v, POLICY_STANDING_NO_BASELINE, "");
    f.now_ms = NOW_MS + 1000;
    v = verdict_of(alone, &f);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
    f.now_ms = NOW_MS;
    v = verdict_of(LOG "baselines:\n  - {name: old, state: active, " BAD "}\n"
                       "  - {name: next, state: active, from: 2026-12-01T00:00:00Z, " GOOD "}\n",
                   &f);
    assert_string_equal(v.failures[0].actual,
                        "matches next, which begins at 2026-12-01T00:00:00.000Z");
}

static void the_end_of_a_baseline_never_opens_a_gate(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    static const char yaml[] =
        LOG "baselines: [{name: last, state: active, until: 2026-11-26T12:00:00Z, " GOOD "}]\n";
    f.now_ms = NOW_MS - 1;
    assert_passes(yaml, &f);
    f.now_ms = NOW_MS;
    struct policy_verdict v = assert_fails(yaml, &f, "baseline.match");
    assert_string_equal(v.failures[0].actual,
                        "matches last, which ended at 2026-11-26T12:00:00.000Z");
    assert_false(v.gates.config);
}

static void without_a_baseline_in_force_the_rules_decide_and_the_verdict_says_so(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    struct policy_verdict v = verdict_of(
        LOG "baselines: [{name: a, state: active, scope: {roles: [controlplane]}, " BAD "}]\n", &f);
    assert_int_equal(v.result, POLICY_RESULT_PASS);
    assert_standing(&v, POLICY_STANDING_NO_BASELINE, "");
    assert_non_null(strstr(v.note, "the rules alone decided"));
    v = verdict_of(LOG, &f);
    assert_int_equal(v.standing, POLICY_STANDING_NO_BASELINE);
    assert_string_equal(v.note, "");
}

static void a_baseline_of_another_scope_neither_matches_nor_revokes(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    struct policy_verdict v =
        verdict_of(LOG "baselines:\n"
                       "  - {name: mine, state: active, scope: {clusters: [prod]}, " BAD "}\n"
                       "  - {name: others, state: active, scope: {clusters: [lab]}, " GOOD "}\n"
                       "  - {name: bad, state: revoked, scope: {clusters: [lab]}, " GOOD "}\n",
                   &f);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
    assert_standing(&v, POLICY_STANDING_DIFFERS, "mine");
}

static void rules_with_a_gate_or_telemetry_do_not_decide_the_match(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    struct policy_verdict v = verdict_of(
        LOG "baselines:\n  - name: a\n    state: active\n    " GOOD "\n    claims:\n"
            "      - {name: certs-only, claim: boot.driver, at_least: 1, gate: certificates}\n"
            "      - {name: look, claim: boot.driver, at_least: 1, severity: telemetry}\n",
        &f);
    assert_standing(&v, POLICY_STANDING_MATCHES, "a");
    assert_int_equal(v.result, POLICY_RESULT_TELEMETRY);
    assert_true(v.gates.config && v.gates.secrets);
    assert_false(v.gates.certificates);
    assert_string_equal(failure_of(&v, "certs-only")->gate, "certificates");
    assert_true(failure_of(&v, "look")->telemetry);
}

static void any_of_several_values_of_a_pcr_matches(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    assert_passes(LOG "baselines: [{name: a, state: active, pcr_values: {sha256: {2: [" E32 ", " C32
                      ", " D32 "]}}}]\n",
                  &f);
}

static void a_verdict_ends_with_its_baseline(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    struct policy_verdict v = verdict_of(
        LOG "baselines: [{name: a, state: active, until: 2026-11-26T13:00:00Z, " GOOD "}]\n", &f);
    assert_true(v.valid_until_ms == NOW_MS + HOUR_MS);
    v = verdict_of(
        LOG "baselines: [{name: a, state: active, until: 2027-11-26T13:00:00Z, " GOOD "}]\n", &f);
    assert_true(v.valid_until_ms == NOW_MS + 24 * HOUR_MS);
}

static void without_a_quote_baselines_are_not_looked_at(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.quoted = false;
    f.event_log = POLICY_LOG_ABSENT;
    assert_fails(HEAD "baselines: [{name: a, state: active, " BAD "}]\n", &f, "quote.required");
}

static void baselines_that_mean_nothing_clear_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *baseline, *text;
    } bad[] = {
        {"{state: active, " GOOD "}", "name is required"},
        {"{name: a, " GOOD "}", "state is required"},
        {"{name: a, state: live, " GOOD "}", "expected one of"},
        {"{name: 'a b', state: active, " GOOD "}", "expected a name"},
        {"{name: a, state: active}", "expected a PCR value"},
        {"{name: a, state: active, pcr_values: {}}", "expected a PCR value"},
        {"{name: a, state: active, claims: []}", "expected a PCR value"},
        {"{name: a, state: active, claims: [{name: x, claim: secure_boot.pk, at_least: 1, "
         "severity: "
         "telemetry}]}",
         "expected a PCR value"},
        {"{name: a, state: active, pcr_values: {sha256: {1: [" D32 "]}}}", "PCR 1"},
        {"{name: a, state: active, pcr_values: {sha256: {4: [" D32 ", " D32 "]}}}", "twice"},
        {"{name: a, state: active, from: yesterday, " GOOD "}", "RFC 3339"},
        {"{name: a, state: active, from: 2026-11-26, " GOOD "}", "RFC 3339"},
        {"{name: a, state: active, until: 2026-02-29T00:00:00Z, " GOOD "}", "RFC 3339"},
        {"{name: a, state: active, from: 2026-11-26T12:00:00Z, until: 2026-11-26T12:00:00Z, " GOOD
         "}",
         "not after"},
        {"{name: a, state: active, scope: {roles: []}, " GOOD "}", "one item"},
        {"{name: a, state: active, scope: {role: [x]}, " GOOD "}", "no such setting"},
        {"{name: a, state: active, " GOOD ", note: ''}", "expected a text"},
        {"[]", "expected settings"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char yaml[1024];
        snprintf(yaml, sizeof yaml, HEAD "baselines:\n  - %s\n", bad[i].baseline);
        struct policy_problem problem = refused(yaml);
        if (!strstr(problem.text, bad[i].text)) {
            fail_msg("%s: %s", bad[i].baseline, problem.text);
        }
        assert_int_equal(problem.line, 4);
        assert_memory_equal(problem.path, "baselines[0]", 12);
    }
    refused(HEAD "quote: {required: false}\nbaselines: [{name: a, state: active, " GOOD "}]\n");
}

static void two_baselines_of_one_name_are_refused(void **state)
{
    (void)state;
    struct policy_problem problem = refused(HEAD "baselines:\n"
                                                 "  - {name: b, state: active, " GOOD "}\n"
                                                 "  - {name: a, state: active, " GOOD "}\n"
                                                 "  - {name: b, state: retired, " GOOD "}\n");
    assert_string_equal(problem.path, "baselines[2].name");
    assert_int_equal(problem.line, 6);
}

static void a_thousand_baselines_are_accepted_and_the_last_one_matches(void **state)
{
    (void)state;
    for (unsigned count = POLICY_BASELINES_MAX; count <= POLICY_BASELINES_MAX + 1; count++) {
        AUTO(buf) yaml = NULL;
        assert_true(IS_OK(buf_new(POLICY_FILE_MAX_BYTES, &yaml)));
        assert_true(IS_OK(buf_put_text(yaml, HEAD "baselines:\n")));
        for (unsigned i = 0; i < count; i++) {
            assert_true(
                IS_OK(buf_printf(yaml,
                                 "- name: b%u\n  state: active\n  pcr_values: {sha256: {0: [" D32
                                 "], 2: [" D32 "], 4: ['%s'], 7: [" D32 "]}}\n",
                                 i, i == POLICY_BASELINES_MAX - 1 ? D32 : E32)));
        }
        assert_true(IS_OK(buf_put_u8(yaml, '\0')));
        if (count > POLICY_BASELINES_MAX) {
            refused((const char *)yaml->data);
            continue;
        }
        AUTO(policy) p = accepted((const char *)yaml->data);
        struct policy_facts f = good_facts();
        struct policy_verdict v = evaluated(p, &f);
        assert_int_equal(v.result, POLICY_RESULT_PASS);
        assert_string_equal(v.baseline, "b999");
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* Baselines of all states over few values, so that everything happens. */
static struct policy *random_policy(uint32_t *seed)
{
    static const char *const states[] = {"pending", "active", "obsolete", "retired", "revoked"};
    static const char *const values[] = {D32, E32, C32};
    static char yaml[16384];
    int at =
        snprintf(yaml, sizeof yaml, HEAD "%sbaselines:\n",
                 next_random(seed) % 4 ? ""
                                       : "exceptions: [{machine: " MACHINE ", rule: pcr.sha256.4, "
                                         "reason: x, expires: 2027-01-01T00:00:00Z}]\n");
    size_t count = 1 + next_random(seed) % 8;
    for (size_t i = 0; i < count; i++) {
        at += snprintf(yaml + at, sizeof yaml - (size_t)at, "- {name: b%zu, state: %s, ", i,
                       states[next_random(seed) % (next_random(seed) % 2 ? 5 : 4)]);
        at += snprintf(yaml + at, sizeof yaml - (size_t)at, "%spcr_values: {sha256: {",
                       next_random(seed) % 3 ? "" : "until: 2026-11-26T11:00:00Z, ");
        for (unsigned pcr = 2; pcr <= 4; pcr += 2) {
            if (pcr == 2 || next_random(seed) % 2) {
                bool two = next_random(seed) % 2;
                size_t v = next_random(seed) % 3;
                at += snprintf(yaml + at, sizeof yaml - (size_t)at, "%s%u: ['%s'%s%s%s]",
                               pcr == 2 ? "" : ", ", pcr, values[v], two ? ", '" : "",
                               two ? values[(v + 1) % 3] : "", two ? "'" : "");
            }
        }
        at += snprintf(yaml + at, sizeof yaml - (size_t)at, "}}}\n");
    }
    return accepted(yaml);
}

static void the_index_changes_no_verdict(void **state)
{
    (void)state;
    uint32_t seed = 20261126;
    size_t seen[POLICY_STANDING_REVOKED + 1] = {0};
    for (int i = 0; i < 3000; i++) {
        AUTO(policy) p = random_policy(&seed);
        struct policy_facts f = good_facts();
        f.pcr_count =
            next_random(&seed) % 5 ? f.pcr_count : 1; /* sometimes PCR 2 and 4 are not sent */
        struct policy_verdict with = evaluated(p, &f);
        struct policy_index kept = p->index;
        p->index = (struct policy_index){0};
        struct policy_verdict without = evaluated(p, &f);
        p->index = kept;
        assert_memory_equal(&with, &without, sizeof with);
        seen[with.standing]++;
    }
    for (size_t i = POLICY_STANDING_NO_BASELINE; i <= POLICY_STANDING_REVOKED; i++) {
        assert_true(seen[i] > 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_active_baseline_that_matches_is_enough),
        cmocka_unit_test(values_and_claims_must_both_hold),
        cmocka_unit_test(the_nearest_baselines_differences_are_reported),
        cmocka_unit_test(pending_and_retired_never_match_and_are_named),
        cmocka_unit_test(an_obsolete_baseline_matches_with_a_note),
        cmocka_unit_test(a_revoked_baseline_fails_whatever_else_matches),
        cmocka_unit_test(a_window_never_spares_a_revoked_baseline),
        cmocka_unit_test(what_is_not_shown_does_not_rule_a_revoked_baseline_out),
        cmocka_unit_test(before_its_time_a_baseline_is_not_there),
        cmocka_unit_test(the_end_of_a_baseline_never_opens_a_gate),
        cmocka_unit_test(without_a_baseline_in_force_the_rules_decide_and_the_verdict_says_so),
        cmocka_unit_test(a_baseline_of_another_scope_neither_matches_nor_revokes),
        cmocka_unit_test(rules_with_a_gate_or_telemetry_do_not_decide_the_match),
        cmocka_unit_test(any_of_several_values_of_a_pcr_matches),
        cmocka_unit_test(a_verdict_ends_with_its_baseline),
        cmocka_unit_test(without_a_quote_baselines_are_not_looked_at),
        cmocka_unit_test(baselines_that_mean_nothing_clear_are_refused),
        cmocka_unit_test(two_baselines_of_one_name_are_refused),
        cmocka_unit_test(the_index_changes_no_verdict),
        cmocka_unit_test(a_thousand_baselines_are_accepted_and_the_last_one_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
