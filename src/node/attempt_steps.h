/* The steps of an attempt, for attempt.c only. */
#ifndef ITL_NODE_ATTEMPT_STEPS_H
#define ITL_NODE_ATTEMPT_STEPS_H

#include "node/attempt.h"

/* What is loaded during one attempt. */
struct loaded {
    struct tpm *tpm;
    struct tpm_transient ek;
    struct tpm_transient ak;
};

struct appliance_caller attempt_caller(const struct attempt *attempt);

/* Loads the attestation key: the one of the last attempt, or the one on disk, or a new one, which
 * is then kept. */
ERRFN attempt_load_key(struct attempt *attempt, struct loaded *loaded);

/* Is challenged, opens the challenge, quotes and attests. */
ERRFN attempt_prove(struct attempt *attempt, const struct loaded *loaded,
                    struct appliance_verdict *out_verdict);

/* Makes a key, and asks for an enrollment certificate for it on the evidence of a quote of its own;
 * writes both, and the CA's certificate, beside options->enroll_prefix. */
ERRFN attempt_enroll(struct attempt *attempt, const struct loaded *loaded,
                     const struct appliance_verdict *verdict);

/* Fetches the configuration, opens it and hands it on. */
ERRFN attempt_fetch(struct attempt *attempt, const struct loaded *loaded,
                    const struct appliance_verdict *verdict);

/* Introduces the TPM's other EKs that have a certificate and that the appliance, as the verdict
 * says, does not know yet: by proof under the same AK they are this machine's, whichever is shown
 * later. Flushes loaded->ek. What fails is a warning, and is tried again at the next attestation.
 */
void attempt_introduce_others(struct attempt *attempt, struct loaded *loaded,
                              const struct appliance_verdict *verdict);

#endif
