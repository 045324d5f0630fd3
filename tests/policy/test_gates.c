/* The three answers, gates, exceptions, scope, EK attributes, and for how long a verdict holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/fixture.h"

#include <stdio.h>
#include <string.h>

#define LOG_REQUIRED "event_log: {required: true}\n"
#define WRONG_PCR    "quote: {pcr_values: {sha256: {4: [" E32 "]}}}\n"

static struct policy_verdict verdict_of(const char *yaml, const struct policy_facts *facts)
{
    AUTO(policy) p = accepted(yaml);
    return evaluated(p, facts);
}

static void the_three_answers_are_never_mixed(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.ek_chain_trusted = false;
    f.ek_reason = E(EK_CHAIN_INVALID);
    struct policy_verdict v = verdict_of(HEAD LOG_REQUIRED, &f);
    assert_int_equal(v.chain.outcome, POLICY_OUTCOME_FAIL);
    assert_string_equal(err_reason(v.chain.reason), "ek_chain_invalid");
    assert_int_equal(v.replay.outcome, POLICY_OUTCOME_PASS);
    assert_int_equal(v.policy.outcome, POLICY_OUTCOME_PASS);

    f = good_facts();
    f.log_replays &= ~(1u << 4);
    f.log_differs = 1u << 4;
    v = verdict_of(HEAD LOG_REQUIRED, &f);
    assert_int_equal(v.chain.outcome, POLICY_OUTCOME_PASS);
    assert_int_equal(v.replay.outcome, POLICY_OUTCOME_FAIL);
    assert_string_equal(err_reason(v.replay.reason), "event_log_replay_mismatch");
    assert_int_equal(v.policy.outcome, POLICY_OUTCOME_PASS);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);

    f = good_facts();
    v = verdict_of(HEAD LOG_REQUIRED WRONG_PCR, &f);
    assert_int_equal(v.chain.outcome, POLICY_OUTCOME_PASS);
    assert_int_equal(v.replay.outcome, POLICY_OUTCOME_PASS);
    assert_int_equal(v.policy.outcome, POLICY_OUTCOME_FAIL);
    assert_string_equal(err_reason(v.policy.reason), "pcr_policy_mismatch");
    assert_string_equal(policy_outcome_name(v.policy.outcome), "fail");
    assert_string_equal(policy_outcome_name(v.chain.outcome), "pass");
    assert_string_equal(policy_outcome_name(POLICY_OUTCOME_NOT_EVALUATED), "not_evaluated");
}

static void a_required_log_must_be_there_readable_and_replay(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.event_log = POLICY_LOG_ABSENT;
    struct policy_verdict v = assert_fails(HEAD LOG_REQUIRED, &f, "event_log.required");
    assert_string_equal(err_reason(v.replay.reason), "event_log_missing");
    f.event_log = POLICY_LOG_UNREADABLE;
    v = assert_fails(HEAD LOG_REQUIRED, &f, "event_log.readable");
    assert_string_equal(err_reason(v.replay.reason), "event_log_unreadable");
    f = good_facts();
    f.log_replays = 0; /* a log about nothing that was quoted explains nothing */
    assert_fails(HEAD LOG_REQUIRED, &f, "event_log.replay");
}

static void only_the_pcrs_that_must_replay_are_asked_for(void **state)
{
    (void)state;
    static const char yaml[] = HEAD "event_log: {required: true, must_replay: [2, 4]}\n";
    struct policy_facts f = good_facts();
    f.log_replays = 1u << 2 | 1u << 4;
    f.log_differs = 1u << 0 | 1u << 7;
    assert_passes(yaml, &f);
    f.log_replays = 1u << 2;
    struct policy_verdict v = assert_fails(yaml, &f, "event_log.replay");
    assert_non_null(strstr(v.failures[0].actual, "PCR 4"));
    assert_null(strstr(v.failures[0].actual, "7"));
}

static void a_log_that_is_not_required_is_reported_and_refuses_nothing(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.event_log = POLICY_LOG_UNREADABLE;
    struct policy_verdict v = verdict_of(HEAD, &f);
    assert_int_equal(v.result, POLICY_RESULT_TELEMETRY);
    assert_int_equal(v.replay.outcome, POLICY_OUTCOME_FAIL);
    assert_true(v.failures[0].telemetry);
    assert_true(v.gates.config && v.gates.secrets);
    f.event_log = POLICY_LOG_ABSENT;
    assert_passes(HEAD, &f);
}

static void a_differing_pcr_that_is_not_quoted_does_not_matter(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.log_differs = 1u << 1 | 1u << 9;
    assert_passes(HEAD LOG_REQUIRED, &f);
}

static void each_gate_has_its_own_mode(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    struct policy_verdict v = verdict_of(
        HEAD WRONG_PCR "gates: {config: telemetry, certificates: enforce, secrets: {default: "
                       "enforce, disk: telemetry}}\n",
        &f);
    assert_int_equal(v.result, POLICY_RESULT_TELEMETRY);
    assert_true(v.gates.config);
    assert_false(v.gates.certificates);
    assert_false(v.gates.secrets);
    assert_true(policy_gates_secret(&v.gates, "disk"));
    assert_false(policy_gates_secret(&v.gates, "etcd"));
    assert_int_equal(v.policy.outcome, POLICY_OUTCOME_FAIL); /* whatever the mode */

    v = verdict_of(HEAD WRONG_PCR "gates: {config: enforce, secrets: telemetry}\n", &f);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
    assert_true(v.gates.secrets);
    assert_false(v.gates.certificates); /* mode: enforce */

    v = verdict_of(HEAD WRONG_PCR "mode: telemetry\ngates: {certificates: enforce}\n", &f);
    assert_int_equal(v.result, POLICY_RESULT_TELEMETRY);
    assert_true(v.gates.config && v.gates.secrets);
    assert_false(v.gates.certificates);
}

static void identity_closes_every_gate_in_every_mode(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.ek_chain_trusted = false;
    struct policy_verdict v =
        verdict_of(HEAD "mode: telemetry\ngates: {secrets: {disk: telemetry}}\n", &f);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
    assert_false(v.gates.config || v.gates.certificates || v.gates.secrets);
    assert_false(policy_gates_secret(&v.gates, "disk"));
}

static void a_rule_can_concern_one_gate(void **state)
{
    (void)state;
    static const char document[] =
        HEAD "gates: {secrets: {default: enforce, disk: enforce, etcd: enforce}}\n"
             "event_log:\n  required: true\n  rules:\n"
             "    - {name: r, claim: boot.driver, at_least: 1, gate: %s}\n";
    static const struct {
        const char *gate;
        bool config, certificates, secrets, disk, etcd;
    } rows[] = {
        {"config", false, true, true, true, true},
        {"certificates", true, false, true, true, true},
        {"secrets", true, true, false, false, false},
        {"secrets.disk", true, true, true, false, true},
    };
    struct policy_facts f = good_facts();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char yaml[512];
        int len = snprintf(yaml, sizeof yaml, document, rows[i].gate);
        assert_true(len > 0 && (size_t)len < sizeof yaml);
        struct policy_verdict v = verdict_of(yaml, &f);
        assert_int_equal(v.gates.config, rows[i].config);
        assert_int_equal(v.gates.certificates, rows[i].certificates);
        assert_int_equal(v.gates.secrets, rows[i].secrets);
        assert_int_equal(policy_gates_secret(&v.gates, "disk"), rows[i].disk);
        assert_int_equal(policy_gates_secret(&v.gates, "etcd"), rows[i].etcd);
        assert_string_equal(v.failures[0].gate, rows[i].gate);
        assert_int_equal(v.result, rows[i].config ? POLICY_RESULT_TELEMETRY : POLICY_RESULT_FAIL);
    }
}

#define EXCEPTION(more)                                                                 \
    "exceptions: [{machine: " MACHINE ", rule: pcr.sha256.4, reason: ticket, expires: " \
    "2026-11-26T15:00:00Z" more "}]\n"

static void an_exception_lets_one_machine_off_one_rule_until_it_expires(void **state)
{
    (void)state;
    static const char yaml[] = HEAD WRONG_PCR EXCEPTION("");
    struct policy_facts f = good_facts();
    struct policy_verdict v = verdict_of(yaml, &f);
    assert_int_equal(v.result, POLICY_RESULT_PASS);
    assert_int_equal(v.policy.outcome, POLICY_OUTCOME_PASS);
    assert_int_equal(v.failure_count, 1);
    assert_true(v.failures[0].excused);
    assert_string_equal(v.failures[0].actual, D32);
    assert_int_equal(v.exception_count, 1);
    assert_int_equal(v.exceptions[0], 0);
    assert_true(v.valid_until_ms == NOW_MS + 3 * HOUR_MS);
    f.now_ms = NOW_MS + 3 * HOUR_MS;
    assert_fails(yaml, &f, "pcr.sha256.4");
    f = good_facts();
    f.machine_id = "1b9d7c1e-3a58-4a2b-9a1d-5c1f2e3d4c5b";
    assert_fails(yaml, &f, "pcr.sha256.4");
    f.machine_id = NULL;
    assert_fails(yaml, &f, "pcr.sha256.4");
}

static void an_exception_that_is_not_needed_is_not_used(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    struct policy_verdict v = verdict_of(
        HEAD "quote: {pcr_values: {sha256: {4: [" D32 "]}}}\n" EXCEPTION(", once: true"), &f);
    assert_int_equal(v.result, POLICY_RESULT_PASS);
    assert_int_equal(v.exception_count, 0);
    assert_true(v.valid_until_ms == NOW_MS + 24 * HOUR_MS);
}

static void a_one_shot_exception_that_was_used_is_gone(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    const struct policy_spent spent[] = {{"pcr.sha256.4", NOW_MS + 3 * HOUR_MS}};
    f.spent = spent;
    f.spent_count = 1;
    assert_fails(HEAD WRONG_PCR EXCEPTION(", once: true"), &f, "pcr.sha256.4");
    struct policy_verdict v = verdict_of(HEAD WRONG_PCR EXCEPTION(""), &f);
    assert_int_equal(v.result, POLICY_RESULT_PASS); /* this one may be used again */
    const struct policy_spent other[] = {{"pcr.sha256.4", NOW_MS + 2 * HOUR_MS},
                                         {"pcr.sha256.7", NOW_MS + 3 * HOUR_MS}};
    f.spent = other;
    f.spent_count = 2;
    v = verdict_of(HEAD WRONG_PCR EXCEPTION(", once: true"), &f);
    assert_int_equal(v.result, POLICY_RESULT_PASS);
}

static void a_machine_is_known_by_its_ek_as_well(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    static const char document[] =
        HEAD WRONG_PCR "exceptions: [{machine: %s, rule: pcr.sha256.4, reason: ticket, expires: "
                       "2026-11-26T15:00:00Z}]\n";
    char yaml[1024];
    const char *const names[] = {f.ek_fingerprint, f.ek_public_hash,
                                 "0B9D7C1E-3A58-4A2B-9A1D-5C1F2E3D4C5B"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(yaml, sizeof yaml, document, names[i]);
        struct policy_verdict v = verdict_of(yaml, &f);
        assert_int_equal(v.result, POLICY_RESULT_PASS);
    }
}

static void an_exception_makes_a_baseline_match_only_where_none_matches_without(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    static const char one[] =
        HEAD "baselines: [{name: a, state: active, pcr_values: {sha256: {4: [" E32 "], 7: [" D32
             "]}}}]\n" EXCEPTION(", once: true");
    struct policy_verdict v = verdict_of(one, &f);
    assert_int_equal(v.result, POLICY_RESULT_PASS);
    assert_int_equal(v.standing, POLICY_STANDING_MATCHES);
    assert_int_equal(v.exception_count, 1);
    v = verdict_of(HEAD "baselines:\n"
                        "  - {name: a, state: active, pcr_values: {sha256: {4: [" E32 "]}}}\n"
                        "  - {name: b, state: active, pcr_values: {sha256: {4: [" D32
                        "]}}}\n" EXCEPTION(", once: true"),
                   &f);
    assert_string_equal(v.baseline, "b");
    assert_int_equal(v.exception_count, 0);
}

static void exceptions_reach_logs_ek_attributes_and_baselines_as_a_whole(void **state)
{
    (void)state;
    static const struct {
        const char *document, *rule;
    } rows[] = {
        {LOG_REQUIRED, "event_log.replay"},
        {"ek: {expired: refuse}\n", "ek.expired"},
        {"ek: {manufacturers: ['id:00000000']}\n", "ek.manufacturer"},
        {"ek: {firmware: [{min: 9}]}\n", "ek.firmware"},
        {"baselines: [{name: a, state: active, pcr_values: {sha256: {4: [" E32 "]}}}]\n",
         "baseline.match"},
    };
    struct policy_facts f = good_facts();
    f.ek_expired = true;
    f.log_differs = 1u << 2;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char yaml[1024];
        snprintf(yaml, sizeof yaml,
                 HEAD "%sexceptions: [{machine: " MACHINE
                      ", rule: %s, reason: x, expires: 2027-01-01T00:00:00Z}]\n",
                 rows[i].document, rows[i].rule);
        struct policy_verdict v = verdict_of(yaml, &f);
        assert_true(v.gates.config);
        const struct policy_failure *failure = failure_of(&v, rows[i].rule);
        assert_non_null(failure);
        assert_true(failure->excused);
    }
}

static void identity_and_revocation_know_no_exception(void **state)
{
    (void)state;
    static const char *const rules[] = {"ek.trust",     "ak.key",           "quote.required",
                                        "policy.scope", "baseline.revoked", "policy.attestors",
                                        "no-such-rule", "pcr.sha256.1",     "pcr.sha256.24",
                                        "pcr.sha1.4",   "pcr.sha384.4"};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        char yaml[512];
        snprintf(yaml, sizeof yaml,
                 HEAD "exceptions:\n  - {machine: " MACHINE
                      ", rule: %s, reason: x, expires: 2027-01-01T00:00:00Z}\n",
                 rules[i]);
        struct policy_problem problem = refused(yaml);
        assert_string_equal(problem.path, "exceptions[0].rule");
        assert_int_equal(problem.line, 4);
    }
}

static void exceptions_that_mean_nothing_clear_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{rule: ek.expired, reason: x, expires: 2027-01-01T00:00:00Z}",
        "{machine: " MACHINE ", reason: x, expires: 2027-01-01T00:00:00Z}",
        "{machine: " MACHINE ", rule: ek.expired, expires: 2027-01-01T00:00:00Z}",
        "{machine: " MACHINE ", rule: ek.expired, reason: x}",
        "{machine: " MACHINE ", rule: ek.expired, reason: '', expires: 2027-01-01T00:00:00Z}",
        "{machine: " MACHINE ", rule: ek.expired, reason: x, expires: never}",
        "{machine: " MACHINE
        ", rule: ek.expired, reason: x, expires: 2027-01-01T00:00:00Z, once: 1}",
        "{machine: node-7, rule: ek.expired, reason: x, expires: 2027-01-01T00:00:00Z}",
        ("{machine: 0b9d7c1e+3a58-4a2b-9a1d-5c1f2e3d4c5b, rule: ek.expired, reason: x, expires: "
         "2027-01-01T00:00:00Z}"),
        "{machine: 0b9d7c1e, rule: ek.expired, reason: x, expires: 2027-01-01T00:00:00Z}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char yaml[512];
        snprintf(yaml, sizeof yaml, HEAD "exceptions:\n  - %s\n", bad[i]);
        refused(yaml);
    }
    struct policy_problem problem =
        refused(HEAD "exceptions:\n"
                     "  - {machine: " MACHINE ", rule: ek.expired, reason: x, expires: "
                     "2027-01-01T00:00:00Z}\n"
                     "  - {machine: " MACHINE ", rule: ek.expired, reason: y, expires: "
                     "2027-01-01T00:00:00Z}\n");
    assert_string_equal(problem.path, "exceptions[1]");
}

static void a_machine_outside_the_scope_is_refused_in_every_mode(void **state)
{
    (void)state;
    static const struct {
        const char *scope;
        bool covers;
    } rows[] = {
        {"{}", true},
        {"{roles: [worker-app]}", true},
        {"{roles: ['worker-*']}", true},
        {"{roles: [controlplane]}", false},
        {"{roles: [controlplane, worker-app]}", true},
        {"{clusters: [prod], models: ['NPCT??x']}", true},
        {"{clusters: [lab], models: ['NPCT??x']}", false},
        {"{manufacturers: ['id:4e544300']}", true},
        {"{manufacturers: ['id:49465800']}", false},
        {"{models: [npct75x]}", false},
    };
    struct policy_facts f = good_facts();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, HEAD "mode: telemetry\nscope: %s\n", rows[i].scope);
        if (rows[i].covers) {
            assert_passes(yaml, &f);
        } else {
            struct policy_verdict v = assert_fails(yaml, &f, "policy.scope");
            assert_string_equal(err_reason(v.policy.reason), "policy_not_found");
            assert_int_equal(v.standing, POLICY_STANDING_NONE);
        }
    }
}

static void what_is_not_known_is_in_no_scope(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.role = NULL;
    struct policy_verdict v = assert_fails(HEAD "scope: {roles: ['*']}\n", &f, "policy.scope");
    assert_string_equal(v.failures[0].actual, "role not known");
    f = good_facts();
    f.ek_chain_trusted = false; /* the certificate may say what it likes */
    f.ek_hash_allowed = true;
    assert_fails(HEAD "scope: {manufacturers: ['id:4E544300']}\n", &f, "policy.scope");
    assert_fails(HEAD "ek: {manufacturers: ['id:4E544300']}\n", &f, "ek.manufacturer");
}

static void manufacturers_and_expiry_are_checked_in_every_mode(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    assert_passes(HEAD "ek: {manufacturers: ['id:49465800', 'id:4E544300']}\n", &f);
    struct policy_verdict v =
        assert_fails(HEAD "mode: telemetry\nek: {manufacturers: ['id:49465800', 'id:53544D20']}\n",
                     &f, "ek.manufacturer");
    assert_string_equal(v.failures[0].actual, "id:4E544300");
    assert_string_equal(err_reason(v.policy.reason), "ek_policy_mismatch");
    f.ek_expired = true;
    assert_passes(HEAD, &f);
    assert_passes(HEAD "ek: {expired: accept}\n", &f);
    v = assert_fails(HEAD "mode: telemetry\nek: {expired: refuse}\n", &f, "ek.expired");
    assert_string_equal(err_reason(v.chain.reason), "ek_certificate_expired");
}

static void the_policys_own_hashes_allow_an_ek(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.ek_has_certificate = false;
    f.ek_chain_trusted = false;
    assert_fails(HEAD "ek: {allowed_hashes: [" D32 "]}\n", &f, "ek.trust");
    assert_passes(HEAD "ek: {allowed_hashes: [" D32 ", " E32 ", " C32 ", " E32 "]}\n", &f);
    assert_passes(HEAD "ek: {allowed_hashes: [" D32 "00112233445566778899AABBCCDDEEFF]}\n", &f);
}

static void firmware_is_compared_number_by_number(void **state)
{
    (void)state;
    static const struct {
        const char *range;
        bool inside;
    } rows[] = {
        {"{min: 7}", true},
        {"{min: 7.2}", true},
        {"{min: 7.2.3}", true},
        {"{min: 7.2.3.0}", true},
        {"{min: 7.2.3.1}", false},
        {"{min: 7.10}", false},
        {"{max: 7}", true},
        {"{max: 7.2}", true},
        {"{max: 7.2.3}", true},
        {"{max: 7.2.2}", false},
        {"{max: 6.99}", false},
        {"{min: 7.1, max: 7.2}", true},
        {"{min: 7.3, max: 7.9}", false},
        {"{manufacturer: 'id:4E544300', min: 7.3}", false},
        {"{manufacturer: 'id:49465800', min: 7.3}", true}, /* of others */
    };
    struct policy_facts f = good_facts();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, HEAD "ek: {firmware: [%s]}\n", rows[i].range);
        if (rows[i].inside) {
            assert_passes(yaml, &f);
        } else {
            struct policy_verdict v = assert_fails(yaml, &f, "ek.firmware");
            assert_string_equal(v.failures[0].actual, "7.2.3.0");
        }
    }
    assert_passes(HEAD "ek: {firmware: [{max: 6}, {min: 7.2.3, max: 7.2.3}]}\n", &f);
    f.ek_chain_trusted = false; /* of unknown make: every range counts */
    f.ek_hash_allowed = true;
    assert_fails(HEAD "ek: {firmware: [{manufacturer: 'id:49465800', min: 7.3}]}\n", &f,
                 "ek.firmware");
}

static void identity_settings_that_mean_nothing_clear_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "ek: {expired: maybe}",
        "ek: {manufacturers: []}",
        "ek: {firmware: [{}]}",
        "ek: {firmware: [{manufacturer: 'id:4E544300'}]}",
        "ek: {firmware: [{min: 7.3, max: 7.2}]}",
        "ek: {firmware: [{min: '7.'}]}",
        "ek: {firmware: [{min: '.7'}]}",
        "ek: {firmware: [{min: 1.2.3.4.5}]}",
        "ek: {firmware: [{min: 65536}]}",
        "ek: {firmware: [{min: v7}]}",
        "ek: {firmware: [{min: -1}]}",
        "ek: {allowed_hashes: []}",
        "ek: {allowed_hashes: [abcd]}",
        "ek: {allowed_hashes: [" D32 "aa]}",
        "ek: {allowed_hashes: [zz" D32 "]}",
        "scope: {roles: [worker-app, worker-app]}",
        "event_log: {must_replay: [0]}",
        "event_log: {required: true, must_replay: [1]}",
        "event_log: {required: true, must_replay: []}",
        "gates: {config: open}",
        "gates: {door: enforce}",
        "gates: {secrets: {'a b': enforce}}",
        "gates: {secrets: {disk: maybe}}",
        "gates: {secrets: [disk]}",
        "evidence: {max_age: 24}",
        "evidence: {max_age: 1d1h}",
        "evidence: {max_age: 59s}",
        "evidence: {max_age: 367d}",
        "evidence: {max_age: 99999999999d}",
        "evidence: {max_age: '24h'}",
        "evidence: {max_age: 1h, reattest_every: 2h}",
        "evidence: {reattest_every: 9s}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char yaml[512];
        snprintf(yaml, sizeof yaml, HEAD "%s\n", bad[i]);
        struct policy_problem problem = refused(yaml);
        assert_int_equal(problem.line, 3);
        assert_true(problem.column > 0 && strlen(problem.path) > 0);
    }
}

static void more_classes_of_secrets_than_the_limit_are_refused(void **state)
{
    (void)state;
    for (unsigned count = POLICY_CLASSES_MAX; count <= POLICY_CLASSES_MAX + 1; count++) {
        char yaml[2048];
        int at = snprintf(yaml, sizeof yaml, HEAD "gates:\n  secrets:\n");
        for (unsigned i = 0; i < count; i++) {
            at += snprintf(yaml + at, sizeof yaml - (size_t)at, "    class-%u: enforce\n", i);
        }
        if (count == POLICY_CLASSES_MAX) {
            struct policy_facts f = good_facts();
            struct policy_verdict v = verdict_of(yaml, &f);
            assert_int_equal(v.gates.class_count, POLICY_CLASSES_MAX);
            assert_true(policy_gates_secret(&v.gates, "class-31"));
        } else {
            refused(yaml);
        }
    }
}

static void a_verdict_holds_for_max_age(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    AUTO(policy) p = accepted(HEAD "evidence: {max_age: 90m}\n");
    assert_true(p->max_age_ms == 90 * 60 * 1000 && p->reattest_every_ms == 90 * 60 * 250);
    struct policy_verdict v = evaluated(p, &f);
    assert_true(v.valid_until_ms == NOW_MS + 90 * 60 * 1000);
    AUTO(policy) q = accepted(HEAD "evidence: {max_age: 2d, reattest_every: 30s}\n");
    assert_true(q->max_age_ms == 48 * HOUR_MS && q->reattest_every_ms == 30000);
    AUTO(policy) by_default = accepted(HEAD);
    assert_true(by_default->max_age_ms == 24 * HOUR_MS);
    assert_true(by_default->reattest_every_ms == 6 * HOUR_MS);
}

static void each_weaker_setting_violates_high_assurance(void **state)
{
    (void)state;
    static const char *const weak[][2] = {
        {"gates: {config: telemetry}\n", "gates.config"},
        {"gates: {certificates: telemetry}\n", "gates.certificates"},
        {"gates: {secrets: telemetry}\n", "gates.secrets"},
        {"gates: {secrets: {disk: telemetry}}\n", "gates.secrets"},
        {"evidence: {max_age: 8d}\n", "evidence.max_age"},
    };
    for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, HEAD "%s", weak[i][0]);
        AUTO(policy) p = accepted(yaml);
        const char *why = policy_high_assurance_violation(p);
        assert_non_null(why);
        assert_memory_equal(why, weak[i][1], strlen(weak[i][1]));
    }
    AUTO(policy)
    strong = accepted(HEAD "gates: {config: enforce, secrets: {disk: enforce}}\n"
                           "evidence: {max_age: 7d}\n");
    assert_null(policy_high_assurance_violation(strong));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_answers_are_never_mixed),
        cmocka_unit_test(a_required_log_must_be_there_readable_and_replay),
        cmocka_unit_test(only_the_pcrs_that_must_replay_are_asked_for),
        cmocka_unit_test(a_log_that_is_not_required_is_reported_and_refuses_nothing),
        cmocka_unit_test(a_differing_pcr_that_is_not_quoted_does_not_matter),
        cmocka_unit_test(each_gate_has_its_own_mode),
        cmocka_unit_test(identity_closes_every_gate_in_every_mode),
        cmocka_unit_test(a_rule_can_concern_one_gate),
        cmocka_unit_test(an_exception_lets_one_machine_off_one_rule_until_it_expires),
        cmocka_unit_test(an_exception_that_is_not_needed_is_not_used),
        cmocka_unit_test(a_one_shot_exception_that_was_used_is_gone),
        cmocka_unit_test(a_machine_is_known_by_its_ek_as_well),
        cmocka_unit_test(an_exception_makes_a_baseline_match_only_where_none_matches_without),
        cmocka_unit_test(exceptions_reach_logs_ek_attributes_and_baselines_as_a_whole),
        cmocka_unit_test(identity_and_revocation_know_no_exception),
        cmocka_unit_test(exceptions_that_mean_nothing_clear_are_refused),
        cmocka_unit_test(a_machine_outside_the_scope_is_refused_in_every_mode),
        cmocka_unit_test(what_is_not_known_is_in_no_scope),
        cmocka_unit_test(manufacturers_and_expiry_are_checked_in_every_mode),
        cmocka_unit_test(the_policys_own_hashes_allow_an_ek),
        cmocka_unit_test(firmware_is_compared_number_by_number),
        cmocka_unit_test(identity_settings_that_mean_nothing_clear_are_refused),
        cmocka_unit_test(more_classes_of_secrets_than_the_limit_are_refused),
        cmocka_unit_test(a_verdict_holds_for_max_age),
        cmocka_unit_test(each_weaker_setting_violates_high_assurance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
