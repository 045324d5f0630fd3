/* Keys and certificates as PEM (RFC 7468) in a field. Only the armour is read here; what is inside
 * is the signer's to judge. */
#ifndef ITL_FRONT_PEM_H
#define ITL_FRONT_PEM_H

#include "front/fields.h"

/* The DER of the first block in the field, whose label must be `label` or `other` (NULL for none),
 * or of the whole field where it is base64 without armour; empty when there is no field. Errors:
 * FIELD_INVALID, BASE64_INVALID, TOO_LONG past `max` bytes. */
ERRFN field_pem(struct fields *f, const char *name, const char *label, const char *other,
                size_t max, struct view *out_der);

#endif
