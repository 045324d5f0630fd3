/* Event logs of machines: the last one that came with a quote, and the last one that policy
 * accepted, so that what changed between them can be explained. Bytes are kept as received. */
#ifndef ITL_SQL_EVENT_LOGS_H
#define ITL_SQL_EVENT_LOGS_H

#include "sql/db.h"

enum {
    EVENT_LOG_STORED_MAX_BYTES = 512 * 1024, /* as the wire takes at most */
    EVENT_LOG_SHA384_BYTES = 48
};

/* Stored as numbers: never renumber. */
enum event_log_kind { EVENT_LOG_NONE = 0, EVENT_LOG_LAST, EVENT_LOG_LAST_ACCEPTED };

/* Replaces the machine's log of this kind; the same bytes again cost a comparison of digests and
 * no write. Errors: MACHINE_UNKNOWN, TOO_LONG. */
ERRFN event_log_put(struct db *db, const char *machine_id, enum event_log_kind kind,
                    const uint8_t sha384[static EVENT_LOG_SHA384_BYTES], struct view log,
                    uint64_t now_ms);

/* Appended to out_log. Errors: NOT_FOUND. */
ERRFN event_log_get(struct db *db, const char *machine_id, enum event_log_kind kind,
                    struct buf *out_log);

/* Errors: NOT_FOUND. */
ERRFN event_log_digest(struct db *db, const char *machine_id, enum event_log_kind kind,
                       uint8_t out_sha384[static EVENT_LOG_SHA384_BYTES]);

#endif
