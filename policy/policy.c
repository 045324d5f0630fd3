#include "policy/policy.h"

#include "policy/bank.h"
#include "policy/baseline_index.h"
#include "policy/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const policy_bank_names[] = {"sha256", "sha384", "sha512", NULL};

size_t policy_bank_digest_bytes(size_t index)
{
    static const size_t bytes[] = {32, 48, 64};
    return bytes[index];
}

size_t policy_bank_index(const char *name)
{
    for (size_t i = 0; policy_bank_names[i]; i++) {
        if (strcmp(name, policy_bank_names[i]) == 0) {
            return i;
        }
    }
    return POLICY_BANK_UNKNOWN;
}

static const char default_ak_keys[POLICY_AK_KEYS_MAX][12] = {"P-384",    "P-521",    "P-256",
                                                             "RSA-4096", "RSA-3072", "RSA-2048"};

enum {
    HIGH_ASSURANCE_AGE_DAYS = 7
}; /* a changed machine that does not come back stays trusted no longer */

#define HOUR_MS (3600 * 1000ULL)

static void set_gates(struct policy *p)
{
    static const char *const names[] = {"config", "certificates", "secrets"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(p->gates[i].name, sizeof p->gates[i].name, "%s", names[i]);
    }
    p->gate_count = sizeof names / sizeof names[0];
}

ERRFN policy_new(struct policy **out_policy)
{
    struct policy *p = calloc(1, sizeof *p);
    ENSURE(p, NO_MEMORY);
    snprintf(p->name, sizeof p->name, "identity-and-quote");
    p->version = 1;
    p->mode = POLICY_MODE_ENFORCE;
    p->trust = POLICY_TRUST_CHAIN_OR_HASH;
    p->certificateless = POLICY_CERTIFICATELESS_REFUSE;
    p->require_quote = true;
    p->pcr_selection[0] = (struct policy_bank){"sha256", 1u << 0 | 1u << 2 | 1u << 4 | 1u << 7};
    p->pcr_selection_count = 1;
    memcpy(p->ak_keys, default_ak_keys, sizeof default_ak_keys);
    p->ak_keys_count = POLICY_AK_KEYS_MAX;
    p->max_age_ms = 24 * HOUR_MS;
    p->reattest_every_ms = 6 * HOUR_MS;
    set_gates(p);
    *out_policy = p;
    return OK;
}

static void free_baseline(struct policy_baseline *baseline)
{
    policy_scope_free(&baseline->scope);
    policy_rules_free(&baseline->rules);
    free(baseline->pcr_values);
}

void policy_free(struct policy *policy)
{
    if (!policy) {
        return;
    }
    for (size_t i = 0; i < policy->baseline_count; i++) {
        free_baseline(&policy->baselines[i]);
    }
    free(policy->baselines);
    baseline_index_free(&policy->index);
    policy_scope_free(&policy->scope);
    policy_rules_free(&policy->rules);
    policy_texts_free(&policy->manufacturers);
    policy_texts_free(&policy->claim_names);
    free(policy->firmware);
    free(policy->exceptions);
    free(policy->pcr_values);
    free(policy->ek_allowed_hashes);
    buf_free(policy->ek_roots);
    buf_free(policy->ek_intermediates);
    buf_free(policy->texts);
    free(policy);
}

static const char *gate_violation(const struct policy *policy)
{
    static const char *const texts[] = {
        "gates.config: telemetry hands a configuration to a machine that fails",
        "gates.certificates: telemetry hands certificates to a machine that fails",
        "gates.secrets: telemetry hands secrets to a machine that fails"};
    for (size_t i = 0; i < policy->gate_count; i++) {
        if (policy->gates[i].mode == POLICY_MODE_TELEMETRY) {
            return texts[i < 2 ? i : 2];
        }
    }
    return NULL;
}

const char *policy_high_assurance_violation(const struct policy *policy)
{
    if (!policy->require_quote) {
        return "quote.required: without a quote nothing is known about what a machine booted";
    }
    if (policy->certificateless != POLICY_CERTIFICATELESS_REFUSE) {
        return "ek.certificateless: a machine without an EK certificate or an allowed hash could "
               "be approved";
    }
    if (policy->mode != POLICY_MODE_ENFORCE) {
        return "mode: telemetry reports a wrong PCR without refusing the machine";
    }
    if (policy->max_age_ms > HIGH_ASSURANCE_AGE_DAYS * 24 * HOUR_MS) {
        return "evidence.max_age: a machine would stay trusted for more than a week without proof";
    }
    return gate_violation(policy);
}

const char *policy_state_name(enum policy_state state)
{
    switch (state) {
    case POLICY_STATE_PENDING:
        return "pending";
    case POLICY_STATE_ACTIVE:
        return "active";
    case POLICY_STATE_OBSOLETE:
        return "obsolete";
    case POLICY_STATE_RETIRED:
        return "retired";
    case POLICY_STATE_REVOKED:
        return "revoked";
    case POLICY_STATE_NONE:
        break;
    }
    return "none";
}
