/* Patterns with * (any bytes, also none) and ? (one byte). */
#ifndef ITL_POLICY_GLOB_H
#define ITL_POLICY_GLOB_H

#include "base/bytes.h"

/* Whether the whole text matches; time is bounded by the product of the lengths. */
bool policy_glob_matches(struct view pattern, struct view text);

/* The same for letters of either case. */
bool policy_glob_matches_any_case(struct view pattern, struct view text);

#endif
