/* Rules of a policy: what the event log, or the EK certificate, must say. Compiled while a document
 * is read: names are numbers, lists are sorted. */
#ifndef ITL_POLICY_RULE_H
#define ITL_POLICY_RULE_H

#include "base/bytes.h"
#include "policy/verdict.h"

/* A list of texts, sorted by bytes unless said otherwise; the bytes belong to the policy. */
struct policy_texts {
    struct view *items;
    size_t count;
};

enum policy_op {
    POLICY_OP_NONE = 0,
    POLICY_OP_EQUALS,    /* has this value and no other */
    POLICY_OP_ONE_OF,    /* has one value, from the list */
    POLICY_OP_CONTAINS,  /* has each value of the list */
    POLICY_OP_SUBSET_OF, /* has values from the list only */
    POLICY_OP_EXCLUDES,  /* has values, none of the list */
    POLICY_OP_ABSENT,    /* has no value */
    POLICY_OP_MATCHES,   /* each value matches the pattern */
    POLICY_OP_AT_LEAST   /* has that many values */
};

/* What the event log, or the EK certificate (tpm_ek.…), must say. */
struct policy_rule {
    char name[POLICY_NAME_SIZE];
    uint16_t claim; /* index of policy->claim_names */
    enum policy_op op;
    struct policy_texts values; /* what op compares with */
    uint32_t count;             /* of AT_LEAST */
    uint32_t pcrs;              /* must be quoted and replay; 0 for claims of the EK */
    uint8_t gate;               /* 1 + index of policy->gates; 0 for all */
    bool telemetry;
};

struct policy_rules {
    struct policy_rule *rule;
    size_t count;
};

#endif
