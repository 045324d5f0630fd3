#include "sql/stored_logs.h"

#include <string.h>

#include "sql/machines.h"
#include "sql/statement.h"

ERRFN stored_log_digest(struct db *db, const char *machine_id, enum stored_log_kind kind,
                       uint8_t out_sha384[static STORED_LOG_SHA384_BYTES])
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, STATEMENT_EVENT_LOG_DIGEST, ARGS(TEXT(machine_id), NUMBER(kind)), &rows));
    TRY(rows_one(&rows, E(NOT_FOUND)));
    rows_bytes(&rows, 0, out_sha384, STORED_LOG_SHA384_BYTES);
    return rows_problem(&rows);
}

ERRFN stored_log_put(struct db *db, const char *machine_id, enum stored_log_kind kind,
                    const uint8_t sha384[static STORED_LOG_SHA384_BYTES], struct view log,
                    uint64_t now_ms)
{
    uint8_t stored[STORED_LOG_SHA384_BYTES];
    struct machine machine;
    ENSURE(log.len <= STORED_LOG_MAX_BYTES, TOO_LONG);
    err_t found = stored_log_digest(db, machine_id, kind, stored);
    if (IS_OK(found) && memcmp(stored, sha384, sizeof stored) == 0) {
        return OK;
    }
    ENSURE(IS_OK(found) || IS_E(found, NOT_FOUND), DB_FAILED);
    TRY(machine_by_id(db, machine_id, &machine));
    return statement_run(db, STATEMENT_EVENT_LOG_PUT,
                         ARGS(TEXT(machine_id), NUMBER(kind), BYTES(sha384, STORED_LOG_SHA384_BYTES),
                              NUMBER(now_ms), VIEW(log)),
                         NULL);
}

ERRFN stored_log_get(struct db *db, const char *machine_id, enum stored_log_kind kind,
                    struct buf *out_log)
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, STATEMENT_EVENT_LOG_GET, ARGS(TEXT(machine_id), NUMBER(kind)), &rows));
    TRY(rows_one(&rows, E(NOT_FOUND)));
    struct view log = rows_bytes_view(&rows, 0);
    TRY(rows_problem(&rows));
    return buf_put(out_log, log);
}
