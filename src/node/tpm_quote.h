/* TPM2_Quote and the PCR values it is about. */
#ifndef ITL_NODE_TPM_QUOTE_H
#define ITL_NODE_TPM_QUOTE_H

#include "node/tpm_device.h"
#include "tpm/pcr.h"

enum { QUOTE_TRIES = 5 };

struct quote_evidence {
    struct buf *attest;    /* TPMS_ATTEST */
    struct buf *signature; /* TPMT_SIGNATURE */
    struct pcr_values values;
};
void quote_evidence_free(struct quote_evidence *evidence);
AUTO_DEFINE(quote_evidence, struct quote_evidence, quote_evidence_free);

/* Quotes the selected PCRs over the nonce and reads values that hash to the quoted digest; starts
 * again, at most QUOTE_TRIES times, when a PCR was extended in between. hash_alg is the AK's.
 * Errors: as tpm_check; QUOTE_SELECTION when a bank asked for is not active in this TPM;
 * QUOTE_DIGEST when PCRs would not stand still; FIELD_INVALID for a nonce that is too long. */
ERRFN quote_take(struct tpm *tpm, ESYS_TR ak, uint16_t hash_alg,
                 const struct pcr_selection *selection, struct view nonce,
                 struct quote_evidence **out_evidence);

#endif
