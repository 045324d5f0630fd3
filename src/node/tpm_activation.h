/* TPM2_ActivateCredential (TPM 2.0 Part 3 section 12.5): what a server sealed to this EK and this
 * AK comes out. */
#ifndef ITL_NODE_TPM_ACTIVATION_H
#define ITL_NODE_TPM_ACTIVATION_H

#include "base/secret.h"
#include "node/tpm_endorsement.h"

/* id_object is TPM2B_ID_OBJECT, encrypted_secret TPM2B_ENCRYPTED_SECRET, both with their size.
 * Errors: FIELD_INVALID when they are not, TPM_CREDENTIAL when they were made for another EK or AK
 * or altered, as tpm_check otherwise. */
ERRFN credential_activate(struct tpm *tpm, const struct endorsement *endorsement, ESYS_TR ek,
                          ESYS_TR ak, struct view id_object, struct view encrypted_secret,
                          struct secret **out_secret);

#endif
