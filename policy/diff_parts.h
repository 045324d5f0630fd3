/* The parts of a comparison of policies. Each appends a sentence a line. */
#ifndef ITL_POLICY_DIFF_PARTS_H
#define ITL_POLICY_DIFF_PARTS_H

#include "policy/policy.h"

/* One side of a comparison: rules mean what the names of their policy say. */
struct diff_rules {
    const struct policy *policy;
    const struct policy_rules *rules;
};

/* Sentences begin with `where`: "event_log.rules" or "baseline talos-1.12". */
ERRFN diff_rules(struct buf *out, const char *where, struct diff_rules from, struct diff_rules to);

struct diff_values {
    const struct policy_pcr_value *values;
    size_t count;
};
ERRFN diff_pcr_values(struct buf *out, const char *where, struct diff_values from,
                      struct diff_values to);

ERRFN diff_texts(struct buf *out, const char *where, const struct policy_texts *from,
                 const struct policy_texts *to);
ERRFN diff_scopes(struct buf *out, const char *where, const struct policy_scope *from,
                  const struct policy_scope *to);

ERRFN diff_baselines(struct buf *out, const struct policy *from, const struct policy *to);
ERRFN diff_exceptions(struct buf *out, const struct policy *from, const struct policy *to);
ERRFN diff_gates(struct buf *out, const struct policy *from, const struct policy *to);

#endif
