/* The collection of real TPM evidence: where it is, and how tests read it. A file that is missing
 * fails the test. */
#ifndef ITL_TESTS_TPM_REAL_H
#define ITL_TESTS_TPM_REAL_H

#include "base/bytes.h"

#include <jansson.h>

/* The content of a file below $ITL_REAL_DATA. */
struct buf *real_file(const char *path);

/* A JSON document below it. */
json_t *real_json(const char *path);

/* Text, or the bytes of hexadecimal text, in an object's member; the test fails when it is not
 * there. */
const char *real_text(const json_t *object, const char *key);
struct buf *real_hex(const json_t *object, const char *key);

/* The same from a text. */
struct buf *hex_bytes(const char *text);

#endif
