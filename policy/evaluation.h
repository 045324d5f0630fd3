/* One evaluation while it runs: the policy, the facts in a form that is quick to ask, and the
 * verdict so far. */
#ifndef ITL_POLICY_EVALUATION_H
#define ITL_POLICY_EVALUATION_H

#include "policy/policy.h"

enum {
    EVALUATION_OWN_CLAIMS = 5, /* tpm_ek.… */
    EVALUATION_CLAIMS_MAX = POLICY_CLAIMS_MAX + EVALUATION_OWN_CLAIMS
};

struct evaluation {
    const struct policy *policy;
    const struct policy_facts *facts;
    struct policy_verdict *verdict;

    struct view pcrs[POLICY_BANKS_MAX][POLICY_PCR_COUNT]; /* empty where not known */
    uint32_t replays; /* quoted PCRs that the log explains: what it says of them is proved */

    /* Claims by name: those of policy->claim_names[i] are order[first[i]] to order[first[i + 1]].
     */
    struct policy_claim own[EVALUATION_OWN_CLAIMS];
    uint16_t order[EVALUATION_CLAIMS_MAX];
    uint16_t first[POLICY_CLAIM_NAMES_MAX + 1];
    bool truncated;

    uint16_t excuses[POLICY_EXCEPTIONS_USED_MAX]; /* exceptions that this machine may use */
    size_t excuse_count;

    bool locked;              /* identity failed: no gate opens in any mode */
    uint64_t failed;          /* gates that something failed for, by bit */
    uint64_t bound_until_ms;  /* what the verdict leans on ends then */
    struct policy_part *part; /* that failures count for now */
};

/* What a look at values or rules is for. */
enum look {
    LOOK_MATCH,  /* do they hold? Stops at the first that does not */
    LOOK_COUNT,  /* how many do not hold? */
    LOOK_REPORT, /* adds a failure for each that does not, or that an exception is used for */
};

/* verdict.c */

/* Identity: closes all gates always, and knows no exception unless `excusable`. */
void evaluation_fail_identity(struct evaluation *e, const struct policy_failure *failure,
                              err_t reason, bool excusable);

/* Closes `gate` (1 + index; 0 for all) where that enforces; with failure->telemetry none. An
 * exception for the rule's name excuses it. */
void evaluation_fail(struct evaluation *e, const struct policy_failure *failure, err_t reason,
                     uint8_t gate);

void evaluation_conclude(struct evaluation *e);

#define WRITE(member, ...) snprintf((member), sizeof(member), __VA_ARGS__)

/* Text from outside into a report: what is not printable ASCII becomes "?", and it is cut. */
void evaluation_clean_text(struct view text, char *out_text, size_t size);

/* "PCR 0, 2, 7". */
void evaluation_list_pcrs(uint32_t mask, char *out_text, size_t size);

/* excuse.c */
void evaluation_find_excuses(struct evaluation *e);
bool evaluation_has_excuse(const struct evaluation *e, const char *rule);
void evaluation_use_excuse(struct evaluation *e, const char *rule);

/* evaluate_identity.c */
void evaluation_check_identity(struct evaluation *e);

/* `unknown`: whether what is not known of the machine is taken to be in the scope. */
bool evaluation_in_scope(const struct evaluation *e, const struct policy_scope *scope,
                         bool unknown);
void evaluation_report_scope(struct evaluation *e);

/* evaluate_firmware.c */
void evaluation_check_firmware(struct evaluation *e);

/* evaluate_pcrs.c: how many PCRs do not have an accepted value. With `excuses`, those that an
 * exception covers do not count. */
size_t evaluation_look_at_pcrs(struct evaluation *e, const struct policy_pcr_value *values,
                               size_t count, enum look look, bool excuses, err_t reason);

/* Whether some PCR has a value, and one that is not accepted. */
bool evaluation_pcrs_rule_out(const struct evaluation *e, const struct policy_pcr_value *values,
                              size_t count);

/* evaluate_log.c */
void evaluation_check_log(struct evaluation *e);

/* evaluate_rules.c */
void evaluation_index_claims(struct evaluation *e);

/* UNPROVEN: what the rule asks about is not quoted, does not replay or was cut off. */
enum rule_outcome { RULE_UNPROVEN = 0, RULE_HOLDS, RULE_FAILS };
enum rule_outcome evaluation_rule(const struct evaluation *e, const struct policy_rule *rule);

/* Reports the rules that do not hold. `deciding` and `others` say which: those without gate and
 * telemetry, and the rest. */
void evaluation_report_rules(struct evaluation *e, const struct policy_rules *rules, bool deciding,
                             bool others, err_t reason);
bool evaluation_rule_decides(const struct policy_rule *rule);

/* Iterates over the proved claims a rule is about; start with *cursor 0. NULL at the end. */
const struct policy_claim *evaluation_next_claim(const struct evaluation *e,
                                                 const struct policy_rule *rule, size_t *cursor);

/* explain_rule.c */
void evaluation_explain_rule(const struct evaluation *e, const struct policy_rule *rule,
                             struct policy_failure *out_failure);

/* evaluate_baselines.c */
void evaluation_check_baselines(struct evaluation *e);

#endif
