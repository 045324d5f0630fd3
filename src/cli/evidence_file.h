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

/* What is looked for where a file may hold several things. */
enum evidence_kind {
    EVIDENCE_ANY = 0, /* nothing that JSON would hold: CA certificates, event logs */
    EVIDENCE_EK,
    EVIDENCE_QUOTE,
    EVIDENCE_SIGNATURE,
    EVIDENCE_AK,
    EVIDENCE_PCRS,
    EVIDENCE_KINDS
};

/* The bytes in a file, "-" for standard input. Text (evidence_text.h) is decoded, also several
 * times over; JSON gives the member that holds this kind of evidence (evidence_json.h), Keylime's
 * text the piece that is it. PEM stays as it is, and so does JSON of PCR values. Errors:
 * CONFIG_UNREADABLE, TOO_LONG, NO_MEMORY, IO, JSON_INVALID, FIELD_MISSING when it is JSON without
 * such a member. */
ERRFN evidence_file_read(const char *path, enum evidence_kind kind, struct buf **out_bytes);

/* What such an error means for a file of evidence: a sentence, for a person. */
const char *evidence_file_fault(err_t e);

/* evidence_file_read for bytes already read. */
ERRFN evidence_decode(struct view content, enum evidence_kind kind, struct buf **out_bytes);

#endif
