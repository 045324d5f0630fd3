#include "node/tpm_endorsement.h"

#include <stdlib.h>

#include "node/tpm_nv.h"

/* Where vendors and operating systems keep an EK ready (TCG provisioning guidance, section 7.8). */
static const TPM2_HANDLE persistent_handles[] = {0x81010001, 0x81010002, 0x81010016};

void endorsement_free(struct endorsement *endorsement)
{
    if (endorsement) {
        ek_free(endorsement->ek);
        buf_free(endorsement->certificate);
        buf_free(endorsement->public_area);
        free(endorsement);
    }
}

/* Makes the template's key and hands out its public area. */
static ERRFN make_key(struct tpm *tpm, const struct ek_template *t, struct tpm_transient *out_key,
                      struct buf **out_public)
{
    TPM2B_PUBLIC template;
    ek_template_public(t, &template);
    AUTO(tpm_transient) key = TPM_TRANSIENT_NONE;
    AUTO(TPM2B_PUBLIC) public = NULL;
    TRY(tpm_create_primary(tpm, &template, &key, &public));
    TRY(tpm_public_bytes(public, out_public));
    *out_key = tpm_transient_steal(&key);
    return OK;
}

/* -- persistent keys --------------------------------------------------------------------------- */

static ERRFN persistent_public(struct tpm *tpm, TPM2_HANDLE persistent, ESYS_TR *out_handle,
                               struct buf **out_public)
{
    ESYS_TR handle = ESYS_TR_NONE;
    TSS2_RC code = Esys_TR_FromTPMPublic(tpm->esys, persistent, ESYS_TR_NONE, ESYS_TR_NONE,
                                         ESYS_TR_NONE, &handle);
    TRY(tpm_check(tpm, "TPM2_ReadPublic", code));
    AUTO(TPM2B_PUBLIC) public = NULL;
    code = Esys_ReadPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public,
                           NULL, NULL);
    err_t e = tpm_check(tpm, "TPM2_ReadPublic", code);
    e = IS_OK(e) ? tpm_public_bytes(public, out_public) : e;
    if (!IS_OK(e)) {
        Esys_TR_Close(tpm->esys, &handle);
        return e;
    }
    *out_handle = handle;
    return OK;
}

/* Some vendors made the certified key from a template of their own and left only the key itself. */
static ERRFN find_persistent(struct tpm *tpm, struct endorsement *endorsement)
{
    for (size_t i = 0; i < sizeof persistent_handles / sizeof persistent_handles[0]; i++) {
        TPM2_HANDLE found = 0;
        size_t count = 0;
        TRY(tpm_handles(tpm, persistent_handles[i], 1, &found, &count));
        if (count == 0 || found != persistent_handles[i]) {
            continue;
        }
        ESYS_TR handle = ESYS_TR_NONE;
        AUTO(buf) public_area = NULL;
        TRY(persistent_public(tpm, found, &handle, &public_area));
        Esys_TR_Close(tpm->esys, &handle);
        if (IS_OK(ek_set_public_area(endorsement->ek, buf_view(public_area)))) {
            endorsement->public_area = STEAL(public_area);
            endorsement->persistent = found;
            return OK;
        }
    }
    return E(EK_MISMATCH);
}

/* -- with a certificate ------------------------------------------------------------------------ */

/* From its template or from a persistent handle. */
ERRFN endorsement_find_key(struct tpm *tpm, struct endorsement *endorsement)
{
    AUTO(tpm_transient) key = TPM_TRANSIENT_NONE;
    AUTO(buf) public_area = NULL;
    TRY(make_key(tpm, endorsement->template, &key, &public_area));
    if (!IS_OK(ek_set_public_area(endorsement->ek, buf_view(public_area)))) {
        return find_persistent(tpm, endorsement);
    }
    endorsement->public_area = STEAL(public_area);
    return OK;
}

static ERRFN read_certificate(struct tpm *tpm, const struct ek_template *t,
                              struct endorsement *endorsement)
{
    AUTO(buf) certificate = NULL;
    AUTO(ek) ek = NULL;
    TRY(nv_read(tpm, t->certificate_index, &certificate));
    TRY(ek_parse(buf_view(certificate), EK_SOURCE_CERT, &ek));
    endorsement->template = t;
    endorsement->ek = STEAL(ek);
    endorsement->certificate = STEAL(certificate);
    return OK;
}

static ERRFN try_certificate(struct tpm *tpm, const struct ek_template *t,
                             struct endorsement *endorsement, enum ek_finding *out_finding)
{
    bool exists = false;
    TRY(nv_exists(tpm, t->certificate_index, &exists));
    if (!exists) {
        return OK;
    }
    err_t e = read_certificate(tpm, t, endorsement);
    if (!IS_OK(e)) {
        *out_finding = IS_E(e, EK_KEY_UNSUPPORTED) ? EK_FINDING_UNSUPPORTED : EK_FINDING_UNREADABLE;
        return IS_E(e, TPM_ABSENT) ? e : OK;
    }
    e = endorsement_find_key(tpm, endorsement);
    if (IS_OK(e)) {
        *out_finding = EK_FINDING_USED;
        return OK;
    }
    *out_finding = EK_FINDING_MISMATCH;
    ek_free(STEAL(endorsement->ek));
    buf_free(STEAL(endorsement->certificate));
    return IS_E(e, EK_MISMATCH) || IS_E(e, EK_TEMPLATE) ? OK : e;
}

/* TCG EK Credential Profile section 2.2.1.5: the CAs above the EK, in as many areas as it takes,
 * even one certificate over several. */
enum { CHAIN_FIRST_INDEX = 0x01C00100, CHAIN_AREAS_MAX = 16 };

static ERRFN read_chain(struct tpm *tpm, struct buf *chain)
{
    for (TPM2_HANDLE i = 0; i < CHAIN_AREAS_MAX; i++) {
        bool exists = false;
        AUTO(buf) area = NULL;
        TRY(nv_exists(tpm, CHAIN_FIRST_INDEX + i, &exists));
        if (!exists) {
            break;
        }
        TRY(nv_read(tpm, CHAIN_FIRST_INDEX + i, &area));
        TRY(buf_put(chain, buf_view(area)));
    }
    return OK;
}

/* The appliance may know the CAs by itself: what can't be read, or is more than it takes, is left
 * out. */
static ERRFN append_chain(struct tpm *tpm, struct endorsement *endorsement)
{
    AUTO(buf) with_chain = NULL;
    AUTO(ek) ek = NULL;
    TRY(buf_new(EK_MAX_BYTES, &with_chain));
    TRY(buf_put(with_chain, buf_view(endorsement->certificate)));
    err_t e = read_chain(tpm, with_chain);
    e = IS_OK(e) ? ek_parse(buf_view(with_chain), EK_SOURCE_CERT, &ek) : e;
    if (IS_OK(e)) {
        buf_free(endorsement->certificate);
        endorsement->certificate = STEAL(with_chain);
    }
    return IS_E(e, TPM_ABSENT) || IS_E(e, NO_MEMORY) ? e : OK;
}

ERRFN endorsement_read(struct tpm *tpm, const struct ek_template *t,
                       struct endorsement **out_endorsement)
{
    AUTO(endorsement) found = calloc(1, sizeof *found);
    ENSURE(found, NO_MEMORY);
    bool exists = false;
    TRY(nv_exists(tpm, t->certificate_index, &exists));
    ENSURE(exists, NOT_FOUND);
    TRY(read_certificate(tpm, t, found));
    TRY(append_chain(tpm, found));
    *out_endorsement = STEAL(found);
    return OK;
}

/* -- without one ------------------------------------------------------------------------------- */

static ERRFN take_uncertified(struct tpm *tpm, const struct ek_template *t,
                              struct endorsement *endorsement)
{
    AUTO(tpm_transient) key = TPM_TRANSIENT_NONE;
    AUTO(buf) public_area = NULL;
    TRY(make_key(tpm, t, &key, &public_area));
    TRY(ek_parse(buf_view(public_area), EK_SOURCE_PUB, &endorsement->ek));
    endorsement->template = t;
    endorsement->public_area = STEAL(public_area);
    return OK;
}

static bool is_wanted(const struct ek_template *t, enum tpm_key wanted)
{
    return wanted == TPM_KEY_NONE || t->key == wanted;
}

ERRFN endorsement_find(struct tpm *tpm, enum tpm_key wanted, struct endorsement **out_endorsement)
{
    AUTO(endorsement) found = calloc(1, sizeof *found);
    ENSURE(found, NO_MEMORY);
    for (size_t i = 0; i < EK_TEMPLATES_COUNT && !found->ek; i++) {
        if (is_wanted(&ek_templates[i], wanted)) {
            TRY(try_certificate(tpm, &ek_templates[i], found, &found->findings[i]));
        }
    }
    for (size_t i = 0; i < EK_TEMPLATES_COUNT && !found->ek; i++) {
        TPM2B_PUBLIC template;
        ek_template_public(&ek_templates[i], &template);
        if (is_wanted(&ek_templates[i], wanted) && tpm_supports(tpm, &template)) {
            TRY(take_uncertified(tpm, &ek_templates[i], found));
        }
    }
    ENSURE(found->ek, TPM_NO_EK);
    if (found->certificate) {
        TRY(append_chain(tpm, found));
    }
    *out_endorsement = STEAL(found);
    return OK;
}

static ERRFN load_persistent(struct tpm *tpm, const struct endorsement *endorsement,
                             struct tpm_transient *out_key, struct buf **out_public)
{
    ESYS_TR handle = ESYS_TR_NONE;
    TRY(persistent_public(tpm, endorsement->persistent, &handle, out_public));
    /* Without a TPM to flush it from: what is persistent stays. */
    *out_key = (struct tpm_transient){NULL, handle};
    return OK;
}

ERRFN endorsement_load(struct tpm *tpm, const struct endorsement *endorsement,
                       struct tpm_transient *out_key)
{
    AUTO(tpm_transient) key = TPM_TRANSIENT_NONE;
    AUTO(buf) public_area = NULL;
    if (endorsement->persistent) {
        TRY(load_persistent(tpm, endorsement, &key, &public_area));
    } else {
        TRY(make_key(tpm, endorsement->template, &key, &public_area));
    }
    ENSURE(view_equal(buf_view(public_area), buf_view(endorsement->public_area)), EK_MISMATCH);
    *out_key = tpm_transient_steal(&key);
    return OK;
}
