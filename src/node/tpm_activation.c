#include "node/tpm_activation.h"

#include <string.h>

#include <tss2/tss2_mu.h>

/* High-range EKs have a policy of two branches, of which the first holds by now (B.6.4, B.6.5). */
static ERRFN choose_branch(struct tpm *tpm, ESYS_TR session, struct view other_branch)
{
    TPM2B_DIGEST *first = NULL;
    TSS2_RC code =
        Esys_PolicyGetDigest(tpm->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &first);
    TRY(tpm_check(tpm, "TPM2_PolicyGetDigest", code));
    TPML_DIGEST branches = {.count = 2, .digests = {*first, {.size = (UINT16)other_branch.len}}};
    memcpy(branches.digests[1].buffer, other_branch.data, other_branch.len);
    Esys_Free(first);
    code = Esys_PolicyOR(tpm->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &branches);
    return tpm_check(tpm, "TPM2_PolicyOR", code);
}

/* EKs may be used by whoever may use the endorsement hierarchy: PolicySecret(TPM_RH_ENDORSEMENT),
 * EK Credential Profile B.6.2. High-range ones take the empty password as well, but not from a TPM
 * in lockout, where power cuts lead that count as guesses. */
static ERRFN start_policy(struct tpm *tpm, const struct ek_template *template,
                          struct tpm_transient *out_session)
{
    TPMT_SYM_DEF none = {.algorithm = TPM2_ALG_NULL};
    ESYS_TR handle = ESYS_TR_NONE;
    TSS2_RC code = Esys_StartAuthSession(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                         ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_POLICY, &none,
                                         template->name_alg, &handle);
    TRY(tpm_check(tpm, "TPM2_StartAuthSession", code));
    AUTO(tpm_transient) session = {tpm, handle};
    code = Esys_PolicySecret(tpm->esys, ESYS_TR_RH_ENDORSEMENT, session.handle, ESYS_TR_PASSWORD,
                             ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL, NULL, 0, NULL, NULL);
    TRY(tpm_check(tpm, "TPM2_PolicySecret", code));
    struct view other_branch = ek_template_other_branch(template);
    if (other_branch.len > 0) {
        TRY(choose_branch(tpm, session.handle, other_branch));
    }
    *out_session = tpm_transient_steal(&session);
    return OK;
}

static ERRFN unmarshal(struct view id_object, struct view encrypted_secret,
                       TPM2B_ID_OBJECT *out_id_object, TPM2B_ENCRYPTED_SECRET *out_encrypted_secret)
{
    *out_id_object = (TPM2B_ID_OBJECT){0};
    *out_encrypted_secret = (TPM2B_ENCRYPTED_SECRET){0};
    size_t at = 0;
    ENSURE(id_object.len > 0 && encrypted_secret.len > 0, FIELD_INVALID);
    ENSURE(Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(id_object.data, id_object.len, &at, out_id_object) ==
                   TSS2_RC_SUCCESS &&
               at == id_object.len,
           FIELD_INVALID);
    at = 0;
    ENSURE(Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(encrypted_secret.data, encrypted_secret.len,
                                                    &at, out_encrypted_secret) == TSS2_RC_SUCCESS &&
               at == encrypted_secret.len,
           FIELD_INVALID);
    return OK;
}

/* A secret sealed to another EK may not even decrypt or lie on the curve: TPM_RC_VALUE, _SIZE or
 * _ECC_POINT about the second parameter. */
static err_t activation_error(struct tpm *tpm, TSS2_RC code)
{
    err_t e = tpm_check(tpm, "TPM2_ActivateCredential", code);
    bool about_parameter =
        (code & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER && code & TPM2_RC_FMT1 && code & TPM2_RC_P;
    return !IS_OK(e) && about_parameter ? E(TPM_CREDENTIAL) : e;
}

ERRFN credential_activate(struct tpm *tpm, const struct endorsement *endorsement, ESYS_TR ek,
                          ESYS_TR ak, struct view id_object, struct view encrypted_secret,
                          struct secret **out_secret)
{
    TPM2B_ID_OBJECT blob;
    TPM2B_ENCRYPTED_SECRET sealed;
    TRY(unmarshal(id_object, encrypted_secret, &blob, &sealed));
    AUTO(tpm_transient) policy = TPM_TRANSIENT_NONE;
    TRY(start_policy(tpm, endorsement->template, &policy));
    TPM2B_DIGEST *opened = NULL;
    TSS2_RC code = Esys_ActivateCredential(tpm->esys, ak, ek, ESYS_TR_PASSWORD, policy.handle,
                                           ESYS_TR_NONE, &blob, &sealed, &opened);
    TRY(activation_error(tpm, code));
    err_t e = secret_copy(view_of(opened->buffer, opened->size), out_secret);
    bytes_wipe(opened, sizeof *opened);
    Esys_Free(opened);
    return e;
}
