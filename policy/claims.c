#include "policy/claims.h"

#include <string.h>

struct claim_row {
    const char *name; /* or what it begins with, ending with a dot */
    uint32_t pcrs;
    enum policy_pin pin;
    bool kernel;
};

#define PCR(n) (1u << (n))

/* The first row that fits counts. shim measures MOK variables into PCR 14; which PCR a command line
 * or a kernel's digest is in depends on GRUB, systemd-stub or the kernel's own stub. */
static const struct claim_row rows[] = {
    {"secure_boot.enabled", PCR(7), POLICY_PIN_EXACT, false},
    {"secure_boot.pk", PCR(7), POLICY_PIN_SET, false},
    {"secure_boot.kek", PCR(7), POLICY_PIN_SET, false},
    {"secure_boot.db", PCR(7), POLICY_PIN_SET, false},
    {"secure_boot.dbx", PCR(7), POLICY_PIN_GROWING, false},
    {"secure_boot.authority", PCR(7), POLICY_PIN_SET, false},
    {"secure_boot.mok_list", PCR(14), POLICY_PIN_SET, false},
    {"secure_boot.mok_list_x", PCR(14), POLICY_PIN_GROWING, false},
    {"secure_boot.mok_list_trusted", PCR(14), POLICY_PIN_EXACT, false},
    {"secure_boot.mok_sb_state", PCR(14), POLICY_PIN_EXACT, false},
    {"secure_boot.", PCR(7), POLICY_PIN_NONE, false},
    {"firmware.crtm_version", PCR(0), POLICY_PIN_EXACT, false},
    {"firmware.blob", PCR(0), POLICY_PIN_NONE, false},
    {"firmware.post_code", PCR(0), POLICY_PIN_NONE, false},
    {"firmware.microcode", PCR(1), POLICY_PIN_NONE, false},
    {"firmware.confidential_computing", PCR(0), POLICY_PIN_NONE, false},
    {"firmware.debug_mode", PCR(7), POLICY_PIN_NONE, false},
    {"firmware.dma_protection", PCR(7), POLICY_PIN_NONE, false},
    {"boot.application", PCR(4), POLICY_PIN_SET, true},
    {"boot.application_path", PCR(4), POLICY_PIN_NONE, false},
    {"boot.attempts", PCR(4), POLICY_PIN_NONE, false},
    {"boot.driver", PCR(2), POLICY_PIN_SET, false},
    {"boot.order", PCR(1), POLICY_PIN_NONE, false},
    {"boot.option", PCR(1), POLICY_PIN_NONE, false},
    {"boot.gpt_disk_guid", PCR(5), POLICY_PIN_NONE, false},
    {"boot.gpt_partition", PCR(5), POLICY_PIN_NONE, false},
    {"boot.exit_boot_services", PCR(5), POLICY_PIN_NONE, false},
    {"kernel.digest", 0, POLICY_PIN_SET, true},
    {"kernel.command_line", 0, POLICY_PIN_EXACT, false},
    {"initrd.digest", 0, POLICY_PIN_SET, true},
    {"uki.section", PCR(11), POLICY_PIN_SET, true},
    {"uki.phase", PCR(11), POLICY_PIN_NONE, false},
    {"stub.command_line", PCR(12), POLICY_PIN_EXACT, false},
    {"stub.credential", PCR(12), POLICY_PIN_SET, false},
    {"device.firmware", PCR(2), POLICY_PIN_NONE, false},
    {"device.config", PCR(3), POLICY_PIN_NONE, false},
    {"sysext", PCR(13), POLICY_PIN_SET, false},
    {"machine.id", PCR(15), POLICY_PIN_NONE, false},
    {"machine.file_system", PCR(15), POLICY_PIN_NONE, false},
    {"machine.volume_key", PCR(15), POLICY_PIN_NONE, false},
    {"machine.nvpcr", PCR(9), POLICY_PIN_NONE, false},
};

static const struct claim_row *find_row(struct view name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = strlen(rows[i].name);
        bool family = rows[i].name[len - 1] == '.';
        if (view_is(name, rows[i].name) ||
            (family && name.len > len && memcmp(name.data, rows[i].name, len) == 0)) {
            return &rows[i];
        }
    }
    return NULL;
}

uint32_t policy_claim_pcrs(struct view name)
{
    const struct claim_row *row = find_row(name);
    return row ? row->pcrs : 0;
}

bool policy_claim_is_of_ek(struct view name)
{
    static const char prefix[] = "tpm_ek.";
    return name.len >= sizeof prefix && memcmp(name.data, prefix, sizeof prefix - 1) == 0;
}

enum policy_pin policy_claim_pin(struct view name)
{
    const struct claim_row *row = find_row(name);
    return row ? row->pin : POLICY_PIN_NONE;
}

bool policy_claim_is_of_kernel(struct view name)
{
    const struct claim_row *row = find_row(name);
    return row && row->kernel;
}
