/* Writes baselines as YAML, in the form in which they are read. */
#ifndef ITL_POLICY_BASELINE_YAML_H
#define ITL_POLICY_BASELINE_YAML_H

#include "policy/policy.h"

/* "- name: …" with state pending. Errors: FIELD_INVALID for a name no document may have. */
ERRFN baseline_yaml_begin(struct buf *out, const char *name);

/* A comment at the level of a baseline's keys; `text` is cut at what is not printable. */
ERRFN baseline_yaml_comment(struct buf *out, const char *text);

/* Nothing for a scope that covers everything. */
ERRFN baseline_yaml_scope(struct buf *out, const struct policy_scope *scope);

/* One value of one PCR; those of one bank and of one PCR must follow one another. `previous` is the
 * value written before, NULL at the first. */
ERRFN baseline_yaml_pcr(struct buf *out, const struct policy_pcr_value *value,
                        const struct policy_pcr_value *previous);

/* A rule about the claim of this name; `first` writes the key above. */
ERRFN baseline_yaml_rule(struct buf *out, const struct policy_rule *rule, struct view claim,
                         const char *gate, bool first);

/* Can this text stand in a rule? */
bool baseline_yaml_can_hold(struct view value);

#endif
