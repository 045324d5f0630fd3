/* Typed values of a YAML tree. Each fills in out_problem, saying what was expected, when it returns
 * YAML_INVALID. */
#ifndef ITL_YAML_VALUE_H
#define ITL_YAML_VALUE_H

#include "yaml/tree.h"

/* Plain true or false. */
ERRFN yaml_value_bool(const struct yaml_tree *tree, uint32_t node, bool *out_value,
                      struct yaml_problem *out_problem);

/* A plain decimal number without sign from min to max. */
ERRFN yaml_value_number(const struct yaml_tree *tree, uint32_t node, uint32_t min, uint32_t max,
                        uint32_t *out_value, struct yaml_problem *out_problem);

/* A scalar that is not null: clean UTF-8, one line, not empty, copied with a NUL into `size` bytes.
 */
ERRFN yaml_value_text(const struct yaml_tree *tree, uint32_t node, char *out_text, size_t size,
                      struct yaml_problem *out_problem);

/* One of `names` (ended by NULL), as its index. */
ERRFN yaml_value_choice(const struct yaml_tree *tree, uint32_t node, const char *const *names,
                        size_t *out_index, struct yaml_problem *out_problem);

/* A list of different numbers from 0 to max (at most 31), as bits. Empty is an error. */
ERRFN yaml_value_mask(const struct yaml_tree *tree, uint32_t node, uint32_t max, uint32_t *out_mask,
                      struct yaml_problem *out_problem);

/* A time in RFC 3339, as 2026-11-22T10:11:12Z, in milliseconds since 1970. */
ERRFN yaml_value_time(const struct yaml_tree *tree, uint32_t node, uint64_t *out_utc_ms,
                      struct yaml_problem *out_problem);

/* A whole number of seconds, minutes, hours or days from min_ms to max_ms, as 90s, 30m, 24h, 7d. */
ERRFN yaml_value_duration(const struct yaml_tree *tree, uint32_t node, uint64_t min_ms,
                          uint64_t max_ms, uint64_t *out_ms, struct yaml_problem *out_problem);

ERRFN yaml_value_is_mapping(const struct yaml_tree *tree, uint32_t node,
                            struct yaml_problem *out_problem);
ERRFN yaml_value_is_sequence(const struct yaml_tree *tree, uint32_t node, size_t max,
                             struct yaml_problem *out_problem);

#endif
