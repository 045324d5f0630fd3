/* Event logs of machines: the last one that came with a quote, and the last one that policy
 * accepted, so that what changed between them can be explained. Bytes are kept as received. */
#ifndef ITL_SQL_STORED_LOGS_H
#define ITL_SQL_STORED_LOGS_H

#include "sql/db.h"

enum {
    STORED_LOG_MAX_BYTES = 512 * 1024, /* as the wire takes at most */
    STORED_LOG_SHA384_BYTES = 48
};

/* Stored as numbers: never renumber. */
enum stored_log_kind { STORED_LOG_NONE = 0, STORED_LOG_LAST, STORED_LOG_ACCEPTED };

/* Replaces the machine's log of this kind; the same bytes again cost a comparison of digests and
 * no write. Errors: MACHINE_UNKNOWN, TOO_LONG. */
ERRFN stored_log_put(struct db *db, const char *machine_id, enum stored_log_kind kind,
                    const uint8_t sha384[static STORED_LOG_SHA384_BYTES], struct view log,
                    uint64_t now_ms);

/* Appended to out_log. Errors: NOT_FOUND. */
ERRFN stored_log_get(struct db *db, const char *machine_id, enum stored_log_kind kind,
                    struct buf *out_log);

/* Errors: NOT_FOUND. */
ERRFN stored_log_digest(struct db *db, const char *machine_id, enum stored_log_kind kind,
                       uint8_t out_sha384[static STORED_LOG_SHA384_BYTES]);

#endif
