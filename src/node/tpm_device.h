/* The TPM of this machine over tpm2-tss. Objects and sessions are flushed when their owner's scope
 * ends, on every path: a TPM without resource manager has room for three. */
#ifndef ITL_NODE_TPM_DEVICE_H
#define ITL_NODE_TPM_DEVICE_H

#include "base/bytes.h"

#include <tss2/tss2_esys.h>

enum {
    TPM_FAILURE_TEXT_SIZE = 240,
    TPM_DEADLINE_S = 300 /* for a whole attempt: requests take up to two minutes of it, and slow
                            TPMs a minute for an RSA key */
};

struct tpm {
    TSS2_TCTI_CONTEXT *tcti;
    ESYS_CONTEXT *esys;
    const char *failed_command; /* of the last TPM_… error, NULL before one */
    TSS2_RC failed_code;
};

/* Connects, for example to "device:/dev/tpmrm0" or "swtpm:port=2321", and checks that a TPM 2.0
 * answers. Errors: TPM_ABSENT. */
ERRFN tpm_open(const char *tcti, struct tpm **out_tpm);
void tpm_close(struct tpm *tpm);
AUTO_DEFINE(tpm, struct tpm, tpm_close);

/* The one place where TSS2_RC becomes err_t; remembers what failed. Errors: TPM_ABSENT when the
 * device went away, TPM_AUTH when the endorsement hierarchy has a password, TPM_CREDENTIAL for a
 * credential made for something else, TPM_FAILED for the rest. */
ERRFN tpm_check(struct tpm *tpm, const char *command, TSS2_RC code);

/* "TPM2_Quote failed: ..." for the last error; "" when no command has failed. */
void tpm_failure_text(const struct tpm *tpm, char out_text[static TPM_FAILURE_TEXT_SIZE]);

/* A loaded object or a session; flushed at the end of the scope. */
struct tpm_transient {
    struct tpm *tpm;
    ESYS_TR handle;
};
#define TPM_TRANSIENT_NONE ((struct tpm_transient){NULL, ESYS_TR_NONE})

typedef struct tpm_transient auto_type_tpm_transient;
void auto_release_tpm_transient(struct tpm_transient *transient);

/* Takes it out of an AUTO(tpm_transient) variable. */
struct tpm_transient tpm_transient_steal(struct tpm_transient *transient);

/* Creates a primary key in the endorsement hierarchy. Errors: as tpm_check. */
ERRFN tpm_create_primary(struct tpm *tpm, const TPM2B_PUBLIC *template,
                         struct tpm_transient *out_key, TPM2B_PUBLIC **out_public);

/* Whether the TPM has the algorithms and sizes of a template (TPM2_TestParms). */
bool tpm_supports(struct tpm *tpm, const TPM2B_PUBLIC *template);

/* Handles of one kind in use, from `first` on, at most `max`. */
ERRFN tpm_handles(struct tpm *tpm, TPM2_HANDLE first, size_t max, TPM2_HANDLE *out_handles,
                  size_t *out_count);

/* TPM2B_PUBLIC as bytes. */
ERRFN tpm_public_bytes(const TPM2B_PUBLIC *public, struct buf **out_bytes);

/* Memory that tpm2-tss handed out. */
AUTO_DEFINE(TPM2B_PUBLIC, TPM2B_PUBLIC, Esys_Free);
AUTO_DEFINE(TPM2B_PRIVATE, TPM2B_PRIVATE, Esys_Free);
AUTO_DEFINE(TPM2B_ATTEST, TPM2B_ATTEST, Esys_Free);
AUTO_DEFINE(TPMT_SIGNATURE, TPMT_SIGNATURE, Esys_Free);
AUTO_DEFINE(TPML_PCR_SELECTION, TPML_PCR_SELECTION, Esys_Free);
AUTO_DEFINE(TPML_DIGEST, TPML_DIGEST, Esys_Free);

#endif
