/* EV_IPL: what boot loaders measure. GRUB and shim label their events in ASCII, systemd-boot and
 * systemd-stub in UTF-16. */
#include "tpm/event_claims_parts.h"

#include <string.h>

static bool starts_with(struct view text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static struct view behind(struct view text, size_t len)
{
    return view_of(text.data + len, text.len - len);
}

/* -- GRUB
 * -------------------------------------------------------------------------------------------- */

static const struct prefix {
    const char *text;
    const char *claim;
} grub_prefixes[] = {
    {"grub_cmd: ", "grub.command"},
    {"grub_cmd ", "grub.command"}, /* RHEL 8 */
    {"kernel_cmdline: ", "kernel.command_line"},
    {"grub_kernel_cmdline ", "kernel.command_line"}, /* RHEL 8 */
    {"module_cmdline: ", "grub.module_command_line"},
    {"grub_module_cmdline ", "grub.module_command_line"},
};

static const struct prefix *grub_prefix(struct view text)
{
    for (size_t i = 0; i < sizeof grub_prefixes / sizeof grub_prefixes[0]; i++) {
        if (starts_with(text, grub_prefixes[i].text)) {
            return &grub_prefixes[i];
        }
    }
    return NULL;
}

/* GRUB hashes what follows its prefix: without a NUL today, with one in RHEL 8. */
static ERRFN add_grub_text(struct claim_reader *r, const struct claim_event *e,
                           const struct prefix *prefix, struct view text)
{
    bool is = false;
    struct view value = behind(text, strlen(prefix->text));
    TRY(event_digest_is_text(r, e, value, &is));
    if (!is) {
        return claim_unverified(r, e, true);
    }
    bool command = strcmp(prefix->claim, "grub.command") == 0;
    if (command && r->grub_commands++ >= GRUB_COMMANDS_MAX) {
        r->claims->truncated = true;
        return OK;
    }
    event_text_clear(&r->text);
    event_text_put_utf8(&r->text, value);
    return claim_add_text(r, prefix->claim);
}

static struct view file_name(struct view path)
{
    const uint8_t *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
    return slash ? behind(path, (size_t)(slash - path.data) + 1) : path;
}

static bool is_kernel(struct view path)
{
    struct view name = file_name(path);
    return starts_with(name, "vmlinuz") || starts_with(name, "bzImage") ||
           starts_with(name, "vmlinux") || view_is(name, "kernel") || view_is(name, "linux") ||
           view_is(path, "grub_linuxefi Kernel");
}

static bool is_initrd(struct view path)
{
    struct view name = file_name(path);
    return starts_with(name, "initrd") || starts_with(name, "initramfs") ||
           view_is(path, "grub_linuxefi Initrd");
}

static ERRFN add_grub_file(struct claim_reader *r, const struct claim_event *e, struct view path)
{
    TRY(claim_add_digest(r, "grub.file", e));
    event_text_clear(&r->text);
    event_text_put_utf8(&r->text, path);
    TRY(claim_add_text(r, "grub.file_path"));
    if (is_kernel(path)) {
        return claim_add_digest(r, "kernel.digest", e);
    }
    return is_initrd(path) ? claim_add_digest(r, "initrd.digest", e) : OK;
}

/* -- shim and others, in ASCII
 * ------------------------------------------------------------------------ */

static const struct prefix shim_labels[] = {
    {"MokList", "secure_boot.mok_list.digest"},
    {"MokListX", "secure_boot.mok_list_x.digest"},
    {"MokListTrusted", "secure_boot.mok_list_trusted.digest"},
    {"MokSBState", "secure_boot.mok_sb_state.digest"},
    {"MokDBState", "secure_boot.mok_db_state.digest"},
};

/* Userspace of systemd measures words that stand in the event as they were hashed. */
static ERRFN add_measured_word(struct claim_reader *r, const struct claim_event *e,
                               struct view text)
{
    static const char machine_id[] = "machine-id:";
    bool is = false;
    TRY(event_digest_is_text(r, e, text, &is));
    event_text_clear(&r->text);
    if (is && claim_in_pcr(r, e, 15) && starts_with(text, machine_id)) {
        event_text_put_utf8(&r->text, behind(text, strlen(machine_id)));
        return claim_add_text(r, "machine.id");
    }
    if (is && claim_in_pcr(r, e, 11)) {
        event_text_put_utf8(&r->text, text);
        return claim_add_text(r, "uki.phase");
    }
    return OK;
}

static ERRFN read_ascii(struct claim_reader *r, const struct claim_event *e, struct view text)
{
    for (size_t i = 0; i < sizeof shim_labels / sizeof shim_labels[0]; i++) {
        if (claim_in_pcr(r, e, 14) && view_is(text, shim_labels[i].text)) {
            return claim_add_digest(r, shim_labels[i].claim, e);
        }
    }
    bool path = memchr(text.data, '/', text.len) || starts_with(text, "(") ||
                starts_with(text, "grub_linuxefi ");
    return claim_in_pcr(r, e, 9) && path ? add_grub_file(r, e, text)
                                         : add_measured_word(r, e, text);
}

/* -- systemd-boot and systemd-stub, in UTF-16
 * ---------------------------------------------------------- */

/* Each part of a UKI makes two events with the section's name as label: one over the name in ASCII
 * with a NUL, one over the content. Their order in one PCR is proved, so the content's digest
 * belongs to the name. */
static ERRFN add_section(struct claim_reader *r, const struct claim_event *e, struct view label)
{
    char name[16];
    size_t len = label.len / 2;
    if (len >= sizeof name) {
        return OK;
    }
    for (size_t i = 0; i < len; i++) {
        name[i] = (char)label.data[2 * i];
    }
    name[len] = '\0';
    bool is_name = false;
    TRY(event_digest_is(r, e, view_of(name, len + 1), &is_name));
    if (is_name) {
        r->uki_section = label;
        r->uki_register = e->record->pcr;
        return OK;
    }
    if (!view_equal(r->uki_section, label) || r->uki_register != e->record->pcr) {
        return claim_unverified(r, e, false);
    }
    r->uki_section = VIEW_EMPTY;
    event_text_clear(&r->text);
    event_text_printf(&r->text, "%s:%s:", name, r->bank->name);
    event_text_put_hex(&r->text, e->digest);
    TRY(claim_add_text(r, "uki.section"));
    if (strcmp(name, ".linux") == 0) {
        return claim_add_digest(r, "kernel.digest", e);
    }
    return strcmp(name, ".initrd") == 0 ? claim_add_digest(r, "initrd.digest", e) : OK;
}

static const struct prefix stub_labels[] = {
    {"Credentials initrd", "stub.credential"},
    {"Global credentials initrd", "stub.credential"},
    {"System extension initrd", "sysext"},
    {"Global system extension initrd", "sysext"},
    {"Configuration extension initrd", "confext"},
    {"Global configuration extension initrd", "confext"},
};

static const struct prefix *stub_label(struct view label)
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
static ERRFN add_stub_command_line(struct claim_reader *r, const struct claim_event *e, bool surely)
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

static ERRFN read_utf16(struct claim_reader *r, const struct claim_event *e)
{
    struct view label = event_text_trim_utf16(e->record->data);
    const struct prefix *known = stub_label(label);
    if (known) {
        return claim_add_digest(r, known->claim, e);
    }
    if (claim_in_pcr(r, e, 11) && label.data[0] == '.') {
        return add_section(r, e, label);
    }
    return claim_in_pcr(r, e, 8) || claim_in_pcr(r, e, 12) ? add_stub_command_line(r, e, true) : OK;
}

ERRFN claims_from_ipl(struct claim_reader *r, const struct claim_event *e)
{
    struct view text = event_text_trim(e->record->data);
    const struct prefix *grub = grub_prefix(text);
    if (grub) {
        return add_grub_text(r, e, grub, text);
    }
    if (event_text_is_ascii(text)) {
        return read_ascii(r, e, text);
    }
    if (event_text_is_utf16(e->record->data)) {
        return read_utf16(r, e);
    }
    /* Perhaps a command line with letters beyond ASCII: its digest tells. */
    return claim_in_pcr(r, e, 12) && text.len > 0 ? add_stub_command_line(r, e, false) : OK;
}
