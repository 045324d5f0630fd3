/* The endorsement key: who this machine is. */
#ifndef ITL_NODE_TPM_ENDORSEMENT_H
#define ITL_NODE_TPM_ENDORSEMENT_H

#include "node/tpm_device.h"
#include "node/tpm_templates.h"
#include "tpm/ek.h"

/* Why a certificate was not used; "none" is no problem, the others are told to the person at the
 * console. */
enum ek_finding {
    EK_FINDING_NONE = 0,
    EK_FINDING_USED,
    EK_FINDING_UNREADABLE,
    EK_FINDING_UNSUPPORTED,
    EK_FINDING_MISMATCH
};

struct endorsement {
    const struct ek_template *template;
    struct ek *ek;           /* parsed; says fingerprint, manufacturer and so on */
    struct buf *certificate; /* the NV area as it is, and behind it the CA certificates that the TPM
                                keeps, where they can be read; NULL when the TPM has none */
    struct buf *public_area; /* TPM2B_PUBLIC */
    TPM2_HANDLE persistent;  /* the key is one of the persistent handles, because no template makes
                                it; 0 otherwise */
    enum ek_finding findings[EK_TEMPLATES_COUNT]; /* for each of ek_templates */
};

void endorsement_free(struct endorsement *endorsement);
AUTO_DEFINE(endorsement, struct endorsement, endorsement_free);

/* Finds an EK with a certificate, in the order of ek_templates, or of one key type only when
 * `wanted` is not TPM_KEY_NONE; else one without a certificate that the TPM can make. Nothing stays
 * loaded. Takes as long as the TPM needs to make a key. Errors: as tpm_check; TPM_NO_EK. */
ERRFN endorsement_find(struct tpm *tpm, enum tpm_key wanted, struct endorsement **out_endorsement);

/* The EK certificate at a template's index, with the CAs above it; its key is not made or looked
 * for, so that public_area is NULL. Errors: as tpm_check; NOT_FOUND when there is none;
 * EK_UNREADABLE, EK_KEY_UNSUPPORTED. */
ERRFN endorsement_read(struct tpm *tpm, const struct ek_template *t,
                       struct endorsement **out_endorsement);

/* Finds the key behind a certificate that was only read. Takes as long as the TPM needs to make
 * one. Errors: as tpm_check; EK_MISMATCH or EK_TEMPLATE when this TPM makes and keeps another. */
ERRFN endorsement_find_key(struct tpm *tpm, struct endorsement *endorsement);

/* Loads the key. Errors: as tpm_check; EK_MISMATCH when it is not the one found before. */
ERRFN endorsement_load(struct tpm *tpm, const struct endorsement *endorsement,
                       struct tpm_transient *out_key);

#endif
