/* What the firmware and the kernel say this machine is. Claims, not proof. */
#ifndef ITL_NODE_HARDWARE_H
#define ITL_NODE_HARDWARE_H

#include "base/bytes.h"

enum { HARDWARE_TEXT_SIZE = 129 }; /* the appliance takes 128 characters */

struct hardware {
    char uuid[HARDWARE_TEXT_SIZE];
    char mac[HARDWARE_TEXT_SIZE];
    char serial[HARDWARE_TEXT_SIZE];
    char product[HARDWARE_TEXT_SIZE];
};

/* Reads SMBIOS texts below <sysfs>/class/dmi/id and the address of the first Ethernet interface
 * with a device behind it, or, without one, of the first that is not the loopback. What can't be
 * read is "unknown". `sysfs` is "/sys" except in tests. */
void hardware_read(const char *sysfs, struct hardware *out_hardware);

/* Takes the text when it is not NULL, is printable and fits. Errors: FIELD_INVALID. */
ERRFN hardware_override(char field[static HARDWARE_TEXT_SIZE], const char *text);

#endif
