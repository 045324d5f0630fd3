/* PCR banks by name, and `pcr_values` in the two forms that clients send: {"sha256:0": hex} and
 * {"sha256": {"0": hex}}. */
#ifndef ITL_FRONT_PCR_VALUES_H
#define ITL_FRONT_PCR_VALUES_H

#include "front/fields.h"
#include "front/json_write.h"
#include "ipc/messages.h"

/* Reads the field, if it is there. Errors: PCR_VALUES_INVALID (unknown bank, index over 23, a
 * digest not of the bank's length), TOO_LONG. */
ERRFN pcr_values_read(struct fields *f, const char *name, struct ipc_list *out_values);

/* {"sha256":[0,2,4,7],…} */
void pcr_selection_write(struct json_writer *w, const char *name, struct ipc_list selection);

/* {"sha256":{"0":hex,…},…} */
void pcr_values_write(struct json_writer *w, const char *name, struct ipc_list values);

#endif
