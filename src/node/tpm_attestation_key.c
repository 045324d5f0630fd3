#include "node/tpm_attestation_key.h"

#include <stdlib.h>
#include <tss2/tss2_mu.h>

#include "base/fd.h"

void attestation_key_free(struct attestation_key *key)
{
    if (key) {
        buf_free(key->public_area);
        buf_free(key->private_area);
        free(key);
    }
}

enum ak_kind attestation_key_best(struct tpm *tpm)
{
    static const enum ak_kind kinds[] = {AK_KIND_P384, AK_KIND_P256, AK_KIND_RSA_2048};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        TPM2B_PUBLIC template;
        ak_template_public(kinds[i], &template);
        if (tpm_supports(tpm, &template)) {
            return kinds[i];
        }
    }
    return AK_KIND_NONE;
}

static ERRFN make_parent(struct tpm *tpm, struct tpm_transient *out_parent)
{
    TPM2B_PUBLIC template;
    storage_template_public(true, &template);
    if (!tpm_supports(tpm, &template)) {
        storage_template_public(false, &template);
    }
    AUTO(TPM2B_PUBLIC) public = NULL;
    return tpm_create_primary(tpm, &template, out_parent, &public);
}

static ERRFN private_bytes(const TPM2B_PRIVATE *private, struct buf **out_bytes)
{
    uint8_t bytes[sizeof *private];
    size_t len = 0;
    ENSURE(Tss2_MU_TPM2B_PRIVATE_Marshal(private, bytes, sizeof bytes, &len) == TSS2_RC_SUCCESS,
           BUG);
    return buf_copy(view_of(bytes, len), out_bytes);
}

ERRFN attestation_key_create(struct tpm *tpm, enum ak_kind kind, struct attestation_key **out_key)
{
    AUTO(attestation_key) key = calloc(1, sizeof *key);
    ENSURE(key, NO_MEMORY);
    key->kind = kind;
    AUTO(tpm_transient) parent = TPM_TRANSIENT_NONE;
    TRY(make_parent(tpm, &parent));

    TPM2B_PUBLIC template;
    ak_template_public(kind, &template);
    TPM2B_SENSITIVE_CREATE sensitive = {0};
    TPM2B_DATA outside = {0};
    TPML_PCR_SELECTION creation_pcr = {0};
    AUTO(TPM2B_PRIVATE) private = NULL;
    AUTO(TPM2B_PUBLIC) public = NULL;
    TSS2_RC code = Esys_Create(tpm->esys, parent.handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                               ESYS_TR_NONE, &sensitive, &template, &outside, &creation_pcr,
                               &private, &public, NULL, NULL, NULL);
    TRY(tpm_check(tpm, "TPM2_Create", code));
    TRY(tpm_public_bytes(public, &key->public_area));
    TRY(private_bytes(private, &key->private_area));
    *out_key = STEAL(key);
    return OK;
}

static ERRFN unmarshal(const struct attestation_key *key, TPM2B_PUBLIC *out_public,
                       TPM2B_PRIVATE *out_private)
{
    *out_public = (TPM2B_PUBLIC){0};
    *out_private = (TPM2B_PRIVATE){0};
    struct view public = buf_view(key->public_area);
    struct view private = buf_view(key->private_area);
    size_t at = 0;
    ENSURE(Tss2_MU_TPM2B_PUBLIC_Unmarshal(public.data, public.len, &at, out_public) ==
                   TSS2_RC_SUCCESS &&
               at == public.len,
           FIELD_INVALID);
    at = 0;
    ENSURE(Tss2_MU_TPM2B_PRIVATE_Unmarshal(private.data, private.len, &at, out_private) ==
                   TSS2_RC_SUCCESS &&
               at == private.len,
           FIELD_INVALID);
    return OK;
}

ERRFN attestation_key_load(struct tpm *tpm, const struct attestation_key *key,
                           struct tpm_transient *out_handle)
{
    TPM2B_PUBLIC public;
    TPM2B_PRIVATE private;
    TRY(unmarshal(key, &public, &private));
    AUTO(tpm_transient) parent = TPM_TRANSIENT_NONE;
    TRY(make_parent(tpm, &parent));
    ESYS_TR handle = ESYS_TR_NONE;
    TSS2_RC code = Esys_Load(tpm->esys, parent.handle, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                             &private, &public, &handle);
    TRY(tpm_check(tpm, "TPM2_Load", code));
    *out_handle = (struct tpm_transient){tpm, handle};
    return OK;
}

/* -- on disk: u8 kind, TPM2B_PUBLIC, TPM2B_PRIVATE; both say their own length ------------------ */

ERRFN attestation_key_save(const struct attestation_key *key, const char *path)
{
    AUTO(buf) blob = NULL;
    TRY(buf_new(AK_BLOB_MAX_BYTES, &blob));
    TRY(buf_put_u8(blob, (uint8_t)key->kind));
    TRY(buf_put(blob, buf_view(key->public_area)));
    TRY(buf_put(blob, buf_view(key->private_area)));
    return fd_write_file_atomic(path, buf_view(blob), 0600);
}

static ERRFN take_sized(struct view *v, struct buf **out_sized)
{
    struct view start = *v;
    struct view content;
    uint16_t len;
    TRY(view_get_u16(v, &len, E(FIELD_INVALID)));
    TRY(view_get_bytes(v, len, &content, E(FIELD_INVALID)));
    return buf_copy(view_of(start.data, 2 + (size_t)len), out_sized);
}

ERRFN attestation_key_read(const char *path, struct attestation_key **out_key)
{
    AUTO(buf) blob = NULL;
    TRY(fd_read_file(path, AK_BLOB_MAX_BYTES, &blob));
    AUTO(attestation_key) key = calloc(1, sizeof *key);
    ENSURE(key, NO_MEMORY);
    struct view v = buf_view(blob);
    uint8_t kind;
    TRY(view_get_u8(&v, &kind, E(FIELD_INVALID)));
    ENSURE(kind == AK_KIND_P384 || kind == AK_KIND_P256 || kind == AK_KIND_RSA_2048, FIELD_INVALID);
    key->kind = (enum ak_kind)kind;
    TRY(take_sized(&v, &key->public_area));
    TRY(take_sized(&v, &key->private_area));
    ENSURE(v.len == 0, FIELD_INVALID);
    *out_key = STEAL(key);
    return OK;
}
