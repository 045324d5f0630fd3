/* Golden measurements as a pipeline: a baseline is captured from verified evidence or predicted
 * from another one, read by a person (diff.h), tried on the fleet's last evidence
 * (policy_evaluate), and only then made active. Both functions propose: what they write is pending.
 */
#ifndef ITL_POLICY_GOLDEN_H
#define ITL_POLICY_GOLDEN_H

#include "policy/policy.h"

/* Appends a baseline called `name` as an item for `baselines:` in YAML: every quoted PCR but 1, and
 * the claims worth pinning whose PCRs replay; what is left out is named in comments. The name must
 * be one that a document may have. Errors: FIELD_INVALID for another name or without a quote,
 * TOO_LONG past the buffer's maximum (what was appended until then stays), NO_MEMORY. */
ERRFN policy_capture(const struct policy_facts *facts, const char *name, struct buf *out_yaml);

/* What is known of the next release before any machine runs it: PCR values from the image's build,
 * and claims: uki.section (".linux:sha256:…"), kernel.digest, boot.application. */
struct policy_update {
    const struct policy_pcr *pcrs;
    size_t pcr_count;
    const struct policy_claim *claims;
    size_t claim_count;
};

/* Appends `baseline` under another name with the update in place of what it pinned. A value that
 * changes with the update and was not given is dropped; out_said gets a sentence a line about each
 * thing replaced or dropped. Errors: FIELD_INVALID for a bad name, an update without anything in
 * it, or when nothing is left; TOO_LONG, NO_MEMORY. */
ERRFN policy_predict(const struct policy *policy, const struct policy_baseline *baseline,
                     const struct policy_update *update, const char *name, struct buf *out_yaml,
                     struct buf *out_said);

#endif
