/* Attestation policy: what a machine must prove, and what that unlocks. A document is read once
 * (policy_parse), then facts about a machine are compared with it (policy_evaluate), which is a
 * pure function: no clock, no disk, no allocation. So a candidate is simulated by evaluating it
 * with the facts of each machine's last evidence.
 *
 * A document in YAML; every key with its meaning and default is in policy/reference.yaml:
 *     name version mode scope
 *     ek         trust certificateless expired roots intermediates allowed_hashes manufacturers
 *                firmware
 *     ak         keys
 *     quote      required pcr_selection pcr_values
 *     event_log  required must_replay rules
 *     baselines  name state scope from until pcr_values claims note
 *     exceptions machine rule reason expires once
 *     gates      config certificates secrets
 *     evidence   max_age reattest_every
 * A Defakto AgentAttestation document (`section: AgentAttestation, schema: v1`) is read as well.
 *
 * How a verdict comes about:
 *   1. identity (policy.scope, policy.attestors, ek.trust, ek.expired, ek.manufacturer, ak.key,
 *      quote.required) closes every gate, in every mode;
 *   2. everything else closes the gates that enforce it: ek.firmware, quote.pcr_values, the event
 *      log's replay, its rules, and the baselines;
 *   3. baselines are alternatives: one in force that matches is enough. A revoked one that matches
 *      fails, whatever else matches. One past its `until` matches no more but still counts as
 *      something to match, so that an end of validity never opens a gate;
 *   4. a claim counts only as far as the PCRs it stands in are quoted and replay. */
#ifndef ITL_POLICY_POLICY_H
#define ITL_POLICY_POLICY_H

#include "base/bytes.h"
#include "base/own.h"
#include "policy/baseline.h"
#include "policy/facts.h"
#include "policy/rule.h"
#include "policy/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    POLICY_FILE_MAX_BYTES = 1024 * 1024, /* 1,000 baselines with five PCRs each are 450 KiB */
    POLICY_BANKS_MAX = 3,
    POLICY_AK_KEYS_MAX = 6,
    POLICY_PCR_VALUES_MAX = 1024,  /* 24 PCRs with 40 accepted values each; in one list */
    POLICY_RULES_MAX = 64,         /* in one list; there are 40 names of claims */
    POLICY_RULE_VALUES_MAX = 2048, /* in one rule; the largest dbx has 450 entries */
    POLICY_CLAIM_NAMES_MAX = 256,  /* different ones in one document */
    POLICY_CLAIM_VALUE_SIZE = 513, /* a command line; what the event log reader keeps of a value */
    POLICY_BASELINES_MAX = 1000,   /* ten years of monthly releases on eight kinds of hardware */
    POLICY_EXCEPTIONS_MAX = 256,   /* more say that a rule is wrong */
    POLICY_SCOPE_MAX = 64,         /* names in one list of a scope */
    POLICY_MANUFACTURERS_MAX = 64, /* the TCG registry has 35 */
    POLICY_FIRMWARE_MAX = 64,      /* ranges */
    POLICY_MANUFACTURER_SIZE = 32,
    POLICY_HASHES_MAX = 16384,              /* more do not fit into a document */
    POLICY_HASH_SIZE = 97,                  /* SHA-384 in hex */
    POLICY_MACHINE_SIZE = POLICY_HASH_SIZE, /* UUID or hash of an EK */
    POLICY_GATES_MAX = 3 + POLICY_CLASSES_MAX
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

/* TPM firmware from min to max, both included. A version is the quote's 64-bit firmwareVersion read
 * as four 16-bit numbers from the most significant: 7.85.17.51968. One that is given with fewer
 * numbers means everything that begins so. */
struct policy_firmware {
    char manufacturer[POLICY_MANUFACTURER_SIZE]; /* empty: any */
    uint64_t min;
    uint64_t max;
};

/* Lets one machine off one rule for a time. ek.trust, ak.key, quote.required, policy.… and
 * baseline.revoked know no exception. */
struct policy_exception {
    char machine[POLICY_MACHINE_SIZE]; /* UUID, or SHA-384 or SHA-256 of the EK, in lower case */
    char rule[POLICY_RULE_SIZE];
    char reason[POLICY_VALUE_SIZE];
    uint64_t expires_ms;
    bool once;
};

/* [0] is config, [1] certificates, [2] secrets of no special class, then "secrets.<class>". */
struct policy_gate {
    char name[POLICY_GATE_SIZE];
    enum policy_mode mode; /* NONE: the policy's */
};

struct policy {
    char name[POLICY_NAME_SIZE];
    uint32_t version;
    enum policy_mode mode; /* of gates without one of their own */
    struct policy_scope scope;

    enum policy_trust trust;
    enum policy_certificateless certificateless;
    bool refuse_expired;
    struct buf *ek_roots;         /* PEM; NULL when the document has none */
    struct buf *ek_intermediates; /* PEM; NULL when the document has none */
    bool ek_roots_only; /* no roots but these: the document is a complete list (Defakto) */
    char (*ek_allowed_hashes)[POLICY_HASH_SIZE]; /* sorted, lower case; SHA-256 or SHA-384 */
    size_t ek_allowed_hash_count;
    struct policy_texts manufacturers;
    struct policy_firmware *firmware;
    size_t firmware_count;
    bool unauthorized; /* each policy of the document asks for an attestor there is not */

    char ak_keys[POLICY_AK_KEYS_MAX][12]; /* "P-384", "RSA-2048", … */
    size_t ak_keys_count;

    bool require_quote;
    struct policy_bank pcr_selection[POLICY_BANKS_MAX];
    size_t pcr_selection_count;
    struct policy_pcr_value *pcr_values; /* owned */
    size_t pcr_values_count;

    bool require_event_log;
    uint32_t must_replay; /* 0: each quoted PCR that the log extends */
    struct policy_rules rules;
    struct policy_texts claim_names; /* of all rules, in no order */
    struct policy_baseline *baselines;
    size_t baseline_count;
    struct policy_index index; /* of the baselines */
    struct policy_exception *exceptions;
    size_t exception_count;
    struct policy_gate gates[POLICY_GATES_MAX];
    size_t gate_count;
    uint64_t max_age_ms;
    uint64_t reattest_every_ms;

    struct buf *texts; /* what the views point into */
};

/* Reads one YAML document. Errors: POLICY_INVALID, CA_CERTS_NO_PEM and INTERMEDIATE_CERTS_NO_PEM
 * with out_problem filled in; NO_MEMORY. */
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

/* Compares facts with policy. */
void policy_evaluate(const struct policy *policy, const struct policy_facts *facts,
                     struct policy_verdict *out_verdict);

/* "7.85.17.51968" of a firmware version; `size` of 24 is always enough. */
void policy_firmware_text(uint64_t version, char *out_text, size_t size);

#endif
