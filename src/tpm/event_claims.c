#include "tpm/event_claims_parts.h"

#include "tpm/event_describe.h"
#include "tpm/pcr.h"

#include <openssl/evp.h>
#include <string.h>

AUTO_DEFINE(md_ctx, EVP_MD_CTX, EVP_MD_CTX_free);

ERRFN claim_add_text(struct claim_reader *r, const char *name)
{
    r->claims->truncated = r->claims->truncated || r->text.cut;
    return claims_add(r->claims, name, r->text.text);
}

ERRFN claim_add_digest(struct claim_reader *r, const char *name, const struct claim_event *e)
{
    event_text_clear(&r->text);
    event_text_printf(&r->text, "%s:", r->bank->name);
    event_text_put_hex(&r->text, e->digest);
    return claim_add_text(r, name);
}

ERRFN claim_unverified(struct claim_reader *r, const struct claim_event *e, bool serious)
{
    event_text_clear(&r->text);
    event_text_printf(&r->text, "%zu ", e->index);
    event_describe_type(e->record, &r->text);
    claims_warn(r->claims, serious, e->index,
                "The data of event %s is not what was measured: its digest belongs to other data.",
                r->text.text);
    return claim_add_text(r, "log.unverified_data");
}

ERRFN claim_malformed(struct claim_reader *r, const struct claim_event *e, bool serious)
{
    bool is = false;
    TRY(event_digest_is(r, e, e->record->data, &is));
    if (!is) {
        return claim_unverified(r, e, serious);
    }
    claims_warn(r->claims, false, e->index,
                "Event %zu is malformed, though measured so; nothing was taken from it.", e->index);
    return OK;
}

bool claim_in_pcr(const struct claim_reader *r, const struct claim_event *e, uint32_t pcr)
{
    static const uint8_t registers[PCR_COUNT] = {0, 1, 2, 2, 2, 2, 2, 1, 3, 3, 3, 3, 3, 3, 3, 3};
    return e->record->pcr == (r->log->cc && pcr < PCR_COUNT ? registers[pcr] : pcr);
}

static ERRFN read_event(struct claim_reader *r, const struct claim_event *e)
{
    if (e->record->userspace) {
        return claims_from_userspace(r, e);
    }
    switch (e->record->type) {
    case EV_SEPARATOR:
        return claims_from_separator(r, e);
    case EV_EFI_VARIABLE_DRIVER_CONFIG:
    case EV_EFI_SPDM_DEVICE_POLICY:
        return claims_from_variable_config(r, e);
    case EV_EFI_VARIABLE_AUTHORITY:
    case EV_EFI_SPDM_DEVICE_AUTHORITY:
        return claims_from_variable_authority(r, e);
    case EV_EFI_VARIABLE_BOOT:
    case EV_EFI_VARIABLE_BOOT2:
        return claims_from_variable_boot(r, e);
    case EV_EFI_BOOT_SERVICES_APPLICATION:
    case EV_EFI_BOOT_SERVICES_DRIVER:
    case EV_EFI_RUNTIME_SERVICES_DRIVER:
        return claims_from_image(r, e);
    case EV_EFI_ACTION:
        return claims_from_action(r, e);
    case EV_EFI_GPT_EVENT:
    case EV_EFI_GPT_EVENT2:
        return claims_from_gpt(r, e);
    case EV_S_CRTM_VERSION:
        return claims_from_crtm_version(r, e);
    case EV_S_CRTM_CONTENTS:
    case EV_EFI_HCRTM_EVENT:
        return claim_add_digest(r, "firmware.crtm", e);
    case EV_EFI_PLATFORM_FIRMWARE_BLOB:
    case EV_EFI_PLATFORM_FIRMWARE_BLOB2:
        return claim_add_digest(r, "firmware.blob", e);
    case EV_POST_CODE:
    case EV_POST_CODE2:
        return claim_add_digest(r, "firmware.post_code", e);
    case EV_CPU_MICROCODE:
        return claim_add_digest(r, "firmware.microcode", e);
    case EV_NONHOST_INFO:
        return claims_from_nonhost_info(r, e);
    case EV_EFI_SPDM_FIRMWARE_BLOB:
        return claim_add_digest(r, "device.firmware", e);
    case EV_EFI_SPDM_FIRMWARE_CONFIG:
        return claim_add_digest(r, "device.config", e);
    case EV_IPL:
        return claims_from_ipl(r, e);
    case EV_EVENT_TAG:
        return claims_from_tagged(r, e);
    default:
        return OK;
    }
}

/* What separators are measured as: four bytes of 0x00 or of 0xFF (PFP section 10.4.4). */
static ERRFN make_separators(struct claim_reader *r)
{
    TRY(event_digest_make(r, view_of("\0\0\0\0", 4), r->separators[0]));
    return event_digest_make(r, view_of("\xff\xff\xff\xff", 4), r->separators[1]);
}

/* A separator is told by its digest, not by its type, which is only the log's word: whoever renames
 * it could otherwise add variables behind it. */
static void note_separator(struct claim_reader *r, const struct claim_event *e)
{
    size_t size = r->bank->size;
    if ((r->separated >> e->record->pcr & 1) ||
        (!view_equal(e->digest, view_of(r->separators[0], size)) &&
         !view_equal(e->digest, view_of(r->separators[1], size)))) {
        return;
    }
    r->separated |= 1U << e->record->pcr;
    r->closed |= 1U << e->record->pcr;
    if (e->record->type != EV_SEPARATOR && e->record->pcr <= 7) {
        /* Elsewhere four zeros are also somebody's setting, and nothing depends on it. */
        claims_warn(r->claims, claim_in_pcr(r, e, 7), e->index,
                    "Event %zu has the digest of a separator and says it is something else.",
                    e->index);
    }
}

/* Of the PCRs of code and of Secure Boot. */
static const char *opaque_name(const struct claim_reader *r, uint32_t pcr)
{
    static const char *const names[PCR_COUNT] = {
        [2] = "opaque.pcr2",   [4] = "opaque.pcr4",   [7] = "opaque.pcr7",   [8] = "opaque.pcr8",
        [9] = "opaque.pcr9",   [11] = "opaque.pcr11", [12] = "opaque.pcr12", [13] = "opaque.pcr13",
        [14] = "opaque.pcr14", [15] = "opaque.pcr15"};
    static const char *const cc_names[EVENT_LOG_CC_REGISTERS] = {
        [2] = "opaque.rtmr1", [3] = "opaque.rtmr2", [4] = "opaque.rtmr3"};
    return r->log->cc ? cc_names[pcr] : names[pcr];
}

/* What was measured and does not stand in the log: a log that calls an image something else must
 * not make it vanish. */
static ERRFN add_opaque(struct claim_reader *r, const struct claim_event *e)
{
    const char *name = opaque_name(r, e->record->pcr);
    bool is = false;
    if (!name || r->explained) {
        return OK;
    }
    TRY(event_digest_is_text(r, e, e->record->data, &is));
    if (is) {
        return OK;
    }
    bool unlisted =
        !r->log->cc && e->record->pcr == 4 && e->record->type != EV_EFI_BOOT_SERVICES_APPLICATION;
    TRY(claim_add_digest(r, name, e));
    return unlisted ? claim_add_digest(r, "boot.application", e) : OK;
}

static ERRFN read_events(struct claim_reader *r)
{
    uint32_t registers = r->log->cc ? EVENT_LOG_CC_REGISTERS : PCR_COUNT;
    for (size_t i = 0; i < r->log->count; i++) {
        struct claim_event e = {.record = &r->log->events[i], .index = i};
        e.digest = event_log_digest(r->log, e.record, r->bank->alg);
        if (!event_log_extends(r->log, e.record) || e.record->pcr >= registers ||
            e.digest.len == 0) {
            continue;
        }
        r->claims->pcrs = 1U << e.record->pcr;
        r->explained = false;
        TRY(claims_from_uki(r, &e));
        TRY(read_event(r, &e));
        note_separator(r, &e);
        TRY(add_opaque(r, &e));
    }
    TRY(claims_of_separators(r));
    return claims_of_boot(r);
}

ERRFN event_claims_read(const struct event_log *log, uint16_t bank, struct claims **out_claims)
{
    AUTO(claims) claims = NULL;
    TRY(claims_new(&claims));
    struct claim_reader r = {.log = log, .bank = event_bank_of(bank), .claims = claims};
    claims_warn_of_log(&r);
    if (!r.bank) {
        claims_warn(claims, true, 0, "The log has no digests of a hash algorithm known here.");
        *out_claims = STEAL(claims);
        return OK;
    }
    AUTO(md_ctx) ctx = EVP_MD_CTX_new();
    ENSURE(ctx, NO_MEMORY);
    ENSURE(EVP_DigestInit_ex2(ctx, r.bank->md(), NULL) == 1, CRYPTO);
    r.ctx = ctx;
    TRY(make_separators(&r));
    TRY(claims_prepare_uki(&r));
    TRY(claims_of_log(&r));
    TRY(read_events(&r));
    *out_claims = STEAL(claims);
    return OK;
}

bool event_claim_is_set(const char *name)
{
    static const char *const sets[] = {"secure_boot.pk",
                                       "secure_boot.kek",
                                       "secure_boot.db",
                                       "secure_boot.dbx",
                                       "secure_boot.dbt",
                                       "secure_boot.dbr",
                                       "secure_boot.mok_list",
                                       "secure_boot.mok_list_x",
                                       "secure_boot.devdb",
                                       "secure_boot.vendor_db",
                                       "secure_boot.sbat_level",
                                       "secure_boot.authority",
                                       "firmware.blob",
                                       "firmware.post_code",
                                       "firmware.microcode",
                                       "device.firmware",
                                       "device.config",
                                       "boot.option",
                                       "boot.application",
                                       "boot.application_path",
                                       "boot.driver",
                                       "boot.gpt_disk_guid",
                                       "boot.gpt_partition",
                                       "grub.command",
                                       "grub.file",
                                       "grub.file_path",
                                       "grub.module_command_line",
                                       "uki.section",
                                       "uki.phase",
                                       "machine.file_system",
                                       "machine.volume_key",
                                       "machine.nvpcr",
                                       "stub.credential",
                                       "sysext",
                                       "confext",
                                       "stub.initrd_addon",
                                       "stub.ucode_addon",
                                       "stub.devicetree_addon",
                                       "windows.module",
                                       "windows.code_integrity_policy",
                                       "windows.elam_driver",
                                       "log.unverified_data",
                                       "log.separator.error",
                                       "log.separator.missing"};
    static const char subject[] = ".subject";
    size_t len = strlen(name);
    if (strncmp(name, "opaque.", strlen("opaque.")) == 0) {
        return true;
    }
    if (len > strlen(subject) && strcmp(name + len - strlen(subject), subject) == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (strcmp(name, sets[i]) == 0) {
            return true;
        }
    }
    return false;
}
