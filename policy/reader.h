/* What the readers of a policy document's sections share. Each fills in out_problem when it returns
 * YAML_INVALID (or CA_CERTS_NO_PEM, INTERMEDIATE_CERTS_NO_PEM). */
#ifndef ITL_POLICY_READER_H
#define ITL_POLICY_READER_H

#include "policy/policy.h"
#include "yaml/fields.h"
#include "yaml/value.h"

/* A document while it is read. Sections that name gates, PCRs or rules wait until those are known.
 */
struct policy_reading {
    struct policy *policy;
    uint32_t rules; /* nodes; YAML_NODE_NONE where the document has none */
    uint32_t baselines;
    uint32_t exceptions;
};

/* Loops over the items of a sequence. */
#define EACH_ITEM(tree, sequence, item)                                         \
    for (uint32_t item = (sequence) + 1; item < (tree)->nodes[(sequence)].next; \
         item = (tree)->nodes[item].next)

/* Gets room for `len` bytes of text, all that a document of that size can ask to keep. */
ERRFN policy_texts_reserve(struct policy *policy, size_t len);

/* A copy that lives as long as the policy. Errors: TOO_LONG past what was reserved. */
ERRFN policy_texts_keep(struct policy *policy, struct view text, struct view *out_kept);

/* A list of different texts of less than `size` bytes, at least one. Sorted by bytes. */
ERRFN policy_texts_read(struct policy *policy, size_t count_max, size_t size,
                        const struct yaml_tree *tree, uint32_t node, struct policy_texts *out_texts,
                        struct yaml_problem *out_problem);

/* Whether a sorted list has this text, and where. */
bool policy_texts_find(const struct policy_texts *texts, struct view text, size_t *out_index);
bool policy_texts_have(const struct policy_texts *texts, struct view text);
void policy_texts_free(struct policy_texts *texts);

/* Puts a list in order and drops repetitions. */
void policy_texts_settle(struct policy_texts *texts);

/* A name of letters, digits, - and _ that starts with a letter or digit. */
ERRFN policy_name_read(const struct yaml_tree *tree, uint32_t node, char *out_name, size_t size,
                       struct yaml_problem *out_problem);

/* enforce or telemetry. */
ERRFN policy_mode_read(const struct yaml_tree *tree, uint32_t node, enum policy_mode *out_mode,
                       struct yaml_problem *out_problem);

/* The PCRs of all banks that must be quoted. */
uint32_t policy_selected_pcrs(const struct policy *policy);

/* Fields of sections, for yaml_fields_read with the named context. */
ERRFN policy_ek_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                     struct yaml_problem *out_problem);
ERRFN policy_quote_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *out_problem);
ERRFN policy_scope_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                        struct policy_scope *out_scope, struct yaml_problem *out_problem);
ERRFN policy_gates_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *out_problem);
ERRFN policy_evidence_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                           struct yaml_problem *out_problem);

/* After the sections above. */
ERRFN policy_rules_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                        struct policy_rules *out_rules, struct yaml_problem *out_problem);
ERRFN policy_baselines_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                            struct yaml_problem *out_problem);

/* Letters, digits and what versions are written with. */
bool policy_baseline_name_is_good(const char *name);

/* After rules and baselines, whose names it checks. */
ERRFN policy_exceptions_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                             struct yaml_problem *out_problem);

/* PEM certificates, at least one well-formed block, added to *bundle, which is made when needed.
 * Errors: none_err when there is none. What the certificates say is read where they are used. */
ERRFN policy_pem_read(const struct yaml_tree *tree, uint32_t node, err_t none_err,
                      struct buf **bundle, struct yaml_problem *out_problem);

/* Adds a list of hashes; policy_hashes_sort then puts them in order and drops repetitions. */
ERRFN policy_hashes_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                         struct yaml_problem *out_problem);
void policy_hashes_sort(struct policy *policy);

/* A Defakto AgentAttestation document instead of one of ours. */
ERRFN policy_defakto_read(struct policy *policy, const struct yaml_tree *tree,
                          struct yaml_problem *out_problem);

void policy_rules_free(struct policy_rules *rules);
void policy_scope_free(struct policy_scope *scope);

#endif
