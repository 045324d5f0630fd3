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

/* event_log_joints.c: whether another log's header stands here; takes the head of an EFI final
 * events table, where one does; joins its events, which start at `from`, to those before. */
bool event_log_header_follows(const struct event_log *log, struct view v);
bool event_log_take_final_table(struct view *v);
void event_log_join_final_events(struct event_log *log, size_t from);

/* Bytes of a digest: as the header says, else as the algorithm has; 0 for an unknown one. */
uint16_t event_log_digest_size(const struct event_log *log, uint16_t alg);

/* EVENT_LOG_UNREADABLE with the problem filled. */
ERRFN event_log_refuse(struct event_log_problem *out_problem, size_t offset, const char *reason);

#endif
