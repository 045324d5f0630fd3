/* The policy in force: the version that was activated last; before the first activation the file or the settings of appliance.yaml.
 * Swapped whole, between two batches, once its activation is on disk. */
#ifndef ITL_SIGNER_IN_FORCE_H
#define ITL_SIGNER_IN_FORCE_H

#include "signer/signer.h"

/* For the start. Errors: POLICY_INVALID, with out_subject naming the file, the version or the key at fault; those of sql/policies.h. */
ERRFN in_force_load(struct signer *s, const char **out_subject);

/* After a committed activation. */
ERRFN in_force_reload(struct signer *s);

/* Whether this text could be activated: readable, with certificates that are some, and not weaker than high-assurance mode allows. Errors: POLICY_INVALID, with
 * out_problem filled in; NO_MEMORY. */
ERRFN in_force_read(const struct signer *s, struct view yaml, struct policy **out_policy, struct policy_problem *out_problem);

/* What a policy trusts EKs by: its own certificates and hashes, and those of appliance.yaml unless its list is complete. Errors:
 * POLICY_INVALID, with out_problem filled in. */
ERRFN in_force_trust(const struct signer *s, const struct policy *policy, struct trust **out_trust, struct policy_problem *out_problem);

/* The PCRs that a policy wants quoted. Errors: POLICY_INVALID for a bank that is not one of ours. */
ERRFN in_force_selection(const struct policy *policy, struct pcr_selection *out_selection);

#endif
