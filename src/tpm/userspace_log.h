/* What userspace measured after the firmware's log had ended, by systemd's record of it
 * (/run/log/systemd/tpm2-measure.log): JSON objects, each behind an 0x1E (RFC 7464), in the form of
 * TCG's Canonical Event Log (CEL-JSON, section 4.3) without record numbers. Like the firmware's log
 * it is a claim of the machine about itself: its digests are proved by replay, its texts only where
 * a digest is their hash. */
#ifndef ITL_TPM_USERSPACE_LOG_H
#define ITL_TPM_USERSPACE_LOG_H

#include "tpm/event_log.h"

enum {
    /* A boot writes some ten records of 300 bytes; one more comes with each image and login. JSON
     * takes ten times as long as the firmware's log, so no more than is useful. */
    USERSPACE_LOG_MAX_BYTES = 256 << 10,
    /* systemd cuts texts at 1,024 bytes; escaping can make eight of each; digests take 600. */
    USERSPACE_RECORD_MAX_BYTES = 16 << 10,
    USERSPACE_RECORDS_MAX = 2048, /* what fits into the whole, at 128 bytes each */
    USERSPACE_DEPTH_MAX = 4       /* digests and content are the third level */
};

/* Whether userspace's log begins here, behind the last event of the firmware's, as a node sends the
 * two in one piece. Read as an event it would be one of a PCR beyond 31,000. */
bool userspace_log_follows(struct view v);

/* Appends every record that names a PCR to the log's events, so that replay, check, claims and
 * comparison go on through them; records of NV indexes, which no quote covers, are only counted.
 * `text` may go away afterwards. Errors: EVENT_LOG_UNREADABLE with out_problem filled (of the text:
 * its byte, and the record's number from 0), also for a CC log, which has no PCRs; TOO_LONG,
 * NO_MEMORY. The log is then unchanged. A log that has userspace's already takes no other. */
ERRFN userspace_log_append(struct event_log *log, struct view text,
                           struct event_log_problem *out_problem);

#endif
