#include "policy/policy.h"

#include "policy/bank.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const policy_bank_names[] = {"sha256", "sha384", "sha512", NULL};

size_t policy_bank_digest_bytes(size_t index)
{
    static const size_t bytes[] = {32, 48, 64};
    return bytes[index];
}

static const char default_ak_keys[POLICY_AK_KEYS_MAX][12] = {"P-384",    "P-521",    "P-256",
                                                             "RSA-4096", "RSA-3072", "RSA-2048"};

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
    *out_policy = p;
    return OK;
}

void policy_free(struct policy *policy)
{
    if (policy) {
        free(policy->pcr_values);
        free(policy);
    }
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
    return NULL;
}
