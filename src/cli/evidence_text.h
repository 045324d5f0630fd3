/* One layer of text off the bytes that it stands for. Text is told from bytes soundly: every
 * character must belong to the encoding. */
#ifndef ITL_CLI_EVIDENCE_TEXT_H
#define ITL_CLI_EVIDENCE_TEXT_H

#include "base/bytes.h"

/* Hexadecimal (also "30:82", "30-82", "0x30, 0x82"), base64 or base64url, with white space, in
 * quotation marks, with or without padding, with %3D for "=". PEM is not one of them. Errors:
 * NOT_FOUND when it is no such text, TOO_LONG, NO_MEMORY. */
ERRFN evidence_text_decode(struct view content, struct buf **out_bytes);

/* UTF-16 behind its byte order mark, as Windows' shells write files, becomes ASCII; a mark before
 * UTF-8 goes. Errors: NO_MEMORY. */
ERRFN evidence_text_plain(struct view content, struct buf **out_text);

/* Keylime writes quote, signature and PCR values as "r" and three pieces of base64 with colons
 * between them. Takes the piece; false when it is no such text. */
bool evidence_text_keylime(struct view content, size_t piece, struct view *out_base64);

#endif
