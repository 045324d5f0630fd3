/* Boot: options, images, disk, attempts. */
#include "tpm/event_claims_parts.h"

#include "tpm/device_path.h"
#include "tpm/efi_variable.h"
#include "tpm/little_endian.h"

#include <string.h>

/* PFP section 3.3.4: the images that were started, and what was set up for them. */
enum { BOOT_LOADER_PCR = 4, BOOT_LOADER_CONFIG_PCR = 5 };

static ERRFN add_order(struct claim_reader *r, struct view order)
{
    uint16_t number;
    event_text_clear(&r->text);
    while (le_take_u16(&order, &number)) {
        event_text_printf(&r->text, "%s%04X", r->text.len ? "," : "", number);
    }
    return claim_add_text(r, "boot.order");
}

static ERRFN add_option(struct claim_reader *r, const struct efi_variable *v)
{
    event_text_clear(&r->text);
    event_text_put_utf16(&r->text, event_text_trim_utf16(v->name));
    event_text_put(&r->text, " ");
    if (!efi_load_option_put(&r->text, v->data)) {
        event_text_put_hex(&r->text, v->data);
    }
    return claim_add_text(r, "boot.option");
}

/* EV_EFI_VARIABLE_BOOT hashes the value, EV_EFI_VARIABLE_BOOT2 the whole structure; firmware mixes
 * them up (PFP section 10.4.1). */
ERRFN claims_from_variable_boot(struct claim_reader *r, const struct claim_event *e)
{
    struct efi_variable v;
    bool is = false;
    if (!efi_variable_parse(e->record->data, &v)) {
        return claim_malformed(r, e);
    }
    TRY(event_digest_is(r, e, e->record->data, &is));
    if (!is) {
        TRY(event_digest_is(r, e, v.data, &is));
    }
    if (!is) {
        return claim_unverified(r, e, true);
    }
    return efi_variable_is(&v, "BootOrder") ? add_order(r, v.data) : add_option(r, &v);
}

/* UEFI_IMAGE_LOAD_EVENT, PFP section 10.2.3. */
static bool image_path(struct view data, struct view *out_path)
{
    uint64_t location;
    uint64_t length;
    uint64_t link_time_address;
    uint64_t path_bytes;
    return le_take_u64(&data, &location) && le_take_u64(&data, &length) &&
           le_take_u64(&data, &link_time_address) && le_take_u64(&data, &path_bytes) &&
           le_take_bytes(&data, path_bytes, out_path);
}

ERRFN claims_from_image(struct claim_reader *r, const struct claim_event *e)
{
    struct view path = VIEW_EMPTY;
    if (e->record->type != EV_EFI_BOOT_SERVICES_APPLICATION) {
        return claim_add_digest(r, "boot.driver", e);
    }
    size_t before = r->claims->count;
    TRY(claim_add_digest(r, "boot.application", e));
    event_text_clear(&r->text);
    if (image_path(e->record->data, &path)) {
        device_path_put(&r->text, path);
    }
    /* Setup programs and vendors' applications come out of the firmware's own volumes. */
    bool of_firmware =
        strncmp(r->text.text, "Fv(", 3) == 0 || strncmp(r->text.text, "MemoryMapped(", 13) == 0;
    if (!r->attempt_loader && !of_firmware && r->claims->count > before) {
        r->attempt_loader = r->claims->items[before].value;
    }
    return r->text.len > 0 ? claim_add_text(r, "boot.application_path") : OK;
}

/* UEFI_GPT_DATA begins with the disk's EFI_PARTITION_TABLE_HEADER: UEFI 2.10 section 5.3.2. */
ERRFN claims_from_gpt(struct claim_reader *r, const struct claim_event *e)
{
    enum { DISK_GUID_AT = 56, HEADER_BYTES = 92 };
    bool is = false;
    TRY(event_digest_is(r, e, e->record->data, &is));
    if (!is) {
        return claim_unverified(r, e, false);
    }
    if (e->record->data.len < HEADER_BYTES) {
        return OK;
    }
    event_text_clear(&r->text);
    event_text_put_guid(&r->text, e->record->data.data + DISK_GUID_AT);
    return claim_add_text(r, "boot.gpt_disk_guid");
}

/* Some firmware measures the application before it says that it calls it: then the last attempt has
 * none of its own. */
ERRFN claims_of_boot(struct claim_reader *r)
{
    const char *loader = r->attempt_loader ? r->attempt_loader : r->earlier_loader;
    r->claims->pcrs = 1U << BOOT_LOADER_PCR;
    if (loader) {
        TRY(claims_add(r->claims, "boot.loader", loader));
    }
    if (r->attempts > 0) {
        event_text_clear(&r->text);
        event_text_printf(&r->text, "%u", r->attempts);
        TRY(claim_add_text(r, "boot.attempts"));
    }
    r->claims->pcrs = 1U << BOOT_LOADER_CONFIG_PCR;
    return r->exit_boot_services
               ? claims_add(r->claims, "boot.exit_boot_services", r->exit_boot_services)
               : OK;
}
