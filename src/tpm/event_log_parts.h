/* Between event_log.c and event_log_header.c. */
#ifndef ITL_TPM_EVENT_LOG_PARTS_H
#define ITL_TPM_EVENT_LOG_PARTS_H

#include "tpm/event_log.h"

/* Fills the header's fields from event 0, if it is a Spec ID event; sets the format. `at` is where
 * its data starts in the log. Errors: EVENT_LOG_UNREADABLE. */
ERRFN event_log_read_header(struct event_log *log, const struct event_record *first, size_t at,
                            struct event_log_problem *out_problem);

/* Takes StartupLocality (PFP section 10.4.5.3) and H-CRTM from the events, tells CC logs from TPM
 * logs. */
void event_log_read_facts(struct event_log *log);

/* Counts missing digests and registers out of range, of the events from this one on. */
void event_log_count_deviations(struct event_log *log, size_t from);

/* EVENT_LOG_UNREADABLE with the problem filled. */
ERRFN event_log_refuse(struct event_log_problem *out_problem, size_t offset, const char *reason);

#endif
