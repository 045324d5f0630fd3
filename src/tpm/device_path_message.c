/* Messaging device paths: UEFI 2.10 section 10.3.4. */
#include "tpm/device_path_node.h"

#include "tpm/little_endian.h"

static bool put_ipv4(struct event_text *t, struct view v)
{
    if (v.len < 8) {
        return false;
    }
    event_text_printf(t, "IPv4(%u.%u.%u.%u)", v.data[4], v.data[5], v.data[6], v.data[7]);
    return true;
}

/* Local address first; what is booted from is the other. */
static bool put_ipv6(struct event_text *t, struct view v)
{
    enum { ADDRESS_BYTES = 16 };
    if (v.len < 2 * ADDRESS_BYTES) {
        return false;
    }
    event_text_put(t, "IPv6(");
    for (size_t i = 0; i < ADDRESS_BYTES; i += 2) {
        event_text_printf(t, "%s%x", i ? ":" : "",
                          v.data[ADDRESS_BYTES + i] << 8 | v.data[ADDRESS_BYTES + i + 1]);
    }
    event_text_put(t, ")");
    return true;
}

/* SD, eMMC: a slot. */
static bool put_slot(struct event_text *t, struct view v, const char *name)
{
    if (v.len < 1) {
        return false;
    }
    event_text_printf(t, "%s(0x%x)", name, v.data[0]);
    return true;
}

static bool put_iscsi(struct event_text *t, struct view v)
{
    enum { TARGET_AT = 14 }; /* behind protocol, options, LUN and portal group */
    if (v.len < TARGET_AT) {
        return false;
    }
    event_text_put(t, "iSCSI(");
    event_text_put_utf8(t, event_text_trim(view_of(v.data + TARGET_AT, v.len - TARGET_AT)));
    event_text_put(t, ")");
    return true;
}

static bool put_nvme(struct event_text *t, struct view v)
{
    uint32_t space;
    if (!le_take_u32(&v, &space) || v.len < 8) {
        return false;
    }
    event_text_printf(t, "NVMe(0x%x,%02X-%02X-%02X-%02X-%02X-%02X-%02X-%02X)", space, v.data[7],
                      v.data[6], v.data[5], v.data[4], v.data[3], v.data[2], v.data[1], v.data[0]);
    return true;
}

/* USB: port and interface; UFS: target and LUN. */
static bool put_pair(struct event_text *t, struct view v, const char *name)
{
    if (v.len < 2) {
        return false;
    }
    event_text_printf(t, "%s(0x%x,0x%x)", name, v.data[0], v.data[1]);
    return true;
}

/* SCSI, SATA, VLAN: up to three 16-bit numbers. */
static bool put_numbers(struct event_text *t, struct view v, const char *name, int count)
{
    uint16_t number[3] = {0};
    for (int i = 0; i < count; i++) {
        if (!le_take_u16(&v, &number[i])) {
            return false;
        }
    }
    event_text_printf(t, "%s(", name);
    for (int i = 0; i < count; i++) {
        event_text_printf(t, "%s0x%x", i ? "," : "", number[i]);
    }
    event_text_put(t, ")");
    return true;
}

bool device_node_put_message(struct event_text *t, const struct device_node *n)
{
    struct view v = n->data;
    switch (n->subtype) {
    case 2:
        return put_numbers(t, v, "Scsi", 2);
    case 5:
        return put_pair(t, v, "USB");
    case 10:
        return device_node_put_guid(t, n, "VenMsg");
    case 11:
        if (v.len < 6) {
            return false;
        }
        event_text_put(t, "MAC(");
        event_text_put_hex(t, view_of(v.data, 6));
        event_text_put(t, ")");
        return true;
    case 12:
        return put_ipv4(t, v);
    case 13:
        return put_ipv6(t, v);
    case 18:
        return put_numbers(t, v, "Sata", 3);
    case 19:
        return put_iscsi(t, v);
    case 20:
        return put_numbers(t, v, "Vlan", 1);
    case 23:
        return put_nvme(t, v);
    case 24:
        event_text_put(t, "Uri(");
        event_text_put_utf8(t, v);
        event_text_put(t, ")");
        return true;
    case 25:
        return put_pair(t, v, "UFS");
    case 26:
        return put_slot(t, v, "SD");
    case 29:
        return put_slot(t, v, "eMMC");
    default:
        return false;
    }
}
