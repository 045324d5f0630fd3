/* Numbers as UEFI and the PC Client profile store them, least significant byte first. TPM
 * structures are big-endian: those readers are in base/bytes.h. */
#ifndef ITL_TPM_LITTLE_ENDIAN_H
#define ITL_TPM_LITTLE_ENDIAN_H

#include "base/bytes.h"

/* Take from the front of `v`; false, with v unchanged, when too few bytes are left. */
bool le_take_u8(struct view *v, uint8_t *out_value);
bool le_take_u16(struct view *v, uint16_t *out_value);
bool le_take_u32(struct view *v, uint32_t *out_value);
bool le_take_u64(struct view *v, uint64_t *out_value);
bool le_take_bytes(struct view *v, uint64_t len, struct view *out_bytes);

#endif
