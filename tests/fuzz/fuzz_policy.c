/* Policies: parsed, then held against a machine that proves nothing, which no policy may accept,
 * and one that proves much; then through the golden pipeline, whose output must be read back. */
#include "policy/diff.h"
#include "policy/golden.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 8 * 1024 * 1024 };

static uint8_t digest[32];

static struct policy_facts known_facts(void)
{
    static const struct policy_pcr pcrs[] = {
        {"sha256", 0, {digest, 32}}, {"sha256", 2, {digest, 32}},  {"sha256", 4, {digest, 32}},
        {"sha256", 7, {digest, 32}}, {"sha256", 11, {digest, 32}}, {"sha256", 14, {digest, 32}},
        {"sha384", 7, {digest, 31}},
    };
    static struct policy_claim claims[] = {
        {"secure_boot.enabled", {(const uint8_t *)"true", 4}, 1u << 7},
        {"secure_boot.db", {(const uint8_t *)"a", 1}, 1u << 7},
        {"secure_boot.db", {(const uint8_t *)"b\"\\", 3}, 1u << 7},
        {"boot.application", {(const uint8_t *)"\xe2\x80\xa8", 3}, 1u << 4},
        {"kernel.command_line", {(const uint8_t *)"quiet", 5}, 1u << 11},
        {"uki.section", {(const uint8_t *)".linux:sha256:00", 16}, 0},
    };
    return (struct policy_facts){
        .quoted = true,
        .pcrs = pcrs,
        .pcr_count = sizeof pcrs / sizeof pcrs[0],
        .ak_key = "P-384",
        .ek_has_certificate = true,
        .ek_chain_trusted = true,
        .ek_manufacturer = "id:4E544300",
        .ek_model = "NPCT75x",
        .firmware_version = 7ULL << 48,
        .machine_id = "0b9d7c1e-3a58-4a2b-9a1d-5c1f2e3d4c5b",
        .role = "worker-app",
        .cluster = "prod",
        .event_log = POLICY_LOG_READ,
        .log_replays = 0xffffff,
        .claims = claims,
        .claim_count = sizeof claims / sizeof claims[0],
        .now_ms = 1795694400000ULL,
    };
}

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static struct buf *new_buf(void)
{
    struct buf *b = NULL;
    require(IS_OK(buf_new(OUT_MAX, &b)));
    return b;
}

/* Finding baselines by the index must give what looking at all gives. */
static void check_index(struct policy *policy, const struct policy_facts *facts,
                        const struct policy_verdict *verdict)
{
    struct policy_verdict without;
    struct policy_index index = policy->index;
    policy->index = (struct policy_index){0};
    policy_evaluate(policy, facts, &without);
    policy->index = index;
    require(memcmp(&without, verdict, sizeof without) == 0);
}

static void check_verdicts(struct policy *policy)
{
    static const struct policy_facts nothing = {0};
    struct policy_facts known = known_facts();
    struct policy_verdict v;
    policy_evaluate(policy, &nothing, &v);
    require(v.result == POLICY_RESULT_FAIL); /* no AK: every policy asks for one */
    require(!v.gates.config && !v.gates.certificates && !v.gates.secrets);
    policy_evaluate(policy, &known, &v);
    require((v.result == POLICY_RESULT_FAIL) == !v.gates.config);
    check_index(policy, &known, &v);
    for (size_t i = 0; i < v.failure_count; i++) {
        require(v.failures[i].rule[0] && v.failures[i].expected[0] && v.failures[i].actual[0]);
        require(v.result != POLICY_RESULT_PASS || v.failures[i].excused);
    }
}

/* With every PCR selected and every gate declared, what was proposed must be accepted. */
static void read_back(const struct policy *policy, const struct buf *items)
{
    static const char all[] = "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23]";
    AUTO(buf) yaml = new_buf();
    AUTO(policy) again = NULL;
    struct policy_problem problem;
    require(IS_OK(buf_printf(
        yaml, "name: x\nversion: 1\nquote: {pcr_selection: {sha256: %s, sha384: %s, sha512: %s}}\n",
        all, all, all)));
    require(IS_OK(buf_put_text(yaml, "gates:\n  secrets:\n    default: enforce\n")));
    for (size_t i = 3; i < policy->gate_count; i++) {
        require(IS_OK(
            buf_printf(yaml, "    \"%s\": enforce\n", policy->gates[i].name + strlen("secrets."))));
    }
    require(IS_OK(buf_put_text(yaml, "baselines:\n")));
    require(IS_OK(buf_put(yaml, buf_view(items))));
    require(yaml->len > POLICY_FILE_MAX_BYTES ||
            IS_OK(policy_parse(buf_view(yaml), &again, &problem)));
}

static void check_predictions(const struct policy *policy)
{
    static const struct policy_pcr pcrs[] = {{"sha256", 11, {digest, 32}}};
    static struct policy_claim claims[] = {
        {"uki.section", {(const uint8_t *)".linux:sha256:01", 16}, 0},
        {"kernel.digest", {(const uint8_t *)"sha256:01", 9}, 0}};
    static const struct policy_update update = {pcrs, 1, claims, 2};
    for (size_t i = 0; i < policy->baseline_count && i < 4; i++) {
        AUTO(buf) items = new_buf();
        AUTO(buf) said = new_buf();
        err_t e = policy_predict(policy, &policy->baselines[i], &update, "predicted", items, said);
        require(IS_OK(e) || IS_E(e, FIELD_INVALID));
        if (IS_OK(e)) {
            read_back(policy, items);
        }
    }
}

static void check_pipeline(const struct policy *policy)
{
    struct policy_facts known = known_facts();
    AUTO(buf) items = new_buf();
    AUTO(buf) lines = new_buf();
    AUTO(policy) standard = NULL;
    require(IS_OK(policy_capture(&known, "captured", items)));
    read_back(policy, items);
    require(IS_OK(policy_diff(policy, policy, lines)) && lines->len == 0);
    require(IS_OK(policy_new(&standard)));
    require(IS_OK(policy_diff(standard, policy, lines)));
    require(IS_OK(policy_diff(policy, standard, lines)));
    check_predictions(policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(policy) policy = NULL;
    struct policy_problem problem;
    err_t e = policy_parse(view_of(data, size), &policy, &problem);
    if (!IS_OK(e)) {
        require(!policy && (IS_E(e, NO_MEMORY) || problem.text[0] != '\0'));
        return 0;
    }
    check_verdicts(policy);
    check_pipeline(policy);
    return 0;
}
