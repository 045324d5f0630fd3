#include "node/tpm_quote.h"

#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "tpm/quote.h"

void quote_evidence_free(struct quote_evidence *evidence)
{
    if (evidence) {
        buf_free(evidence->attest);
        buf_free(evidence->signature);
        free(evidence);
    }
}

/* -- selections -------------------------------------------------------------------------------- */

static void add_bank(TPML_PCR_SELECTION *list, uint16_t bank, uint32_t mask)
{
    TPMS_PCR_SELECTION *selected = &list->pcrSelections[list->count++];
    selected->hash = bank;
    selected->sizeofSelect = 3; /* PCR 0 to 23 */
    for (size_t i = 0; i < 3; i++) {
        selected->pcrSelect[i] = (BYTE)(mask >> (8 * i));
    }
}

static TPML_PCR_SELECTION selection_list(const struct pcr_selection *selection)
{
    TPML_PCR_SELECTION list = {0};
    for (size_t i = 0; i < selection->count; i++) {
        add_bank(&list, selection->banks[i].bank, selection->banks[i].mask);
    }
    return list;
}

/* -- values ------------------------------------------------------------------------------------ */

/* TPM2_PCR_Read hands out eight values at most, and says which. */
static ERRFN take_read_values(uint16_t bank, const TPML_PCR_SELECTION *read,
                              const TPML_DIGEST *digests, uint32_t *left, struct pcr_values *values)
{
    ENSURE(read->count == 1 && read->pcrSelections[0].hash == bank && digests->count > 0,
           QUOTE_SELECTION);
    const TPMS_PCR_SELECTION *selected = &read->pcrSelections[0];
    size_t next = 0;
    for (uint32_t index = 0; index < PCR_COUNT && index / 8 < selected->sizeofSelect; index++) {
        if (!(selected->pcrSelect[index / 8] & 1U << index % 8)) {
            continue;
        }
        ENSURE(next < digests->count &&
                   next < sizeof digests->digests / sizeof digests->digests[0] &&
                   *left & 1U << index,
               TPM_FAILED);
        const TPM2B_DIGEST *digest = &digests->digests[next++];
        TRY(pcr_values_add(values, bank, index, view_of(digest->buffer, digest->size)));
        *left &= ~(1U << index);
    }
    ENSURE(next > 0, QUOTE_SELECTION);
    return OK;
}

static ERRFN read_bank(struct tpm *tpm, uint16_t bank, uint32_t mask, struct pcr_values *values)
{
    uint32_t left = mask;
    while (left) {
        TPML_PCR_SELECTION list = {0};
        add_bank(&list, bank, left);
        AUTO(TPML_PCR_SELECTION) read = NULL;
        AUTO(TPML_DIGEST) digests = NULL;
        TSS2_RC code = Esys_PCR_Read(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &list,
                                     NULL, &read, &digests);
        TRY(tpm_check(tpm, "TPM2_PCR_Read", code));
        TRY(take_read_values(bank, read, digests, &left, values));
    }
    return OK;
}

static ERRFN read_values(struct tpm *tpm, const struct pcr_selection *selection,
                         struct pcr_values *out_values)
{
    memset(out_values, 0, sizeof *out_values);
    for (size_t i = 0; i < selection->count; i++) {
        TRY(read_bank(tpm, selection->banks[i].bank, selection->banks[i].mask, out_values));
    }
    return OK;
}

/* -- quote ------------------------------------------------------------------------------------- */

static ERRFN signature_bytes(const TPMT_SIGNATURE *signature, struct buf **out_bytes)
{
    uint8_t bytes[sizeof *signature];
    size_t len = 0;
    ENSURE(Tss2_MU_TPMT_SIGNATURE_Marshal(signature, bytes, sizeof bytes, &len) == TSS2_RC_SUCCESS,
           BUG);
    return buf_copy(view_of(bytes, len), out_bytes);
}

static ERRFN quote_once(struct tpm *tpm, ESYS_TR ak, const struct pcr_selection *selection,
                        struct view nonce, struct quote_evidence *evidence)
{
    TPM2B_DATA qualifying = {.size = (UINT16)nonce.len};
    memcpy(qualifying.buffer, nonce.data, nonce.len);
    TPMT_SIG_SCHEME own = {.scheme = TPM2_ALG_NULL}; /* the key's own scheme */
    TPML_PCR_SELECTION list = selection_list(selection);
    AUTO(TPM2B_ATTEST) attest = NULL;
    AUTO(TPMT_SIGNATURE) signature = NULL;
    TSS2_RC code = Esys_Quote(tpm->esys, ak, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                              &qualifying, &own, &list, &attest, &signature);
    TRY(tpm_check(tpm, "TPM2_Quote", code));
    TRY(buf_copy(view_of(attest->attestationData, attest->size), &evidence->attest));
    return signature_bytes(signature, &evidence->signature);
}

/* Whether the values are those that the quote is about. */
static ERRFN check_values(const struct quote_evidence *evidence,
                          const struct pcr_selection *selection, uint16_t hash_alg)
{
    struct quote quote;
    TRY(quote_parse(buf_view(evidence->attest), &quote));
    ENSURE(pcr_selection_equal(&quote.selection, selection), QUOTE_SELECTION);
    uint8_t digest[TPM_DIGEST_MAX_BYTES];
    size_t len = 0;
    TRY(pcr_values_digest(&evidence->values, &quote.selection, hash_alg, digest, &len));
    ENSURE(view_equal(view_of(digest, len), quote.pcr_digest), QUOTE_DIGEST);
    return OK;
}

static ERRFN try_quote(struct tpm *tpm, ESYS_TR ak, uint16_t hash_alg,
                       const struct pcr_selection *selection, struct view nonce,
                       struct quote_evidence **out_evidence)
{
    AUTO(quote_evidence) evidence = calloc(1, sizeof *evidence);
    ENSURE(evidence, NO_MEMORY);
    TRY(quote_once(tpm, ak, selection, nonce, evidence));
    TRY(read_values(tpm, selection, &evidence->values));
    TRY(check_values(evidence, selection, hash_alg));
    *out_evidence = STEAL(evidence);
    return OK;
}

ERRFN quote_take(struct tpm *tpm, ESYS_TR ak, uint16_t hash_alg,
                 const struct pcr_selection *selection, struct view nonce,
                 struct quote_evidence **out_evidence)
{
    ENSURE(nonce.len > 0 && nonce.len <= sizeof((TPM2B_DATA *)NULL)->buffer, FIELD_INVALID);
    err_t e = E(QUOTE_DIGEST);
    for (int i = 0; i < QUOTE_TRIES && IS_E(e, QUOTE_DIGEST); i++) {
        e = try_quote(tpm, ak, hash_alg, selection, nonce, out_evidence);
    }
    return e;
}
