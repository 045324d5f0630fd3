/* Firmware: its version, its actions, separators. */
#include "tpm/event_claims_parts.h"

#include "tpm/event_check.h"

#include <string.h>

/* A string in UTF-16 or ASCII, a GUID (edk2), or bytes. */
ERRFN claims_from_crtm_version(struct claim_reader *r, const struct claim_event *e)
{
    struct view data = e->record->data;
    bool is = false;
    TRY(event_digest_is(r, e, data, &is));
    if (!is) {
        return claim_unverified(r, e, false);
    }
    event_text_clear(&r->text);
    if (event_text_is_utf16(data)) {
        event_text_put_utf16(&r->text, event_text_trim_utf16(data));
    } else if (event_text_is_ascii(event_text_trim(data))) {
        event_text_put_utf8(&r->text, event_text_trim(data));
    } else if (data.len == EVENT_GUID_BYTES) {
        event_text_put_guid(&r->text, data.data);
    } else if (event_text_trim(data).len > 0) {
        event_text_put_hex(&r->text, data);
    }
    return r->text.len > 0 ? claim_add_text(r, "firmware.crtm_version") : OK;
}

/* Conventional BIOS writes one byte of them. */
static bool is_separator(struct view data)
{
    bool same = data.len > 0 && data.len <= 4 && (data.data[0] == 0x00 || data.data[0] == 0xFF);
    for (size_t i = 1; same && i < data.len; i++) {
        same = data.data[i] == data.data[0];
    }
    return same;
}

/* Whether the digest is a separator's and the data is what firmware leaves of one: nothing (seen in
 * logs of old laptops), or the word with zeros behind it (coreboot before 2026). */
static bool is_worn_separator(const struct claim_reader *r, const struct claim_event *e)
{
    static const uint8_t fillers[2] = {0x00, 0xFF};
    struct view data = e->record->data;
    for (size_t i = 0; i < 2; i++) {
        bool same = view_equal(e->digest, view_of(r->separators[i], r->bank->size));
        for (size_t at = 0; same && at < data.len; at++) {
            same = data.data[at] == (at < 4 ? fillers[i] : 0);
        }
        if (same) {
            return true;
        }
    }
    return false;
}

static ERRFN add_separator(struct claim_reader *r, const struct claim_event *e, const char *name,
                           char out_register[static EVENT_REGISTER_NAME_SIZE])
{
    event_register_name(r->log, e->record->pcr, out_register);
    event_text_clear(&r->text);
    event_text_printf(&r->text, "PCR %s", out_register);
    return claim_add_text(r, name);
}

/* PFP section 10.4.4: 0 or 0xFFFFFFFF; 1 says that the firmware met an error, which the event may
 * describe in its place. Behind PCR 7 systems put what they like. */
ERRFN claims_from_separator(struct claim_reader *r, const struct claim_event *e)
{
    bool is = false;
    char name[EVENT_REGISTER_NAME_SIZE];
    TRY(event_digest_is(r, e, e->record->data, &is));
    r->closed |= 1U << e->record->pcr;
    if ((is && (is_separator(e->record->data) || e->record->pcr > 7)) || is_worn_separator(r, e)) {
        r->separated |= 1U << e->record->pcr;
        r->explained = true;
        return OK;
    }
    TRY(add_separator(r, e, "log.separator.error", name));
    if (!is) {
        TRY(event_digest_is(r, e, view_of("\1\0\0\0", 4), &is));
    }
    if (!is) {
        return claim_unverified(r, e, true);
    }
    claims_warn(r->claims, true, e->index,
                "Event %zu ends the firmware's part of PCR %s with an error.", e->index, name);
    return OK;
}

/* The firmware closes each of its PCRs before anything else runs. Where it did not, what follows
 * its part can't be told from it. CC logs have several PCRs in a register. */
ERRFN claims_of_separators(struct claim_reader *r)
{
    uint32_t missing = r->log->cc ? 0 : EVENT_FIRMWARE_PCRS & ~r->closed;
    for (uint32_t pcr = 0; missing >> pcr; pcr++) {
        if (missing >> pcr & 1) {
            event_text_clear(&r->text);
            event_text_printf(&r->text, "PCR %u", pcr);
            r->claims->pcrs = 1U << pcr;
            TRY(claim_add_text(r, "log.separator.missing"));
        }
    }
    return OK;
}

/* Which technology keeps the host out, by Google's virtual firmware: a name, a number, zeros. */
ERRFN claims_from_nonhost_info(struct claim_reader *r, const struct claim_event *e)
{
    static const char *const technologies[] = {"none", "amd-sev", "amd-sev-es", "intel-tdx",
                                               "amd-sev-snp"};
    enum { NAME_BYTES = 16, KNOWN = sizeof technologies / sizeof technologies[0] };
    struct view data = e->record->data;
    bool is = false;
    TRY(event_digest_is(r, e, data, &is));
    bool google = data.len > NAME_BYTES && memcmp(data.data, "GCE NonHostInfo", NAME_BYTES) == 0;
    if (!is || !google || data.data[NAME_BYTES] >= KNOWN) {
        return OK;
    }
    return claims_add(r->claims, "firmware.confidential_computing",
                      technologies[data.data[NAME_BYTES]]);
}

struct action {
    const char *text;
    const char *name;
    const char *value;
};

static ERRFN note_boot_action(struct claim_reader *r, struct view text)
{
    if (view_is(text, "Calling EFI Application from Boot Option")) {
        r->attempts++;
        r->earlier_loader = r->attempt_loader;
        r->attempt_loader = NULL;
    } else if (view_is(text, "Exit Boot Services Invocation")) {
        r->exit_boot_services = "invoked";
    } else if (view_is(text, "Exit Boot Services Returned with Success")) {
        r->exit_boot_services = "returned";
    } else if (view_is(text, "Exit Boot Services Returned with Failure")) {
        r->exit_boot_services = "failed";
    }
    return OK;
}

/* PFP section 10.4.3 and 10.4.2: the string without a NUL; some firmware leaves one in. */
ERRFN claims_from_action(struct claim_reader *r, const struct claim_event *e)
{
    static const struct action actions[] = {
        {"UEFI Debug Mode", "firmware.debug_mode", "true"},
        {"DMA Protection Disabled", "firmware.dma_protection", "disabled"},
    };
    struct view text = event_text_trim(e->record->data);
    bool is = false;
    TRY(event_digest_is_text(r, e, text, &is));
    if (!is) {
        return claim_unverified(r, e, true);
    }
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (view_is(text, actions[i].text)) {
            return claims_add(r->claims, actions[i].name, actions[i].value);
        }
    }
    return note_boot_action(r, text);
}
