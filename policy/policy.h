/* Attestation policy: what a machine must prove. A document is read once (policy_parse), then facts
 * about a machine are compared with it (policy_evaluate), which is a pure function: no clock, no
 * disk, no allocation. */
#ifndef ITL_POLICY_POLICY_H
#define ITL_POLICY_POLICY_H

#include "base/bytes.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    POLICY_FILE_MAX_BYTES = 256 * 1024,
    POLICY_NAME_SIZE = 64,
    POLICY_BANKS_MAX = 3,
    POLICY_AK_KEYS_MAX = 6,
    POLICY_PCR_COUNT =
        24, /* PCRs of a PC client TPM (TCG PC Client Platform TPM Profile section 4.6) */
    POLICY_PCR_VALUES_MAX = 1024, /* 24 PCRs with 40 accepted values each */
    POLICY_DIGEST_MAX_BYTES = 64,
    POLICY_FAILURES_MAX = 32,
    POLICY_RULE_SIZE = 64,
    POLICY_VALUE_SIZE = 192
};

/* As config_problem: line and column start at 1, 0 when the fault is not at one place. */
struct policy_problem {
    char text[256];
    unsigned line;
    unsigned column;
    char path[128];
};

/* One row of the PCRs that must be quoted. */
struct policy_bank {
    char bank[8];  /* "sha256", "sha384" or "sha512" */
    uint32_t mask; /* bit i is PCR i, 0 to 23 */
};

/* One accepted value of one PCR. A PCR without any is quoted but not compared. */
struct policy_pcr_value {
    char bank[8];
    uint8_t index;
    uint8_t digest_len;
    uint8_t digest[POLICY_DIGEST_MAX_BYTES];
};

/* Telemetry reports failed pcr.* rules without enforcing them; identity (ek.trust, ak.key) and
 * quote.required are enforced always. */
enum policy_mode { POLICY_MODE_NONE = 0, POLICY_MODE_ENFORCE, POLICY_MODE_TELEMETRY };

/* What makes an EK trusted. */
enum policy_trust {
    POLICY_TRUST_NONE = 0,
    POLICY_TRUST_CHAIN_OR_HASH,
    POLICY_TRUST_CHAIN,
    POLICY_TRUST_HASH,
    POLICY_TRUST_CHAIN_AND_HASH
};

/* What an EK without a certificate, whose hash is not allowed either, gets: a refusal, or an
 * operator's decision. */
enum policy_certificateless {
    POLICY_CERTIFICATELESS_NONE = 0,
    POLICY_CERTIFICATELESS_REFUSE,
    POLICY_CERTIFICATELESS_PENDING
};

struct policy {
    char name[POLICY_NAME_SIZE];
    uint32_t version;
    enum policy_mode mode;
    enum policy_trust trust;
    enum policy_certificateless certificateless;
    bool require_quote;
    struct policy_bank pcr_selection[POLICY_BANKS_MAX];
    size_t pcr_selection_count;
    char ak_keys[POLICY_AK_KEYS_MAX][12]; /* "P-384", "RSA-2048", … */
    size_t ak_keys_count;
    struct policy_pcr_value *pcr_values; /* owned */
    size_t pcr_values_count;
};

/* Reads one YAML document (docs of each key: policy/defaults/identity-and-quote.yaml). Errors:
 * POLICY_INVALID, with out_problem filled in; NO_MEMORY. */
ERRFN policy_parse(struct view yaml, struct policy **out_policy,
                   struct policy_problem *out_problem);

/* The shipped default: identity and a quote over PCR 0, 2, 4 and 7 of SHA-256, no golden values.
 * For callers that set the fields themselves. Errors: NO_MEMORY. */
ERRFN policy_new(struct policy **out_policy);

void policy_free(struct policy *policy);
AUTO_DEFINE(policy, struct policy, policy_free);

/* The first reason why this policy is weaker than high-assurance mode allows, a static text naming
 * the key; NULL when it is not. */
const char *policy_high_assurance_violation(const struct policy *policy);

/* One verified PCR value. */
struct policy_pcr {
    const char *bank;
    uint8_t index;
    struct view digest;
};

/* What was verified about a machine; borrowed for the call. */
struct policy_facts {
    bool quoted; /* a quote was verified and covers exactly the policy's selection */
    const struct policy_pcr
        *pcrs; /* the values that hash to the quoted digest; ignored without a quote. A PCR
                  that the policy has values for and that is missing here fails */
    size_t pcr_count;
    const char *ak_key; /* "P-384", …; NULL when no AK is known */
    bool ek_has_certificate;
    bool ek_chain_trusted;
    bool ek_hash_allowed;
};

enum policy_result {
    POLICY_RESULT_NONE = 0,
    POLICY_RESULT_PASS,
    POLICY_RESULT_FAIL,
    POLICY_RESULT_TELEMETRY
};

/* Rules: ek.trust, ak.key, quote.required, pcr.<bank>.<index> ("pcr.sha256.7"). Texts are bounded
 * and hold no secret. */
struct policy_failure {
    char rule[POLICY_RULE_SIZE];
    char expected[POLICY_VALUE_SIZE];
    char actual[POLICY_VALUE_SIZE];
};

/* TELEMETRY: the machine may go on, and `failures` is what enforcement would have said. When more
 * than POLICY_FAILURES_MAX rules fail, failure_count is the maximum and `more` is set. */
struct policy_verdict {
    enum policy_result result;
    bool more;
    size_t failure_count;
    struct policy_failure failures[POLICY_FAILURES_MAX];
};

/* Compares facts with policy. */
void policy_evaluate(const struct policy *policy, const struct policy_facts *facts,
                     struct policy_verdict *out_verdict);

/* "pass", "fail", "telemetry"; "not_evaluated" for NONE. */
const char *policy_result_name(enum policy_result result);

#endif
