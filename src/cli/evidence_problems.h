/* What is wrong with an EK, each as a stable word and a sentence: "weak_signature: It …". */
#ifndef ITL_CLI_EVIDENCE_PROBLEMS_H
#define ITL_CLI_EVIDENCE_PROBLEMS_H

#include "https/json.h"
#include "tpm/ek.h"
#include "tpm/trust.h"

/* Appends one problem. Errors: NO_MEMORY. */
ERRFN evidence_problem_add(json_t *list, const char *word, const char *sentence);

/* Appends every finding of the verdict and, as a fact that refuses nothing, that the certificate
 * has expired. Errors: NO_MEMORY. */
ERRFN evidence_problems_add(json_t *list, const struct ek *ek, const struct trust_verdict *verdict);

#endif
