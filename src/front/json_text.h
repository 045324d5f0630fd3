/* The smallest parts of a JSON text (RFC 8259): white space, strings, numbers, words. Each
 * reader takes its part from the front of `left`. */
#ifndef ITL_FRONT_JSON_TEXT_H
#define ITL_FRONT_JSON_TEXT_H

#include "base/bytes.h"

void json_skip(struct view *left, size_t bytes);
void json_skip_space(struct view *left);

/* The next byte, or 0, which no JSON text holds. */
uint8_t json_peek(struct view left);

/* Takes the next byte if it is this one. */
bool json_take(struct view *left, char c);

/* What stands between a string's quotes, and whether there is a backslash in it. Errors:
 * JSON_INVALID (control characters, not UTF-8, lone surrogates, an escaped NUL). */
ERRFN json_read_string(struct view *left, struct view *out_text, bool *out_escaped);

/* A number's digits as they stand. Errors: JSON_INVALID. */
ERRFN json_read_number(struct view *left, struct view *out_text);

/* Errors: JSON_INVALID when something else is there. */
ERRFN json_read_word(struct view *left, const char *word);

/* Appends the text that a string's content stands for, which json_read_string found well-formed.
 * Errors: TOO_LONG. */
ERRFN json_unescape_text(struct view content, struct buf *out_text);

#endif
