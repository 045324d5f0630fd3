/* What is known about the names of claims. */
#ifndef ITL_POLICY_CLAIMS_H
#define ITL_POLICY_CLAIMS_H

#include "base/bytes.h"

/* The PCRs that a claim of this name stands in, by TCG PC Client Platform Firmware Profile section
 * 3.3.4 and the UAPI group's PCR registry; 0 where that depends on the boot loader, or for a name
 * that is not known. */
uint32_t policy_claim_pcrs(struct view name);

/* Is it about the EK certificate ("tpm_ek.model") and not from the event log? */
bool policy_claim_is_of_ek(struct view name);

/* What a golden baseline does with a claim of this name. */
enum policy_pin { POLICY_PIN_NONE = 0, POLICY_PIN_EXACT, POLICY_PIN_SET, POLICY_PIN_GROWING };
enum policy_pin policy_claim_pin(struct view name);

/* Does it change with the kernel, or the image that holds it? */
bool policy_claim_is_of_kernel(struct view name);

#endif
