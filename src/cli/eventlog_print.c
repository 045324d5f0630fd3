/* A log for people who don't know what a PCR is: what it says about the boot comes as sentences,
 * values stay values. */
#include "cli/eventlog.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { VALUES_SHOWN = 4, TITLE_WIDTH = 34 };

static const struct title {
    const char *claim;
    const char *words;
} titles[] = {
    {"log.separator.error", "Errors the firmware met"},
    {"log.separator.missing", "PCRs the firmware did not close"},
    {"firmware.confidential_computing", "What keeps the host out"},
    {"secure_boot.enabled", "Secure Boot is on"},
    {"secure_boot.setup_mode", "Secure Boot keys can be changed"},
    {"secure_boot.pk.subject", "Owner of the platform (PK)"},
    {"secure_boot.kek.subject", "Who may change the lists (KEK)"},
    {"secure_boot.db.subject", "Whose images may boot (db)"},
    {"secure_boot.dbx", "Images that must not boot (dbx)"},
    {"secure_boot.authority.subject", "Whose signature let images run"},
    {"secure_boot.sbat_level", "shim's revocation level (SBAT)"},
    {"firmware.crtm_version", "Firmware version"},
    {"firmware.blob", "Firmware volumes"},
    {"firmware.debug_mode", "Firmware debug mode"},
    {"firmware.dma_protection", "Protection against DMA"},
    {"boot.order", "Boot order"},
    {"boot.option", "Boot options"},
    {"boot.attempts", "Boot attempts"},
    {"boot.driver", "Drivers loaded by the firmware"},
    {"boot.application", "Programs before the system"},
    {"boot.application_path", "Where they were"},
    {"boot.gpt_disk_guid", "Disk booted from"},
    {"boot.gpt_partition", "Its partitions"},
    {"boot.exit_boot_services", "Handing over to the system"},
    {"kernel.command_line", "Kernel command line"},
    {"stub.command_line", "Kernel command line"},
    {"kernel.digest", "Kernel"},
    {"initrd.digest", "Initial RAM disk"},
    {"uki.section", "Parts of the kernel image"},
    {"grub.command", "Commands GRUB ran"},
    {"grub.file_path", "Files GRUB read"},
    {"uki.phase", "Boot phases"},
    {"machine.id", "Machine id"},
    {"machine.file_system", "File systems"},
    {"machine.volume_key", "Keys of encrypted volumes"},
    {"machine.nvpcr", "NV indexes that serve as PCRs"},
    {"windows.code_integrity", "Windows code integrity"},
    {"windows.test_signing", "Windows test signing"},
    {"windows.boot_debugging", "Windows boot debugger"},
    {"windows.kernel_debugging", "Windows kernel debugger"},
    {"windows.elam_driver", "Windows early malware driver"},
    {"windows.module", "Modules Windows loaded"},
};

static const char *words_for(const char *value)
{
    return strcmp(value, "true") == 0 ? "yes" : strcmp(value, "false") == 0 ? "no" : value;
}

static void print_claim(const struct claims *claims, const struct title *title)
{
    size_t count = claims_count(claims, title->claim);
    size_t shown = 0;
    for (size_t i = 0; i < claims->count && shown < VALUES_SHOWN; i++) {
        if (strcmp(claims->items[i].name, title->claim) == 0) {
            printf("  %-*s  %s\n", TITLE_WIDTH, shown ? "" : title->words,
                   words_for(claims->items[i].value));
            shown++;
        }
    }
    if (count > shown) {
        printf("  %-*s  … and %zu more\n", TITLE_WIDTH, "", count - shown);
    }
}

static void print_values(const struct eventlog *l)
{
    for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
        const struct event_replay_bank *bank = &l->replay->banks[i];
        if (bank->mask == 0) {
            continue;
        }
        printf("\n%s values (%s)\n", l->log->cc ? "Register" : "PCR", event_banks[i].name);
        for (uint32_t pcr = 0; pcr < PCR_COUNT; pcr++) {
            char name[EVENT_REGISTER_NAME_SIZE];
            char hex[HEX_TEXT_SIZE(TPM_DIGEST_MAX_BYTES)];
            if (bank->mask >> pcr & 1) {
                event_register_name(l->log, pcr, name);
                hex_encode(view_of(bank->value[pcr], event_banks[i].size), hex);
                printf("  %5s  %s%s\n", name, hex,
                       bank->incomplete >> pcr & 1 ? "  (events missing in this bank)" : "");
            }
        }
    }
}

static void print_warnings(const struct claims *claims)
{
    if (claims->warning_count == 0 && !claims->truncated) {
        printf("\nNo warnings.\n");
        return;
    }
    printf("\nWarnings\n");
    for (size_t i = 0; i < claims->warning_count; i++) {
        printf("  %s %s\n", claims->warnings[i].serious ? "!" : "-", claims->warnings[i].text);
    }
    if (claims->warnings_dropped > 0) {
        printf("  %s %zu more.\n", claims->serious ? "!" : "-", claims->warnings_dropped);
    }
    if (claims->truncated) {
        printf("  - The log says more than is shown: lists were cut.\n");
    }
    if (claims->serious) {
        printf("\n!: do not trust this log before somebody knows why.\n");
    }
}

void eventlog_print(const struct eventlog *l)
{
    printf("Firmware event log, %s format%s: %zu events in %zu bytes\n",
           event_log_format_name(l->log->format),
           l->log->cc ? ", of a confidential virtual machine" : "",
           l->log->count - l->log->userspace_count, l->content->len);
    if (l->log->userspace) {
        printf("Userspace's log behind it: %zu records\n", l->log->userspace_records);
    }
    print_values(l);
    printf("\nWhat it says\n");
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        print_claim(l->claims, &titles[i]);
    }
    print_warnings(l->claims);
}
