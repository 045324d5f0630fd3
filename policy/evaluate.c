#include "policy/policy.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* Takes over a row, or only notes that there was one when there is no room. */
static void add_failure(struct policy_verdict *v, const struct policy_failure *failure)
{
    if (v->failure_count == POLICY_FAILURES_MAX) {
        v->more = true;
        return;
    }
    v->failures[v->failure_count++] = *failure;
}

#define WRITE(member, ...) snprintf((member), sizeof(member), __VA_ARGS__)

static bool is_ek_trusted(const struct policy *p, const struct policy_facts *f)
{
    bool chain = f->ek_has_certificate && f->ek_chain_trusted;
    if (!f->ek_has_certificate && p->certificateless == POLICY_CERTIFICATELESS_PENDING) {
        return true; /* an operator decides, knowingly */
    }
    switch (p->trust) {
    case POLICY_TRUST_CHAIN_OR_HASH:
        return chain || f->ek_hash_allowed;
    case POLICY_TRUST_CHAIN:
        return chain;
    case POLICY_TRUST_HASH:
        return f->ek_hash_allowed;
    case POLICY_TRUST_CHAIN_AND_HASH:
        return chain && f->ek_hash_allowed;
    case POLICY_TRUST_NONE:
        break;
    }
    return false;
}

static const char *expected_trust(enum policy_trust trust)
{
    switch (trust) {
    case POLICY_TRUST_CHAIN_OR_HASH:
        return "a certificate that leads to a trusted root, or an allowed hash";
    case POLICY_TRUST_CHAIN:
        return "a certificate that leads to a trusted root";
    case POLICY_TRUST_HASH:
        return "an allowed hash";
    case POLICY_TRUST_CHAIN_AND_HASH:
        return "a certificate that leads to a trusted root, and an allowed hash";
    case POLICY_TRUST_NONE:
        break;
    }
    return "a rule that says what is trusted";
}

static void check_ek(const struct policy *p, const struct policy_facts *f, struct policy_verdict *v)
{
    if (is_ek_trusted(p, f)) {
        return;
    }
    struct policy_failure failure = {.rule = "ek.trust"};
    const char *certificate = !f->ek_has_certificate ? "no certificate"
                              : f->ek_chain_trusted  ? "a trusted certificate"
                                                     : "a certificate that is not trusted";
    WRITE(failure.expected, "%s", expected_trust(p->trust));
    WRITE(failure.actual, "%s, hash %s", certificate,
          f->ek_hash_allowed ? "allowed" : "not allowed");
    add_failure(v, &failure);
}

static void join_ak_keys(const struct policy *p, char *out_text, size_t size)
{
    out_text[0] = '\0';
    for (size_t i = 0; i < p->ak_keys_count; i++) {
        size_t at = strlen(out_text);
        snprintf(out_text + at, size - at, "%s%s", i > 0 ? ", " : "", p->ak_keys[i]);
    }
}

static void check_ak(const struct policy *p, const struct policy_facts *f, struct policy_verdict *v)
{
    for (size_t i = 0; f->ak_key && i < p->ak_keys_count; i++) {
        if (strcmp(f->ak_key, p->ak_keys[i]) == 0) {
            return;
        }
    }
    struct policy_failure failure = {.rule = "ak.key"};
    join_ak_keys(p, failure.expected, sizeof failure.expected);
    WRITE(failure.actual, "%s", f->ak_key ? f->ak_key : "none");
    add_failure(v, &failure);
}

static void check_quote(const struct policy *p, const struct policy_facts *f,
                        struct policy_verdict *v)
{
    if (f->quoted || !p->require_quote) {
        return;
    }
    struct policy_failure failure = {
        .rule = "quote.required", .expected = "a quote", .actual = "none"};
    add_failure(v, &failure);
}

static const struct policy_pcr *find_pcr(const struct policy_facts *f, const char *bank,
                                         uint8_t index)
{
    for (size_t i = 0; f->quoted && i < f->pcr_count; i++) {
        if (f->pcrs[i].index == index && strcmp(f->pcrs[i].bank, bank) == 0) {
            return &f->pcrs[i];
        }
    }
    return NULL;
}

static bool is_same_pcr(const struct policy_pcr_value *a, const struct policy_pcr_value *b)
{
    return a->index == b->index && strcmp(a->bank, b->bank) == 0;
}

static bool is_accepted(const struct policy *p, const struct policy_pcr_value *of,
                        const struct policy_pcr *pcr)
{
    for (size_t i = 0; i < p->pcr_values_count; i++) {
        const struct policy_pcr_value *value = &p->pcr_values[i];
        if (is_same_pcr(value, of) &&
            view_equal(view_of(value->digest, value->digest_len), pcr->digest)) {
            return true;
        }
    }
    return false;
}

static size_t count_values(const struct policy *p, const struct policy_pcr_value *of)
{
    size_t count = 0;
    for (size_t i = 0; i < p->pcr_values_count; i++) {
        count += is_same_pcr(&p->pcr_values[i], of);
    }
    return count;
}

static void report_pcr(const struct policy *p, const struct policy_pcr_value *value,
                       const struct policy_pcr *pcr, struct policy_verdict *v)
{
    struct policy_failure failure = {0};
    WRITE(failure.rule, "pcr.%s.%u", value->bank, (unsigned)value->index);
    char hex[HEX_TEXT_SIZE(POLICY_DIGEST_MAX_BYTES)];
    hex_encode(view_of(value->digest, value->digest_len), hex);
    size_t others = count_values(p, value) - 1;
    WRITE(failure.expected, "%s", hex);
    if (others > 0) {
        WRITE(failure.expected, "%s or one of %zu other values", hex, others);
    }
    WRITE(failure.actual, "no value");
    if (pcr && pcr->digest.len > 0 && pcr->digest.len <= POLICY_DIGEST_MAX_BYTES) {
        hex_encode(pcr->digest, hex);
        WRITE(failure.actual, "%s", hex);
    }
    add_failure(v, &failure);
}

/* Values of one PCR stand together in the policy, as the reader left them; the first of each
 * decides for all. */
static void check_pcrs(const struct policy *p, const struct policy_facts *f,
                       struct policy_verdict *v)
{
    for (size_t i = 0; f->quoted && i < p->pcr_values_count; i++) {
        const struct policy_pcr_value *value = &p->pcr_values[i];
        if (i > 0 && is_same_pcr(value, value - 1)) {
            continue;
        }
        const struct policy_pcr *pcr = find_pcr(f, value->bank, value->index);
        if (!pcr || !is_accepted(p, value, pcr)) {
            report_pcr(p, value, pcr, v);
        }
    }
}

void policy_evaluate(const struct policy *policy, const struct policy_facts *facts,
                     struct policy_verdict *out_verdict)
{
    struct policy_verdict *v = out_verdict;
    memset(v, 0, sizeof *v);
    check_ek(policy, facts, v);
    check_ak(policy, facts, v);
    check_quote(policy, facts, v);
    bool identity_failed = v->failure_count > 0;
    check_pcrs(policy, facts, v);
    if (v->failure_count == 0) {
        v->result = POLICY_RESULT_PASS;
    } else if (!identity_failed && policy->mode == POLICY_MODE_TELEMETRY) {
        v->result = POLICY_RESULT_TELEMETRY;
    } else {
        v->result = POLICY_RESULT_FAIL;
    }
}

const char *policy_result_name(enum policy_result result)
{
    switch (result) {
    case POLICY_RESULT_PASS:
        return "pass";
    case POLICY_RESULT_FAIL:
        return "fail";
    case POLICY_RESULT_TELEMETRY:
        return "telemetry";
    case POLICY_RESULT_NONE:
        break;
    }
    return "not_evaluated";
}
