/* Evidence in files as people have it: bytes, or text that stands for them. */
#ifndef ITL_CLI_EVIDENCE_FILE_H
#define ITL_CLI_EVIDENCE_FILE_H

#include "base/bytes.h"
#include "tpm/event_log.h"

enum {
    /* the largest event log in hexadecimal with line breaks; everything else is far smaller */
    EVIDENCE_FILE_MAX_BYTES = EVENT_LOG_MAX_BYTES * 2 + (EVENT_LOG_MAX_BYTES >> 3),
    EVIDENCE_LAYERS_MAX = 4 /* base64 of PEM in JSON in base64 is as odd as it gets */
};

/* The bytes in a file, "-" for standard input. Hexadecimal, base64 and base64url text (with white
 * space, with or without padding, with %3D for "=") is decoded, also several times over, and so is
 * a JSON object with the bytes in its member `json_key`, as Intel's service answers (NULL: no
 * JSON). Text is told from bytes soundly: every character must belong to the encoding. PEM stays as
 * it is. Errors: CONFIG_UNREADABLE, TOO_LONG, NO_MEMORY, IO, JSON_INVALID, FIELD_MISSING when it is
 * JSON without that member. */
ERRFN evidence_file_read(const char *path, const char *json_key, struct buf **out_bytes);

/* The same for bytes already read. */
ERRFN evidence_decode(struct view content, const char *json_key, struct buf **out_bytes);

#endif
