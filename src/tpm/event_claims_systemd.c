/* What systemd-boot and systemd-stub measure; they label their events in UTF-16. */
#include "tpm/event_claims_parts.h"

#include <string.h>

/* UKI specification (UAPI.5): what systemd-stub measures, in its order. */
static const char *const sections[CLAIM_UKI_SECTIONS] = {
    ".linux", ".osrel",   ".cmdline", ".initrd", ".ucode", ".splash",  ".dtb",
    ".uname", ".dtbauto", ".hwids",   ".efifw",  ".sbat",  ".pcrpkey", ".profile"};

ERRFN claims_prepare_uki(struct claim_reader *r)
{
    for (size_t i = 0; i < CLAIM_UKI_SECTIONS; i++) {
        struct view name = view_of(sections[i], strlen(sections[i]) + 1);
        TRY(event_digest_make(r, name, r->uki_names[i]));
    }
    return OK;
}

static const char *section_named_by(const struct claim_reader *r, const struct claim_event *e)
{
    for (size_t i = 0; i < CLAIM_UKI_SECTIONS; i++) {
        if (view_equal(e->digest, view_of(r->uki_names[i], r->bank->size))) {
            return sections[i];
        }
    }
    return NULL;
}

static ERRFN add_section(struct claim_reader *r, const struct claim_event *e, const char *name)
{
    event_text_clear(&r->text);
    event_text_printf(&r->text, "%s:%s:", name, r->bank->name);
    event_text_put_hex(&r->text, e->digest);
    TRY(claim_add_text(r, "uki.section"));
    if (strcmp(name, ".linux") == 0) {
        return claim_add_digest(r, "kernel.digest", e);
    }
    return strcmp(name, ".initrd") == 0 ? claim_add_digest(r, "initrd.digest", e) : OK;
}

/* Each part of a UKI makes two events: one over its name in ASCII with a NUL, the next one in that
 * PCR over its content. Both are told by digests and their proved order alone: whatever the log
 * calls them, none can be hidden. */
ERRFN claims_from_uki(struct claim_reader *r, const struct claim_event *e)
{
    if (!claim_in_pcr(r, e, 11)) {
        return OK;
    }
    const char *name = r->uki_section;
    r->uki_section = name ? NULL : section_named_by(r, e);
    r->explained = r->explained || name || r->uki_section;
    return name ? add_section(r, e, name) : OK;
}

static const struct label {
    const char *text;
    const char *claim;
} stub_labels[] = {
    {"Credentials initrd", "stub.credential"},
    {"Global credentials initrd", "stub.credential"},
    {"System extension initrd", "sysext"},
    {"Global system extension initrd", "sysext"},
    {"Configuration extension initrd", "confext"},
    {"Global configuration extension initrd", "confext"},
};

static const struct label *stub_label(struct view label)
{
    for (size_t i = 0; i < sizeof stub_labels / sizeof stub_labels[0]; i++) {
        struct view wanted = view_text(stub_labels[i].text);
        bool same = label.len == wanted.len * 2;
        for (size_t c = 0; same && c < wanted.len; c++) {
            same = label.data[2 * c] == wanted.data[c] && label.data[2 * c + 1] == 0;
        }
        if (same) {
            return &stub_labels[i];
        }
    }
    return NULL;
}

/* The command line is its own label. Its terminating NUL is hashed; older systemd cuts half of it
 * off the event. */
ERRFN claims_from_command_line(struct claim_reader *r, const struct claim_event *e, bool surely)
{
    static const uint8_t nuls[2] = {0, 0};
    struct view data = e->record->data;
    struct view text = event_text_trim_utf16(data);
    bool is = false;
    TRY(event_digest_is(r, e, data, &is));
    if (!is) {
        TRY(event_digest_is(r, e, text, &is));
    }
    if (!is) {
        TRY(event_digest_is_joined(r, e, text, view_of(nuls, 2), &is));
    }
    if (!is) {
        TRY(event_digest_is_joined(r, e, data, view_of(nuls, 1), &is));
        if (is) {
            claims_warn(r->claims, false, e->index,
                        "The digest of event %zu covers one zero byte more than its data; the text "
                        "is what was measured.",
                        e->index);
        }
    }
    if (!is) {
        return surely ? claim_unverified(r, e, true) : OK;
    }
    event_text_clear(&r->text);
    event_text_put_utf16(&r->text, event_text_trim_utf16(data));
    return claim_add_text(r, "stub.command_line");
}

/* What stubs to come will measure is labelled like what they measure today. */
static bool is_initrd_label(struct view label)
{
    static const uint8_t end[] = {' ', 0, 'i', 0, 'n', 0, 'i', 0, 't', 0, 'r', 0, 'd', 0};
    return label.len > sizeof end &&
           memcmp(label.data + label.len - sizeof end, end, sizeof end) == 0;
}

ERRFN claims_from_utf16(struct claim_reader *r, const struct claim_event *e)
{
    struct view label = event_text_trim_utf16(e->record->data);
    const struct label *known = stub_label(label);
    if (known) {
        return claim_add_digest(r, known->claim, e);
    }
    if (label.data[0] == '.' || (!claim_in_pcr(r, e, 8) && !claim_in_pcr(r, e, 12))) {
        return OK; /* a section of a UKI, see claims_from_uki */
    }
    return claims_from_command_line(r, e, !is_initrd_label(label));
}
