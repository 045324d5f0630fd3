#include "tpm/device_path_node.h"

#include "tpm/device_path.h"
#include "tpm/little_endian.h"

#include <inttypes.h>

enum {
    TYPE_END = 0x7F,
    END_ENTIRE = 0xFF,
    EISA_PNP = 0x41D0,
    HID_PCI = 0x0A03,
    HID_PCIE = 0x0A08,
    HD_GPT = 2
};

static void put_unknown(struct event_text *t, const struct device_node *n)
{
    event_text_printf(t, "Path(%u,%u", n->type, n->subtype);
    if (n->data.len > 0) {
        event_text_put(t, ",");
        event_text_put_hex(t, n->data);
    }
    event_text_put(t, ")");
}

bool device_node_put_guid(struct event_text *t, const struct device_node *n, const char *name)
{
    if (n->data.len < EVENT_GUID_BYTES) {
        return false;
    }
    event_text_printf(t, "%s(", name);
    event_text_put_guid(t, n->data.data);
    if (n->data.len > EVENT_GUID_BYTES) {
        event_text_put(t, ",");
        event_text_put_hex(
            t, view_of(n->data.data + EVENT_GUID_BYTES, n->data.len - EVENT_GUID_BYTES));
    }
    event_text_put(t, ")");
    return true;
}

static bool put_hardware(struct event_text *t, const struct device_node *n)
{
    struct view v = n->data;
    uint32_t memory_type;
    uint64_t first;
    uint64_t last;
    switch (n->subtype) {
    case 1:
        if (v.len < 2) {
            return false;
        }
        event_text_printf(t, "Pci(0x%x,0x%x)", v.data[1], v.data[0]);
        return true;
    case 3:
        if (!le_take_u32(&v, &memory_type) || !le_take_u64(&v, &first) || !le_take_u64(&v, &last)) {
            return false;
        }
        event_text_printf(t, "MemoryMapped(0x%x,0x%" PRIx64 ",0x%" PRIx64 ")", memory_type, first,
                          last);
        return true;
    case 4:
        return device_node_put_guid(t, n, "VenHw");
    case 5:
        if (!le_take_u32(&v, &memory_type)) {
            return false;
        }
        event_text_printf(t, "Ctrl(0x%x)", memory_type);
        return true;
    default:
        return false;
    }
}

static bool put_acpi(struct event_text *t, const struct device_node *n)
{
    struct view v = n->data;
    uint32_t hid;
    uint32_t uid;
    if (n->subtype == 3 && le_take_u32(&v, &hid)) {
        event_text_printf(t, "AcpiAdr(0x%x)", hid);
        return true;
    }
    if (n->subtype != 1 || !le_take_u32(&v, &hid) || !le_take_u32(&v, &uid)) {
        return false;
    }
    if ((hid & 0xFFFF) != EISA_PNP) {
        event_text_printf(t, "Acpi(0x%08x,0x%x)", hid, uid);
    } else if (hid >> 16 == HID_PCI || hid >> 16 == HID_PCIE) {
        event_text_printf(t, "%s(0x%x)", hid >> 16 == HID_PCI ? "PciRoot" : "PcieRoot", uid);
    } else {
        event_text_printf(t, "Acpi(PNP%04X,0x%x)", hid >> 16, uid);
    }
    return true;
}

/* Hard Drive Media Device Path, section 10.3.5.1. */
static bool put_partition(struct event_text *t, struct view v)
{
    uint32_t number;
    uint64_t start;
    uint64_t size;
    struct view signature;
    uint8_t format;
    uint8_t kind;
    if (!le_take_u32(&v, &number) || !le_take_u64(&v, &start) || !le_take_u64(&v, &size) ||
        !le_take_bytes(&v, EVENT_GUID_BYTES, &signature) || !le_take_u8(&v, &format) ||
        !le_take_u8(&v, &kind)) {
        return false;
    }
    event_text_printf(t, "HD(%u,%s,", number, kind == HD_GPT ? "GPT" : "MBR");
    if (kind == HD_GPT) {
        event_text_put_guid(t, signature.data);
    } else {
        event_text_put_hex(t, view_of(signature.data, 4));
    }
    event_text_printf(t, ",0x%" PRIx64 ",0x%" PRIx64 ")", start, size);
    return true;
}

/* Relative Offset Range: where in a card's memory its option ROM was. */
static bool put_offsets(struct event_text *t, struct view v)
{
    uint32_t reserved;
    uint64_t first;
    uint64_t last;
    if (!le_take_u32(&v, &reserved) || !le_take_u64(&v, &first) || !le_take_u64(&v, &last)) {
        return false;
    }
    event_text_printf(t, "Offset(0x%" PRIx64 ",0x%" PRIx64 ")", first, last);
    return true;
}

static bool put_cdrom(struct event_text *t, struct view v)
{
    uint32_t entry;
    if (!le_take_u32(&v, &entry)) {
        return false;
    }
    event_text_printf(t, "CDROM(0x%x)", entry);
    return true;
}

/* What a legacy BIOS would boot: its kind, flags, and a name. */
static bool put_legacy(struct event_text *t, const struct device_node *n)
{
    uint16_t kind;
    uint16_t flags;
    struct view v = n->data;
    if (n->subtype != 1 || !le_take_u16(&v, &kind) || !le_take_u16(&v, &flags)) {
        return false;
    }
    event_text_printf(t, "BBS(0x%x,", kind);
    event_text_put_utf8(t, event_text_trim(v));
    event_text_put(t, ")");
    return true;
}

static bool put_media(struct event_text *t, const struct device_node *n)
{
    switch (n->subtype) {
    case 1:
        return put_partition(t, n->data);
    case 2:
        return put_cdrom(t, n->data);
    case 3:
        return device_node_put_guid(t, n, "VenMedia");
    case 4:
        event_text_put_utf16(t, event_text_trim_utf16(n->data));
        return true;
    case 6:
        return device_node_put_guid(t, n, "FvFile");
    case 7:
        return device_node_put_guid(t, n, "Fv");
    case 8:
        return put_offsets(t, n->data);
    default:
        return false;
    }
}

static void put_node(struct event_text *t, const struct device_node *n)
{
    bool known = false;
    switch (n->type) {
    case 1:
        known = put_hardware(t, n);
        break;
    case 2:
        known = put_acpi(t, n);
        break;
    case 3:
        known = device_node_put_message(t, n);
        break;
    case 4:
        known = put_media(t, n);
        break;
    case 5:
        known = put_legacy(t, n);
        break;
    default:
        break;
    }
    if (!known) {
        put_unknown(t, n);
    }
}

static bool take_node(struct view *v, struct device_node *out_node)
{
    enum { HEADER_BYTES = 4 };
    struct device_node n;
    uint16_t len;
    if (!le_take_u8(v, &n.type) || !le_take_u8(v, &n.subtype) || !le_take_u16(v, &len) ||
        len < HEADER_BYTES || !le_take_bytes(v, len - HEADER_BYTES, &n.data)) {
        return false;
    }
    *out_node = n;
    return true;
}

void device_path_put(struct event_text *t, struct view path)
{
    bool first = true;
    while (path.len > 0 && !t->cut) {
        struct device_node n;
        if (!take_node(&path, &n)) {
            event_text_put(t, "?");
            return;
        }
        if (n.type == TYPE_END) {
            if (n.subtype == END_ENTIRE) {
                return;
            }
            event_text_put(t, ",");
            first = true;
            continue;
        }
        event_text_put(t, first ? "" : "/");
        put_node(t, &n);
        first = false;
    }
}
