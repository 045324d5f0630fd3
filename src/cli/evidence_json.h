/* Evidence inside JSON, as vendors' services and other verifiers hand it on. */
#ifndef ITL_CLI_EVIDENCE_JSON_H
#define ITL_CLI_EVIDENCE_JSON_H

#include "base/bytes.h"
#include "cli/evidence_file.h"

/* Whether a JSON object begins here, after white space. */
bool evidence_json_is(struct view content);

/* The text of the member that such evidence has in Intel's, Keylime's, Google Cloud's,
 * go-attestation's and go-tpm-tools' JSON: of the object itself, of an object in it, or of the
 * first object of a list in it. Errors: JSON_INVALID; FIELD_MISSING when no such member is there;
 * NO_MEMORY. */
ERRFN evidence_json_member(struct view text, enum evidence_kind kind, struct buf **out_text);

#endif
