/* Opens what the appliance sealed to this TPM: TPM2_ActivateCredential gives an AES-256 key,
 * AES-256-GCM the configuration. */
#ifndef ITL_NODE_SEALED_H
#define ITL_NODE_SEALED_H

#include "node/appliance.h"

/* Checks that the additional data names the format and this machine. Errors: TPM_CREDENTIAL,
 * SEALED_INVALID, as tpm_check. */
ERRFN sealed_open(struct tpm *tpm, const struct endorsement *endorsement, ESYS_TR ek, ESYS_TR ak,
                  const struct appliance_sealed *sealed, const char *machine_id,
                  struct secret **out_config);

#endif
