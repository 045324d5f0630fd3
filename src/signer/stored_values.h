/* PCR values as the database keeps them with evidence: for each a u16 bank, a u8 index, a u8 length and the digest. */
#ifndef ITL_SIGNER_STORED_VALUES_H
#define ITL_SIGNER_STORED_VALUES_H

#include "tpm/pcr.h"

/* Appends. Errors: TOO_LONG. */
ERRFN stored_values_encode(const struct pcr_values *values, struct buf *out_bytes);

/* Adds to *out_values. Errors: DB_TAMPERED, PCR_VALUES_INVALID. */
ERRFN stored_values_decode(struct view bytes, struct pcr_values *out_values);

#endif
