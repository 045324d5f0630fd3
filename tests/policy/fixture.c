#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/fixture.h"

#include <string.h>

struct policy *accepted(const char *yaml)
{
    struct policy *policy = NULL;
    struct policy_problem problem;
    err_t e = policy_parse(view_text(yaml), &policy, &problem);
    if (!IS_OK(e)) {
        fail_msg("%u:%u %s: %s", problem.line, problem.column, problem.path, problem.text);
    }
    return policy;
}

struct policy_problem refused_as(const char *yaml, err_t why)
{
    struct policy *policy = NULL;
    struct policy_problem problem;
    err_t e = policy_parse(view_text(yaml), &policy, &problem);
    if (IS_OK(e)) {
        fail_msg("accepted: %s", yaml);
    }
    assert_string_equal(err_reason(e), err_reason(why));
    assert_null(policy);
    assert_true(strlen(problem.text) > 0);
    return problem;
}

struct policy_problem refused(const char *yaml)
{
    return refused_as(yaml, E(POLICY_INVALID));
}

static uint8_t value[32];

struct policy_claim *good_claims(size_t *out_count)
{
    static const char *const rows[][2] = {
        {"firmware.crtm_version", "N3AET80W"},  {"secure_boot.enabled", "true"},
        {"secure_boot.pk", "x509:sha256:" D32}, {"secure_boot.kek", "x509:sha256:" D32},
        {"secure_boot.db", "x509:sha256:" D32}, {"secure_boot.db", "x509:sha256:" E32},
        {"secure_boot.dbx", "sha256:" D32},     {"secure_boot.dbx", "sha256:" E32},
        {"secure_boot.dbx", "sha256:" C32},     {"boot.application", "sha256:" D32},
        {"boot.application", "sha256:" E32},    {"uki.section", ".linux:sha256:" D32},
        {"uki.section", ".initrd:sha256:" D32},
    };
    static const uint32_t pcrs[] = {1u << 0, 1u << 7, 1u << 7, 1u << 7, 1u << 7,  1u << 7, 1u << 7,
                                    1u << 7, 1u << 7, 1u << 4, 1u << 4, 1u << 11, 1u << 11};
    static struct policy_claim claims[sizeof rows / sizeof rows[0]];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        claims[i] = (struct policy_claim){rows[i][0], view_text(rows[i][1]), pcrs[i]};
    }
    *out_count = sizeof rows / sizeof rows[0];
    return claims;
}

struct policy_facts good_facts(void)
{
    static const uint8_t quoted[] = {0, 2, 4, 7, 11, 14};
    static struct policy_pcr pcrs[sizeof quoted];
    memset(value, 0xaa, sizeof value);
    for (size_t i = 0; i < sizeof quoted; i++) {
        pcrs[i] = (struct policy_pcr){"sha256", quoted[i], view_of(value, sizeof value)};
    }
    struct policy_facts facts = {
        .quoted = true,
        .pcrs = pcrs,
        .pcr_count = sizeof quoted,
        .ak_key = "P-384",
        .ek_has_certificate = true,
        .ek_chain_trusted = true,
        .ek_fingerprint = D32 "00112233445566778899aabbccddeeff",
        .ek_public_hash = E32,
        .ek_manufacturer = "id:4E544300",
        .ek_model = "NPCT75x",
        .ek_version = "id:00070002",
        .ek_serial = "0123ab",
        .firmware_version = 7ULL << 48 | 2ULL << 32 | 3ULL << 16,
        .machine_id = MACHINE,
        .role = "worker-app",
        .cluster = "prod",
        .event_log = POLICY_LOG_READ,
        .log_replays = 1u << 0 | 1u << 2 | 1u << 4 | 1u << 7 | 1u << 11 | 1u << 14,
        .now_ms = NOW_MS,
    };
    facts.claims = good_claims(&facts.claim_count);
    return facts;
}

struct policy_verdict evaluated(const struct policy *policy, const struct policy_facts *facts)
{
    struct policy_verdict verdict;
    policy_evaluate(policy, facts, &verdict);
    return verdict;
}

const struct policy_failure *failure_of(const struct policy_verdict *verdict, const char *rule)
{
    for (size_t i = 0; i < verdict->failure_count; i++) {
        if (strcmp(verdict->failures[i].rule, rule) == 0) {
            return &verdict->failures[i];
        }
    }
    return NULL;
}

void assert_passes(const char *yaml, const struct policy_facts *facts)
{
    AUTO(policy) p = accepted(yaml);
    struct policy_verdict v = evaluated(p, facts);
    if (v.result != POLICY_RESULT_PASS || v.failure_count > 0) {
        fail_msg("%s\n%s: expected %s, is %s", yaml, v.failures[0].rule, v.failures[0].expected,
                 v.failures[0].actual);
    }
    assert_true(v.gates.config && v.gates.certificates && v.gates.secrets);
}

struct policy_verdict assert_fails(const char *yaml, const struct policy_facts *facts,
                                   const char *rule)
{
    AUTO(policy) p = accepted(yaml);
    struct policy_verdict v = evaluated(p, facts);
    if (v.result != POLICY_RESULT_FAIL || v.failure_count != 1 ||
        strcmp(v.failures[0].rule, rule) != 0) {
        fail_msg("%s\n%s with %zu failures, first %s: %s, is %s", yaml,
                 policy_result_name(v.result), v.failure_count, v.failures[0].rule,
                 v.failures[0].expected, v.failures[0].actual);
    }
    assert_true(strlen(v.failures[0].expected) > 0 && strlen(v.failures[0].actual) > 0);
    return v;
}
