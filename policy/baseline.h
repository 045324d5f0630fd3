/* Baselines of a policy: software that a machine may, or may not, run. */
#ifndef ITL_POLICY_BASELINE_H
#define ITL_POLICY_BASELINE_H

#include "policy/facts.h"
#include "policy/rule.h"

/* One accepted value of one PCR. A PCR without any is quoted but not compared. Those of one PCR
 * stand together. */
struct policy_pcr_value {
    char bank[8];
    uint8_t index;
    uint8_t digest_len;
    uint8_t digest[POLICY_DIGEST_MAX_BYTES];
};

/* Which machines are meant; an empty list means all. Names may have * and ?. A machine whose EK
 * chain is not trusted has no manufacturer and no model. */
struct policy_scope {
    struct policy_texts roles;
    struct policy_texts clusters;
    struct policy_texts manufacturers;
    struct policy_texts models;
};

enum policy_state {
    POLICY_STATE_NONE = 0,
    POLICY_STATE_PENDING, /* never matches: proposed, or not rolled out yet */
    POLICY_STATE_ACTIVE,
    POLICY_STATE_OBSOLETE, /* matches with a note */
    POLICY_STATE_RETIRED,  /* never matches */
    POLICY_STATE_REVOKED   /* what matches it fails */
};

/* A rule with a gate or with severity telemetry does not decide whether the baseline matches. */
struct policy_baseline {
    char name[POLICY_NAME_SIZE];
    enum policy_state state;
    struct policy_scope scope;
    uint64_t from_ms;  /* 0: always */
    uint64_t until_ms; /* 0: never ends */
    struct policy_pcr_value *pcr_values;
    size_t pcr_values_count;
    struct policy_rules rules;
    char note[POLICY_VALUE_SIZE];
};

/* Made when a document is read; without entries and rest there is none and every baseline is looked
 * at. */
struct policy_index_entry {
    uint64_t prefix; /* the first bytes of a value */
    uint16_t baseline;
};

struct policy_index {
    size_t bank; /* of the PCR in which baselines differ most */
    unsigned pcr;
    struct policy_index_entry *entries; /* its values, sorted */
    size_t entry_count;
    uint16_t *rest; /* baselines that do not pin it */
    size_t rest_count;
};

/* "pending" … "revoked"; "none". */
const char *policy_state_name(enum policy_state state);

#endif
