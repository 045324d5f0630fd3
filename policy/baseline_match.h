/* How one baseline stands to the machine that is evaluated. */
#ifndef ITL_POLICY_BASELINE_MATCH_H
#define ITL_POLICY_BASELINE_MATCH_H

#include "policy/evaluation.h"

/* What a baseline is at this moment, whatever is written beside its name. */
enum force {
    FORCE_NONE = 0,
    FORCE_NOT_YET, /* pending, or before `from` */
    FORCE_ACTIVE,
    FORCE_OBSOLETE,
    FORCE_ENDED,   /* past `until`: matches no more, but does not stop asking */
    FORCE_RETIRED, /* by an operator: asks nothing */
    FORCE_REVOKED
};

enum force baseline_force(const struct policy_baseline *b, uint64_t now_ms);

/* Must some baseline match where this one is? */
bool baseline_asks(enum force force);

/* PCRs and deciding rules that do not hold; with LOOK_MATCH 0 or not. With `excuses`, those that an
 * exception covers do not count. */
size_t baseline_differences(struct evaluation *e, const struct policy_baseline *b, enum look look,
                            bool excuses);
bool baseline_matches(struct evaluation *e, const struct policy_baseline *b, bool excuses);

/* Adds a failure for each difference. */
void baseline_report_differences(struct evaluation *e, const struct policy_baseline *b);

/* explain_baseline.c: says that none matches, and which is nearest. There are `asking`, at least
 * one. */
void baseline_refuse(struct evaluation *e, size_t asking);

#endif
