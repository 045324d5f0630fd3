/* Boot: options, images, disk, attempts. */
#include "tpm/event_claims_parts.h"

#include "tpm/device_path.h"
#include "tpm/efi_variable.h"
#include "tpm/little_endian.h"

#include <string.h>

/* PFP section 3.3.4: the images that were started, and what was set up for them. */
enum { BOOT_LOADER_PCR = 4, BOOT_LOADER_CONFIG_PCR = 5 };

/* Numbers of boot options. */
static void put_numbers(struct event_text *t, struct view numbers)
{
    uint16_t number;
    for (bool first = true; le_take_u16(&numbers, &number); first = false) {
        event_text_printf(t, "%s%04X", first ? "" : ",", number);
    }
}

static ERRFN add_order(struct claim_reader *r, struct view order)
{
    event_text_clear(&r->text);
    put_numbers(&r->text, order);
    return claim_add_text(r, "boot.order");
}

static ERRFN add_option(struct claim_reader *r, const struct efi_variable *v)
{
    event_text_clear(&r->text);
    event_text_put_utf16(&r->text, event_text_trim_utf16(v->name));
    event_text_put(&r->text, " ");
    if (efi_variable_is(v, "BootNext") || efi_variable_is(v, "BootCurrent")) {
        put_numbers(&r->text, v->data);
    } else if (!efi_load_option_put(&r->text, v->data)) {
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
        return claim_malformed(r, e, claim_in_pcr(r, e, 7));
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

ERRFN claims_from_image(struct claim_reader *r, const struct claim_event *e)
{
    struct view path = VIEW_EMPTY;
    if (e->record->type != EV_EFI_BOOT_SERVICES_APPLICATION) {
        return claim_add_digest(r, "boot.driver", e);
    }
    size_t before = r->claims->count;
    TRY(claim_add_digest(r, "boot.application", e));
    event_text_clear(&r->text);
    if (efi_image_load_path(e->record->data, &path)) {
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

/* EFI_PARTITION_ENTRY: UEFI 2.10 section 5.3.3. */
static ERRFN add_partition(struct claim_reader *r, struct view entry)
{
    enum { UNIQUE_AT = 16, NAME_AT = 56, NAME_BYTES = 72 };
    struct view name = view_of(entry.data + NAME_AT, NAME_BYTES);
    event_text_clear(&r->text);
    event_text_put_utf16(&r->text, event_text_trim_utf16(name));
    event_text_put(&r->text, r->text.len ? " " : "");
    event_text_put_guid(&r->text, entry.data + UNIQUE_AT);
    event_text_put(&r->text, " ");
    event_text_put_guid(&r->text, entry.data);
    return claim_add_text(r, "boot.gpt_partition");
}

/* Behind the header stand the number of entries that are in use and the entries. */
static ERRFN add_partitions(struct claim_reader *r, struct view data)
{
    enum { ENTRY_SIZE_AT = 84, ENTRY_MIN_BYTES = 128 };
    struct view v = view_of(data.data + ENTRY_SIZE_AT, data.len - ENTRY_SIZE_AT);
    uint32_t entry_bytes;
    uint32_t crc;
    uint64_t count;
    struct view entry;
    if (!le_take_u32(&v, &entry_bytes) || !le_take_u32(&v, &crc) || !le_take_u64(&v, &count) ||
        entry_bytes < ENTRY_MIN_BYTES) {
        return OK;
    }
    for (uint64_t i = 0; i < count && le_take_bytes(&v, entry_bytes, &entry); i++) {
        TRY(add_partition(r, entry));
    }
    return OK;
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
    TRY(claim_add_text(r, "boot.gpt_disk_guid"));
    return add_partitions(r, e->record->data);
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
