/* One record of userspace's log; between userspace_log.c and userspace_record.c. */
#ifndef ITL_TPM_USERSPACE_RECORD_H
#define ITL_TPM_USERSPACE_RECORD_H

#include "tpm/event_log.h"

#include <jansson.h>

struct userspace_record {
    bool nv; /* of an NV index, not of a PCR */
    uint32_t pcr;
    const char *kind; /* "phase", …; "unknown"; of static lifetime */
    const char *text; /* what was measured, in C's escapes, or its description; "" without */
    const char *boot; /* boot id, "" without */
};

/* Reads the fields; their texts live as long as the object. Appends each digest of a known
 * algorithm to `digests` as in a TCG_PCR_EVENT2: the number of the algorithm, low byte first, and
 * the bytes. Returns what is wrong, a sentence fragment, or NULL. */
const char *userspace_record_read(const json_t *object, struct userspace_record *out_record,
                                  struct buf *digests);

#endif
