/* Reads the accepted PCR values of a policy. */
#ifndef ITL_POLICY_PCR_VALUES_H
#define ITL_POLICY_PCR_VALUES_H

#include "policy/policy.h"
#include "yaml/value.h"

/* {bank: {index: [hexadecimal digest, …]}} into the policy, replacing what it had. Errors:
 * YAML_INVALID, NO_MEMORY. */
ERRFN policy_pcr_values_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                             struct yaml_problem *out_problem);

#endif
