/* Possession: that the caller's TPM holds the EK that it shows, and an AK beside it. */
#ifndef ITL_SIGNER_POSSESSION_H
#define ITL_SIGNER_POSSESSION_H

#include "signer/signer.h"
#include "sql/proof.h"
#include "tpm/ak.h"
#include "tpm/ek.h"

struct possession {
    struct ak *ak;        /* owned */
    bool ak_is_new;       /* proved in this session to live beside the EK, not just known to */
    uint8_t ek_public[PROOF_EK_PUBLIC_MAX_BYTES]; /* TPM2B_PUBLIC that the proof was made with */
    size_t ek_public_len; /* 0 when none was sent */
    uint8_t nonce[PROOF_NONCE_BYTES]; /* what a quote must be over */
};

/* Takes the session or nonce that the request names, whatever comes of it, and with it the AK: the one whose credential was opened, or the
 * one that was activated for call->ek_fingerprint before. Writes nothing else. Errors: those of sessions, nonces and AKs in err.def,
 * ACTIVATION_INVALID. */
ERRFN possession_prove(struct call *call, const struct ipc_attest_request *request, struct possession *out_possession);

/* Remembers a newly proved AK, and the EK as it was shown where its public area is newly proved. */
ERRFN possession_store(struct call *call, const struct machine *machine, const struct ek *ek, const struct possession *possession);

/* The EK alone, which is the machine's from now on when it was nobody's. */
ERRFN possession_store_ek(struct call *call, const struct machine *machine, const struct ek *ek, const struct possession *possession);

void possession_clear(struct possession *possession);

#endif
