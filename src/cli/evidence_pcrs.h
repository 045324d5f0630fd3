/* PCR values in files: what the PCRs are said to have held when they were quoted. */
#ifndef ITL_CLI_EVIDENCE_PCRS_H
#define ITL_CLI_EVIDENCE_PCRS_H

#include "tpm/pcr.h"

/* Reads JSON {"sha256": {"0": "hex", …}, …}; what tpm2_pcrread prints; what tpm2_quote writes with
 * --pcr, in either of its formats, or tpm2_pcrread with -o: a dump of TPML_PCR_SELECTION and
 * TPML_DIGEST structures, or the digests one behind the other in the order of `selection`. The
 * latter two also as text that evidence_file.h decodes. Errors: PCR_VALUES_INVALID, JSON_INVALID,
 * JSON_TOO_DEEP, NO_MEMORY. */
ERRFN evidence_pcrs_read(struct view content, const struct pcr_selection *selection,
                         struct pcr_values *out_values);

#endif
