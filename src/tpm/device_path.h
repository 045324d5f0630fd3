/* EFI device paths as text (UEFI 2.10 section 10.6): the usual nodes by name, all others as
 * Path(type,subtype,hex). */
#ifndef ITL_TPM_DEVICE_PATH_H
#define ITL_TPM_DEVICE_PATH_H

#include "tpm/event_text.h"

/* Appends the path's text, "PciRoot(0x0)/Pci(0x1f,0x2)/HD(1,GPT,…)/\EFI\BOOT\BOOTX64.EFI". A node
 * that runs past the end is shown as "?" and ends it. */
void device_path_put(struct event_text *t, struct view path);

#endif
