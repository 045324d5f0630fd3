/* EV_EVENT_TAG: TCG_PCClientTaggedEvent (PFP section 10.4.2.1), one scheme of Linux, one of
 * systemd, one of Windows. */
#include "tpm/event_claims_parts.h"

#include "tpm/little_endian.h"

/* The digest covers content that is not in the event: the label says what it was. */
static const struct {
    uint32_t tag;
    const char *claim;
} tags[] = {
    {0x8F3B22EC, "initrd.digest"},     /* Linux: initrd */
    {0x8F3B22ED, "stub.load_options"}, /* Linux: the command line as its stub got it */
    {0xF5BC582A, "loader.conf"},       /* systemd from here on */
    {0x6C46F751, "stub.devicetree_addon"},
    {0x49DFFE0F, "stub.initrd_addon"},
    {0xDAC08E1A, "stub.ucode_addon"},
    {0x13AED6DB, "uki.profile"},
    {0xD5CB7CBC, "firmware.smbios_type1"},
    {0xE0D47BC8, "firmware.smbios_type2"},
    {0xC0B3BD23, "firmware.smbios_type11"},
};

/* SIPA types are a class below 0x10 and a number, with two flags before; others choose their tags
 * at random. */
static bool is_windows(uint32_t tag)
{
    static const uint32_t flags = 0xC0000000;
    uint32_t class = (tag & ~flags) >> 16;
    return class > 0 && class <= 0x10;
}

ERRFN claims_from_tagged(struct claim_reader *r, const struct claim_event *e)
{
    struct view v = e->record->data;
    uint32_t tag;
    uint32_t size;
    if (!le_take_u32(&v, &tag) || !le_take_u32(&v, &size)) {
        return OK;
    }
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (tags[i].tag == tag) {
            return claim_add_digest(r, tags[i].claim, e);
        }
    }
    bool windows = !r->log->cc && e->record->pcr >= 11 && e->record->pcr <= 14 && is_windows(tag);
    return windows ? claims_from_windows(r, e) : OK;
}
