/* Event types: TCG PC Client Platform Firmware Profile 1.06 section 10.4.1, Intel TXT's of PCR 17
 * and 18 (Intel TXT Software Development Guide appendix G). */
#ifndef ITL_TPM_EVENT_TYPE_H
#define ITL_TPM_EVENT_TYPE_H

#include <stdint.h>

enum event_type {
    EV_PREBOOT_CERT = 0x0,
    EV_POST_CODE = 0x1,
    EV_UNUSED = 0x2,
    EV_NO_ACTION = 0x3,
    EV_SEPARATOR = 0x4,
    EV_ACTION = 0x5,
    EV_EVENT_TAG = 0x6,
    EV_S_CRTM_CONTENTS = 0x7,
    EV_S_CRTM_VERSION = 0x8,
    EV_COMPACT_HASH = 0xC,
    EV_IPL = 0xD,
    EV_IPL_PARTITION_DATA = 0xE,
    EV_EFI_VARIABLE_DRIVER_CONFIG = 0x80000001,
    EV_EFI_VARIABLE_BOOT = 0x80000002,
    EV_EFI_BOOT_SERVICES_APPLICATION = 0x80000003,
    EV_EFI_BOOT_SERVICES_DRIVER = 0x80000004,
    EV_EFI_RUNTIME_SERVICES_DRIVER = 0x80000005,
    EV_EFI_GPT_EVENT = 0x80000006,
    EV_EFI_ACTION = 0x80000007,
    EV_EFI_PLATFORM_FIRMWARE_BLOB = 0x80000008,
    EV_EFI_PLATFORM_FIRMWARE_BLOB2 = 0x8000000A,
    EV_EFI_VARIABLE_BOOT2 = 0x8000000C,
    EV_EFI_GPT_EVENT2 = 0x8000000D,
    EV_EFI_HCRTM_EVENT = 0x80000010,
    EV_EFI_VARIABLE_AUTHORITY = 0x800000E0
};

/* "EV_SEPARATOR"; NULL for a type that no specification named here knows. */
const char *event_type_name(uint32_t type);

#endif
