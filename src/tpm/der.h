/* The little DER (X.690) that is read and written here: one value after the other, no deeper than a
 * public key. Certificates are OpenSSL's to read. */
#ifndef ITL_TPM_DER_H
#define ITL_TPM_DER_H

#include "base/bytes.h"

enum {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0C,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31
};

/* Takes one value with this tag from the front of `v`: all of it with its header, and its content.
 * False, with v unchanged, for another tag, an indefinite or oversized length, or too few bytes. */
bool der_take(struct view *v, uint8_t tag, struct view *out_value, struct view *out_content);

/* The same for the content alone. */
bool der_take_content(struct view *v, uint8_t tag, struct view *out_content);

/* The tag of the value at the front, 0 when nothing is left. */
uint8_t der_tag(struct view v);

/* Takes one value, whatever its tag: its content. */
bool der_take_any(struct view *v, struct view *out_content);

/* Takes a positive INTEGER: its bytes without leading zeros. */
bool der_take_positive(struct view *v, struct view *out_number);

/* Appends one value. Errors: TOO_LONG, NO_MEMORY. */
ERRFN der_put(struct buf *b, uint8_t tag, struct view content);

/* Appends an unsigned number as INTEGER. The same errors. */
ERRFN der_put_positive(struct buf *b, struct view number);

#endif
