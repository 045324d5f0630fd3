/* What changed between two boots, in words that need no knowledge of PCRs. */
#ifndef ITL_TPM_CLAIMS_DIFF_H
#define ITL_TPM_CLAIMS_DIFF_H

#include "tpm/claims.h"

/* One claim for each name whose values differ: the name, a sentence that says how, and the PCRs
 * that said so; the weighty ones first. Names that follow from others (subjects, digests of
 * databases, labels) and counters that differ at every boot are left out. Values are compared as
 * sets with repetition, whatever their order. Costs a sort. Errors: NO_MEMORY. */
ERRFN claims_diff(const struct claims *a, const struct claims *b, struct claims **out_sentences);

#endif
