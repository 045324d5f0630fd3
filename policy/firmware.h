/* TPM firmware versions, as policy.h says how they are read. */
#ifndef ITL_POLICY_FIRMWARE_H
#define ITL_POLICY_FIRMWARE_H

#include "policy/policy.h"

/* One to four numbers up to 65535 with dots between; the missing ones are `rest`: 0 for the lowest
 * version that begins so, 0xffff for the highest. Errors: FIELD_INVALID. */
ERRFN policy_firmware_parse(struct view text, uint16_t rest, uint64_t *out_version);

#endif
