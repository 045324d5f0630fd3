/* Finds, among many baselines, the few that can match: by the value of the one PCR in which they
 * differ most. */
#ifndef ITL_POLICY_BASELINE_INDEX_H
#define ITL_POLICY_BASELINE_INDEX_H

#include "policy/policy.h"

/* Makes policy->index from its baselines. Errors: NO_MEMORY. */
ERRFN baseline_index_build(struct policy *policy);

void baseline_index_free(struct policy_index *index);

/* Walks over the baselines that a machine with this value of the index's PCR can match, in the
 * order of the document. */
struct baseline_cursor {
    const struct policy_index *index;
    uint64_t prefix;
    size_t entry;
    size_t rest;
};

struct baseline_cursor baseline_cursor_begin(const struct policy_index *index, struct view value);

/* False at the end. A baseline with two values of the same first bytes may come twice in a row. */
bool baseline_cursor_next(struct baseline_cursor *cursor, size_t *out_baseline);

#endif
