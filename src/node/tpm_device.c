#include "node/tpm_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

AUTO_DEFINE(TPMS_CAPABILITY_DATA, TPMS_CAPABILITY_DATA, Esys_Free);

ERRFN tpm_open(const char *tcti, struct tpm **out_tpm)
{
    AUTO(tpm) tpm = calloc(1, sizeof *tpm);
    ENSURE(tpm, NO_MEMORY);
    ENSURE(Tss2_TctiLdr_Initialize(tcti, &tpm->tcti) == TSS2_RC_SUCCESS, TPM_ABSENT);
    ENSURE(Esys_Initialize(&tpm->esys, tpm->tcti, NULL) == TSS2_RC_SUCCESS, TPM_ABSENT);
    AUTO(TPMS_CAPABILITY_DATA) data = NULL;
    TPMI_YES_NO more;
    /* A TPM 1.2 does not understand the command. */
    TSS2_RC code =
        Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                           TPM2_CAP_TPM_PROPERTIES, TPM2_PT_FAMILY_INDICATOR, 1, &more, &data);
    ENSURE(code == TSS2_RC_SUCCESS, TPM_ABSENT);
    *out_tpm = STEAL(tpm);
    return OK;
}

void tpm_close(struct tpm *tpm)
{
    if (tpm) {
        Esys_Finalize(&tpm->esys);
        Tss2_TctiLdr_Finalize(&tpm->tcti);
        free(tpm);
    }
}

/* Format-one codes carry the number of the parameter, handle or session at fault (TPM 2.0 Part 2
 * section 6.6.2). */
static TSS2_RC without_position(TSS2_RC code)
{
    return code & TPM2_RC_FMT1 ? code & (TPM2_RC_FMT1 | 0x3f) : code;
}

ERRFN tpm_check(struct tpm *tpm, const char *command, TSS2_RC code)
{
    if (code == TSS2_RC_SUCCESS) {
        return OK;
    }
    tpm->failed_command = command;
    tpm->failed_code = code;
    if ((code & TSS2_RC_LAYER_MASK) == TSS2_TCTI_RC_LAYER) {
        return E(TPM_ABSENT);
    }
    TSS2_RC layer = code & TSS2_RC_LAYER_MASK;
    ENSURE(layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER, TPM_FAILED);
    switch (without_position(code & ~TSS2_RC_LAYER_MASK)) {
    case TPM2_RC_AUTH_FAIL:
    case TPM2_RC_BAD_AUTH:
        return E(TPM_AUTH);
    case TPM2_RC_INTEGRITY:
        return E(TPM_CREDENTIAL);
    default:
        return E(TPM_FAILED);
    }
}

void tpm_failure_text(const struct tpm *tpm, char out_text[static TPM_FAILURE_TEXT_SIZE])
{
    out_text[0] = '\0';
    if (tpm && tpm->failed_command) {
        snprintf(out_text, TPM_FAILURE_TEXT_SIZE, "%s failed: %s (0x%x)", tpm->failed_command,
                 Tss2_RC_Decode(tpm->failed_code), tpm->failed_code);
    }
}

void auto_release_tpm_transient(struct tpm_transient *transient)
{
    if (transient->tpm && transient->handle != ESYS_TR_NONE) {
        Esys_FlushContext(transient->tpm->esys, transient->handle);
        transient->handle = ESYS_TR_NONE;
    }
}

struct tpm_transient tpm_transient_steal(struct tpm_transient *transient)
{
    struct tpm_transient stolen = *transient;
    *transient = TPM_TRANSIENT_NONE;
    return stolen;
}

ERRFN tpm_create_primary(struct tpm *tpm, const TPM2B_PUBLIC *template,
                         struct tpm_transient *out_key, TPM2B_PUBLIC **out_public)
{
    TPM2B_SENSITIVE_CREATE sensitive = {0};
    TPM2B_DATA outside = {0};
    TPML_PCR_SELECTION creation_pcr = {0};
    ESYS_TR handle = ESYS_TR_NONE;
    TPM2B_PUBLIC *public = NULL;
    TSS2_RC code = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
                                      ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, template, &outside,
                                      &creation_pcr, &handle, &public, NULL, NULL, NULL);
    TRY(tpm_check(tpm, "TPM2_CreatePrimary", code));
    *out_key = (struct tpm_transient){tpm, handle};
    *out_public = public;
    return OK;
}

bool tpm_supports(struct tpm *tpm, const TPM2B_PUBLIC *template)
{
    const TPMT_PUBLIC *area = &template->publicArea;
    TPMT_PUBLIC_PARMS parameters = {.type = area->type, .parameters = area->parameters};
    return Esys_TestParms(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &parameters) ==
           TSS2_RC_SUCCESS;
}

ERRFN tpm_handles(struct tpm *tpm, TPM2_HANDLE first, size_t max, TPM2_HANDLE *out_handles,
                  size_t *out_count)
{
    AUTO(TPMS_CAPABILITY_DATA) data = NULL;
    TPMI_YES_NO more;
    TSS2_RC code = Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                      TPM2_CAP_HANDLES, first, (UINT32)max, &more, &data);
    TRY(tpm_check(tpm, "TPM2_GetCapability", code));
    const TPML_HANDLE *list = &data->data.handles;
    ENSURE(list->count <= max, TPM_FAILED);
    for (size_t i = 0; i < list->count; i++) {
        out_handles[i] = list->handle[i];
    }
    *out_count = list->count;
    return OK;
}

ERRFN tpm_public_bytes(const TPM2B_PUBLIC *public, struct buf **out_bytes)
{
    uint8_t bytes[sizeof *public];
    size_t len = 0;
    ENSURE(Tss2_MU_TPM2B_PUBLIC_Marshal(public, bytes, sizeof bytes, &len) == TSS2_RC_SUCCESS, BUG);
    return buf_copy(view_of(bytes, len), out_bytes);
}
