/* Non-volatile areas of the TPM, where manufacturers leave EK certificates. */
#ifndef ITL_NODE_TPM_NV_H
#define ITL_NODE_TPM_NV_H

#include "node/tpm_device.h"

enum {
    NV_AREA_MAX_BYTES = 8192
}; /* certificates take up to 4 KiB with padding; two may share an area */

/* Whether an area is defined at this index. Errors: as tpm_check. */
ERRFN nv_exists(struct tpm *tpm, TPM2_HANDLE index, bool *out_exists);

/* The whole area as it is, padding included. Needs an area readable without a password. Errors: as
 * tpm_check; TPM_NV_UNREADABLE for an area that was never written, is longer than NV_AREA_MAX_BYTES
 * or does not let itself be read. */
ERRFN nv_read(struct tpm *tpm, TPM2_HANDLE index, struct buf **out_content);

#endif
