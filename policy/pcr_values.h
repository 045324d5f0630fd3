/* Reads lists of accepted PCR values. */
#ifndef ITL_POLICY_PCR_VALUES_H
#define ITL_POLICY_PCR_VALUES_H

#include "policy/policy.h"
#include "yaml/value.h"

/* {bank: {index: [hexadecimal digest, …]}} into a new array, replacing the one before. Errors:
 * YAML_INVALID, NO_MEMORY. */
ERRFN policy_pcr_values_read(const struct yaml_tree *tree, uint32_t node,
                             struct policy_pcr_value **values, size_t *count,
                             struct yaml_problem *out_problem);

/* Values need a required quote that covers their PCRs. Errors: YAML_INVALID, naming `node`. */
ERRFN policy_pcr_values_check(const struct policy *policy, const struct policy_pcr_value *values,
                              size_t count, const struct yaml_tree *tree, uint32_t node,
                              struct yaml_problem *out_problem);

bool policy_pcr_selected(const struct policy *policy, const char *bank, unsigned index);

#endif
