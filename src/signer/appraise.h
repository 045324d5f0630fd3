/* The evidence of one attestation: whose TPM, which AK, what it says of the PCRs, and what policy says of that. */
#ifndef ITL_SIGNER_APPRAISE_H
#define ITL_SIGNER_APPRAISE_H

#include "signer/facts.h"
#include "signer/possession.h"
#include "tpm/ek.h"
#include "tpm/quote.h"

struct appraisal {
    struct possession possession; /* proved first */
    struct trust_verdict trust;
    struct quote quote;      /* views into the request */
    struct view signature;
    struct pcr_values values;
    struct view event_log;   /* as sent, or as stored when it was known; empty for none */
    struct facts *facts;     /* owned */
    struct policy_verdict verdict;
};

/* What the quote's qualifying data must be: the nonce, or SHA-256(nonce || bound) where the proof is for something of its own, such as
 * a certificate request. `bound` is empty for none.
 *
 * After possession was proved: checks the quote's signature by that AK, its nonce, selection and values. Errors: those of quotes. */
ERRFN appraise_quote(struct call *call, const struct ipc_attest_request *request, struct view bound, struct appraisal *appraisal);

/* After possession was proved: judges the EK's trust, checks the quote where there is one or must be one, and evaluates policy, on the EK
 * that was shown. Writes nothing. Errors: one of the reasons of EK material and quotes in err.def. A policy that does not accept is a
 * verdict, not an error. */
ERRFN appraise(struct call *call, const struct ipc_attest_request *request, const struct machine *machine, const struct ek *ek,
               struct view bound, struct appraisal *out_appraisal);

/* appraisal_store.c: remembers the AK and the EK's public area when they are newly proved, the evidence, its event log, and the one-shot
 * exceptions that it needed. `ek` is the one appraised. */
ERRFN appraisal_store(struct call *call, const struct machine *machine, const struct ek *ek, const struct appraisal *appraisal);

void appraisal_clear(struct appraisal *appraisal);

#endif
