/* The PCR banks that a policy may name. */
#ifndef ITL_POLICY_BANK_H
#define ITL_POLICY_BANK_H

#include <stddef.h>

/* "sha256", "sha384", "sha512", NULL. */
extern const char *const policy_bank_names[];

/* Bytes of a digest of the bank at this index of policy_bank_names. */
size_t policy_bank_digest_bytes(size_t index);

/* Index of a name above, or POLICY_BANK_UNKNOWN. */
enum { POLICY_BANK_UNKNOWN = 3 };
size_t policy_bank_index(const char *name);

#endif
