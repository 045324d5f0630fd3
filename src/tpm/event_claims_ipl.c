/* EV_IPL: what boot loaders measure. GRUB and shim label their events in ASCII; systemd-boot and
 * systemd-stub, in event_claims_systemd.c, in UTF-16. */
#include "tpm/event_claims_parts.h"

#include <string.h>

static bool starts_with(struct view text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static bool ends_with(struct view text, const char *end)
{
    size_t len = strlen(end);
    return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

static struct view behind(struct view text, size_t len)
{
    return view_of(text.data + len, text.len - len);
}

/* -- GRUB ---------------------------------------------------------------------------- */

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
           starts_with(name, "vmlinux") || starts_with(name, "kernel-") ||
           view_is(name, "kernel") || view_is(name, "linux") || ends_with(name, "-bzImage") ||
           view_is(path, "grub_linuxefi Kernel");
}

static bool is_initrd(struct view path)
{
    struct view name = file_name(path);
    return starts_with(name, "initrd") || starts_with(name, "initramfs") ||
           ends_with(name, "-initrd") || view_is(path, "grub_linuxefi Initrd");
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

/* -- shim and others, in ASCII ------------------------------------------------------- */

static const struct prefix shim_labels[] = {
    {"MokList", "secure_boot.mok_list.digest"},
    {"MokListX", "secure_boot.mok_list_x.digest"},
    {"MokListTrusted", "secure_boot.mok_list_trusted.digest"},
    {"MokSBState", "secure_boot.mok_sb_state.digest"},
    {"MokDBState", "secure_boot.mok_db_state.digest"},
    {"MokPolicy", "secure_boot.mok_policy.digest"},
};

/* Userspace of systemd measures words that stand in the event as they were hashed. */
static ERRFN add_measured_word(struct claim_reader *r, const struct claim_event *e,
                               struct view text)
{
    bool is = false;
    TRY(event_digest_is_text(r, e, text, &is));
    return is ? claims_from_word(r, e, text) : OK;
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
        return claims_from_utf16(r, e);
    }
    /* Perhaps a command line with letters beyond ASCII: its digest tells. */
    return claim_in_pcr(r, e, 12) && text.len > 0 ? claims_from_command_line(r, e, false) : OK;
}
