/* One attempt: register, be challenged, prove, fetch, apply. Between attempts nothing is loaded in
 * the TPM. */
#ifndef ITL_NODE_ATTEMPT_H
#define ITL_NODE_ATTEMPT_H

#include "node/agent.h"
#include "node/appliance.h"
#include "node/progress.h"
#include "node/renewal.h"

struct attempt {
    const struct options *options;
    struct https_client *client; /* borrowed */
    struct hardware hardware;
    struct progress progress;
    struct endorsement *endorsement;     /* found once, kept for the next attempt */
    struct attestation_key *key;         /* the same */
    struct pcr_selection selection;      /* what the last challenge wanted quoted */
    uint32_t reattest_after_s;           /* what the last verdict said; 0 for nothing */
    bool configured;                     /* a configuration was handed on; */
    uint8_t config_sha384[SHA384_BYTES]; /* the same one is not again */
    struct renewal renewal;              /* of certificates, with options->enroll_prefix */
    struct refusal refusal;              /* of the last attempt; status 0 when it was not refused */
};

/* Says what happens on standard error. */
enum agent_outcome attempt_run(struct attempt *attempt);

/* Between attestations: renews the certificates that are due, says how it went, and notes when to
 * come again. False when it was refused for something that attesting may cure. */
bool attempt_renew(struct attempt *attempt);

void attempt_clear(struct attempt *attempt);

/* Finds the EK unless that was done before, and tells what was found. */
ERRFN attempt_find_endorsement(struct attempt *attempt, struct tpm *tpm);

/* Opens the TPM. A TPM that stops answering ends the process after TPM_DEADLINE_S, until
 * attempt_tpm_close. */
ERRFN attempt_tpm_open(struct attempt *attempt, struct tpm **out_tpm);
void attempt_tpm_close(struct tpm *tpm);

#endif
