#include "tpm/event_describe.h"

#include "tpm/device_path.h"
#include "tpm/efi_variable.h"
#include "tpm/little_endian.h"

#include <inttypes.h>
#include <string.h>

void event_describe_type(const struct event_record *event, struct event_text *t)
{
    if (event->userspace) {
        event_text_printf(t, "userspace %s", event->userspace);
        return;
    }
    const char *name = event_type_name(event->type);
    if (name) {
        event_text_put(t, name);
    } else {
        event_text_printf(t, "0x%08x", event->type);
    }
}

static void describe_variable(struct view data, bool boot, struct event_text *t)
{
    struct efi_variable v;
    if (!efi_variable_parse(data, &v)) {
        return;
    }
    event_text_put_utf16(t, event_text_trim_utf16(v.name));
    if (boot && !efi_variable_is(&v, "BootOrder")) {
        event_text_put(t, " ");
        efi_load_option_put(t, v.data);
    }
}

static void describe_text(struct view data, struct event_text *t)
{
    if (event_text_is_ascii(event_text_trim(data))) {
        event_text_put_utf8(t, event_text_trim(data));
    } else if (event_text_is_utf16(data)) {
        event_text_put_utf16(t, event_text_trim_utf16(data));
    }
}

static void describe_image(struct view data, struct event_text *t)
{
    struct view path;
    if (efi_image_load_path(data, &path)) {
        device_path_put(t, path);
    }
}

/* UEFI_PLATFORM_FIRMWARE_BLOB: where the code was and how long, behind a name with its length in
 * the second form (PFP section 10.2.5). */
static void describe_blob(struct view data, bool named, struct event_text *t)
{
    uint8_t len = 0;
    struct view name = VIEW_EMPTY;
    uint64_t base;
    uint64_t length;
    if (named && (!le_take_u8(&data, &len) || !le_take_bytes(&data, len, &name))) {
        return;
    }
    event_text_put_utf8(t, event_text_trim(name));
    if (le_take_u64(&data, &base) && le_take_u64(&data, &length)) {
        event_text_printf(t, "%s0x%" PRIx64 " bytes at 0x%" PRIx64, t->len ? " " : "", length,
                          base);
    }
}

/* The firmware's word for a table, behind its length (PFP section 10.2.2). */
static void describe_tables(struct view data, struct event_text *t)
{
    uint8_t len;
    struct view name;
    if (le_take_u8(&data, &len) && le_take_bytes(&data, len, &name)) {
        event_text_put_utf8(t, event_text_trim(name));
    }
}

/* A name, or, in its place, a blob. */
static void describe_post_code(struct view data, struct event_text *t)
{
    enum { BLOB_BYTES = 16 };
    if (data.len == BLOB_BYTES && !event_text_is_ascii(data)) {
        describe_blob(data, false, t);
    } else {
        describe_text(data, t);
    }
}

/* A tag, a size, and content that is often a text. */
static void describe_tagged(struct view data, struct event_text *t)
{
    uint32_t tag;
    uint32_t size;
    if (!le_take_u32(&data, &tag) || !le_take_u32(&data, &size)) {
        return;
    }
    event_text_printf(t, "tag 0x%08x ", tag);
    describe_text(data, t);
}

static bool take_short_text(struct view *v, struct view *out_text)
{
    uint8_t len;
    return le_take_u8(v, &len) && le_take_bytes(v, len, out_text);
}

/* TCG_Sp800_155_PlatformId_Event2 and 3 (PFP section 10.4.5.1): which reference manifest fits this
 * machine. Nothing proves it, as nothing is extended. */
static void describe_manifest(struct view v, struct event_text *t)
{
    struct view skipped;
    struct view texts[5] = {0};
    enum { GUID_AND_VENDOR_BYTES = 20, MAKER = 3, VERSION = 4 };
    if (!le_take_bytes(&v, GUID_AND_VENDOR_BYTES, &skipped)) {
        return;
    }
    for (size_t i = 0; i <= VERSION; i++) {
        uint32_t maker_id;
        if ((i == VERSION && !le_take_u32(&v, &maker_id)) || !take_short_text(&v, &texts[i])) {
            return;
        }
    }
    for (size_t i = 0; i < MAKER; i++) {
        event_text_put(t, " ");
        event_text_put_utf8(t, event_text_trim(texts[i]));
    }
    event_text_put(t, ", firmware ");
    event_text_put_utf8(t, event_text_trim(texts[MAKER]));
    event_text_put(t, " ");
    event_text_put_utf8(t, event_text_trim(texts[VERSION]));
}

/* EV_NO_ACTION begins with a signature of 16 bytes. */
static void describe_no_action(struct view data, struct event_text *t)
{
    enum { SIGNATURE_BYTES = 16 };
    if (data.len < SIGNATURE_BYTES) {
        return;
    }
    struct view signature = event_text_trim(view_of(data.data, SIGNATURE_BYTES));
    if (event_text_is_ascii(signature)) {
        event_text_put_utf8(t, signature);
    }
    struct view rest = view_of(data.data + SIGNATURE_BYTES, data.len - SIGNATURE_BYTES);
    if (view_is(signature, "SP800-155 Event2") || view_is(signature, "SP800-155 Event3")) {
        describe_manifest(rest, t);
    }
    if (view_is(signature, "StartupLocality") && data.len > SIGNATURE_BYTES) {
        event_text_printf(t, " %u", data.data[SIGNATURE_BYTES]);
    }
}

static void describe_gpt(struct view data, struct event_text *t)
{
    enum { DISK_GUID_AT = 56 };
    if (data.len >= DISK_GUID_AT + EVENT_GUID_BYTES) {
        event_text_put(t, "disk ");
        event_text_put_guid(t, data.data + DISK_GUID_AT);
    }
}

void event_describe(const struct event_record *event, struct event_text *t)
{
    if (event->userspace) {
        event_text_put_utf8(t, event->data);
        return;
    }
    switch (event->type) {
    case EV_POST_CODE:
        describe_post_code(event->data, t);
        return;
    case EV_EFI_PLATFORM_FIRMWARE_BLOB:
        describe_blob(event->data, false, t);
        return;
    case EV_POST_CODE2:
    case EV_EFI_PLATFORM_FIRMWARE_BLOB2:
        describe_blob(event->data, true, t);
        return;
    case EV_EFI_HANDOFF_TABLES2:
        describe_tables(event->data, t);
        return;
    case EV_EFI_SPDM_DEVICE_POLICY:
    case EV_EFI_SPDM_DEVICE_AUTHORITY:
    case EV_EFI_VARIABLE_DRIVER_CONFIG:
    case EV_EFI_VARIABLE_AUTHORITY:
        describe_variable(event->data, false, t);
        return;
    case EV_EFI_VARIABLE_BOOT:
    case EV_EFI_VARIABLE_BOOT2:
        describe_variable(event->data, true, t);
        return;
    case EV_EFI_BOOT_SERVICES_APPLICATION:
    case EV_EFI_BOOT_SERVICES_DRIVER:
    case EV_EFI_RUNTIME_SERVICES_DRIVER:
        describe_image(event->data, t);
        return;
    case EV_EFI_GPT_EVENT:
    case EV_EFI_GPT_EVENT2:
        describe_gpt(event->data, t);
        return;
    case EV_EVENT_TAG:
        describe_tagged(event->data, t);
        return;
    case EV_NO_ACTION:
        describe_no_action(event->data, t);
        return;
    default:
        describe_text(event->data, t);
        return;
    }
}
