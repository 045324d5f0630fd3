/* The attestation key: a restricted signing key that the TPM makes under a storage key of its
 * endorsement hierarchy. Outside the TPM it exists only wrapped, so that the blob may be kept on
 * disk and the same key be used after a restart. */
#ifndef ITL_NODE_TPM_ATTESTATION_KEY_H
#define ITL_NODE_TPM_ATTESTATION_KEY_H

#include "node/tpm_device.h"
#include "node/tpm_templates.h"

enum { AK_BLOB_MAX_BYTES = 4096 };

struct attestation_key {
    enum ak_kind kind;
    struct buf *public_area;  /* TPM2B_PUBLIC */
    struct buf *private_area; /* TPM2B_PRIVATE, wrapped by the TPM */
};
void attestation_key_free(struct attestation_key *key);
AUTO_DEFINE(attestation_key, struct attestation_key, attestation_key_free);

/* The strongest kind the TPM supports: P-384, then P-256, then RSA-2048. AK_KIND_NONE when it has
 * none. */
enum ak_kind attestation_key_best(struct tpm *tpm);

/* Makes a new key. Nothing stays loaded. Errors: as tpm_check. */
ERRFN attestation_key_create(struct tpm *tpm, enum ak_kind kind, struct attestation_key **out_key);

/* Loads the key. Errors: as tpm_check, for example after TPM2_Clear, when the blob is no longer
 * this TPM's. */
ERRFN attestation_key_load(struct tpm *tpm, const struct attestation_key *key,
                           struct tpm_transient *out_handle);

/* The blob as one file, readable by its owner only. Reading errors: CONFIG_UNREADABLE when there is
 * none, FIELD_INVALID for what is not such a file. */
ERRFN attestation_key_save(const struct attestation_key *key, const char *path);
ERRFN attestation_key_read(const char *path, struct attestation_key **out_key);

#endif
