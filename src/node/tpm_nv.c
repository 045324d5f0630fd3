#include "node/tpm_nv.h"

AUTO_DEFINE(TPM2B_NV_PUBLIC, TPM2B_NV_PUBLIC, Esys_Free);
AUTO_DEFINE(TPM2B_MAX_NV_BUFFER, TPM2B_MAX_NV_BUFFER, Esys_Free);

enum { NV_CHUNK_BYTES = 512 }; /* the least that TPMs hand out at once */

ERRFN nv_exists(struct tpm *tpm, TPM2_HANDLE index, bool *out_exists)
{
    TPM2_HANDLE found = 0;
    size_t count = 0;
    TRY(tpm_handles(tpm, index, 1, &found, &count));
    *out_exists = count == 1 && found == index;
    return OK;
}

struct nv_area {
    ESYS_TR handle;
    ESYS_TR reader; /* who authorises reading: the area itself, or the owner */
    uint16_t size;
};

static ERRFN open_area(struct tpm *tpm, TPM2_HANDLE index, struct nv_area *out_area)
{
    struct nv_area area = {.handle = ESYS_TR_NONE};
    TSS2_RC code = Esys_TR_FromTPMPublic(tpm->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                         &area.handle);
    TRY(tpm_check(tpm, "TPM2_NV_ReadPublic", code));
    AUTO(TPM2B_NV_PUBLIC) public = NULL;
    code = Esys_NV_ReadPublic(tpm->esys, area.handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                              &public, NULL);
    err_t e = tpm_check(tpm, "TPM2_NV_ReadPublic", code);
    if (!IS_OK(e)) {
        Esys_TR_Close(tpm->esys, &area.handle);
        return e;
    }
    TPMA_NV attributes = public->nvPublic.attributes;
    bool readable =
        attributes & TPMA_NV_WRITTEN && attributes & (TPMA_NV_AUTHREAD | TPMA_NV_OWNERREAD);
    if (!readable || public->nvPublic.dataSize == 0 ||
        public->nvPublic.dataSize > NV_AREA_MAX_BYTES) {
        Esys_TR_Close(tpm->esys, &area.handle);
        return E(TPM_NV_UNREADABLE);
    }
    area.size = public->nvPublic.dataSize;
    area.reader = attributes & TPMA_NV_AUTHREAD ? area.handle : ESYS_TR_RH_OWNER;
    *out_area = area;
    return OK;
}

static ERRFN read_area(struct tpm *tpm, const struct nv_area *area, struct buf *content)
{
    while (content->len < area->size) {
        size_t left = area->size - content->len;
        UINT16 want = (UINT16)(left < NV_CHUNK_BYTES ? left : NV_CHUNK_BYTES);
        AUTO(TPM2B_MAX_NV_BUFFER) chunk = NULL;
        TSS2_RC code = Esys_NV_Read(tpm->esys, area->reader, area->handle, ESYS_TR_PASSWORD,
                                    ESYS_TR_NONE, ESYS_TR_NONE, want, (UINT16)content->len, &chunk);
        ENSURE(IS_OK(tpm_check(tpm, "TPM2_NV_Read", code)), TPM_NV_UNREADABLE);
        ENSURE(chunk->size == want, TPM_NV_UNREADABLE);
        TRY(buf_put(content, view_of(chunk->buffer, chunk->size)));
    }
    return OK;
}

ERRFN nv_read(struct tpm *tpm, TPM2_HANDLE index, struct buf **out_content)
{
    struct nv_area area;
    TRY(open_area(tpm, index, &area));
    AUTO(buf) content = NULL;
    err_t e = buf_new(NV_AREA_MAX_BYTES, &content);
    e = IS_OK(e) ? read_area(tpm, &area, content) : e;
    Esys_TR_Close(tpm->esys, &area.handle);
    TRY(e);
    *out_content = STEAL(content);
    return OK;
}
