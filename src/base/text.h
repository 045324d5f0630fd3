/* Text encodings: hexadecimal, base64 (RFC 4648 section 4), base64url without padding (section 5). All strict: no white space, no
 * foreign characters, no missing or extra padding, no stray bits. */
#ifndef ITL_BASE_TEXT_H
#define ITL_BASE_TEXT_H

#include "base/bytes.h"

#define HEX_TEXT_SIZE(bytes) ((bytes) * 2 + 1)
#define BASE64_TEXT_SIZE(bytes) (((bytes) + 2) / 3 * 4 + 1)

/* Lower-case hexadecimal with a NUL into out_text of HEX_TEXT_SIZE(v.len) bytes. */
void hex_encode(struct view v, char *out_text);
ERRFN buf_put_hex(struct buf *b, struct view v);

/* Exactly len bytes, upper or lower case. Errors: FIELD_INVALID. */
ERRFN hex_decode(struct view text, uint8_t *out_bytes, size_t len);

ERRFN buf_put_base64(struct buf *b, struct view v);
ERRFN buf_put_base64url(struct buf *b, struct view v);

/* Appends the decoded bytes; the buffer's maximum is the limit. Errors: BASE64_INVALID, TOO_LONG. */
ERRFN base64_decode(struct view text, struct buf *out_bytes);
ERRFN base64url_decode(struct view text, struct buf *out_bytes);

/* Well-formed UTF-8 (RFC 3629) without control characters. */
bool text_is_clean(struct view text);

#endif
