#include "sql/db.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "sql/audit.h"
#include "sql/file.h"
#include "sql/schema.h"

/* Up to this size the whole file is looked at when it is opened, in some tenths of a second; a
 * bigger one page by page, when it is used, and by db_check. */
enum { OPEN_CHECK_MAX_BYTES = 32 * 1024 * 1024 };

static ERRFN db_new(struct db **out_db)
{
    struct db *db = calloc(1, sizeof *db);
    ENSURE(db, NO_MEMORY);
    db->state = DB_IDLE;
    *out_db = db;
    return OK;
}

void db_close(struct db *db)
{
    if (!db) {
        return;
    }
    statements_finalize(db);
    if (db->handle) {
        db_rollback(db);
        sqlite3_close(db->handle);
    }
    free(db);
}

static ERRFN use_wal(struct db *db)
{
    sqlite3_stmt *statement = NULL;
    TRY(db_error(
        db, sqlite3_prepare_v2(db->handle, "PRAGMA journal_mode = WAL", -1, &statement, NULL)));
    int code = sqlite3_step(statement);
    const char *mode = (const char *)sqlite3_column_text(statement, 0);
    bool wal = code == SQLITE_ROW && mode && strcmp(mode, "wal") == 0;
    sqlite3_finalize(statement);
    TRY(db_error(db, code));
    ENSURE(wal, DB_FAILED);
    return OK;
}

static ERRFN check_if_small(struct db *db)
{
    uint64_t bytes = 0;
    TRY(file_size(db, &bytes));
    return bytes <= OPEN_CHECK_MAX_BYTES ? file_check(db, false) : OK;
}

static ERRFN check_clock(struct db *db, uint64_t now_ms)
{
    struct audit_tail tail;
    TRY(audit_tail(db, &tail));
    ENSURE(now_ms + AUDIT_CLOCK_TOLERANCE_MS >= tail.time_ms, CLOCK_BACKWARDS);
    return OK;
}

ERRFN db_open(const char *path, const struct secret *key, uint64_t now_ms, struct db **out_db)
{
    AUTO(db) db = NULL;
    TRY(db_new(&db));
    TRY(file_create(path, key));
    TRY(file_open(path, key, FILE_READ_WRITE, db));
    TRY(use_wal(db));
    TRY(schema_migrate(db, SCHEMA_VERSION));
    TRY(schema_verify(db));
    TRY(check_if_small(db));
    TRY(statements_prepare(db));
    TRY(check_clock(db, now_ms));
    *out_db = STEAL(db);
    return OK;
}

ERRFN db_open_readonly(const char *path, const struct secret *key, struct db **out_db)
{
    AUTO(db) db = NULL;
    TRY(db_new(&db));
    db->readonly = true;
    TRY(file_open(path, key, FILE_READ_ONLY, db));
    TRY(schema_verify(db));
    TRY(statements_prepare(db));
    *out_db = STEAL(db);
    return OK;
}

/* The first commit after a checkpoint starts the write-ahead log anew, so there is one on each
 * side of it. */
ERRFN db_exercise(struct db *db)
{
    for (int i = 0; i < 2; i++) {
        TRY(db_begin(db));
        err_t error = statement_run(db, STATEMENT_START_COUNT, NO_ARGS, NULL);
        if (!IS_OK(error)) {
            db_rollback(db);
            return error;
        }
        TRY(db_commit(db));
        TRY(db_checkpoint(db));
    }
    return db_ready(db);
}

ERRFN db_ready(struct db *db)
{
    struct audit_tail tail;
    return audit_tail(db, &tail);
}

ERRFN db_check(struct db *db)
{
    ENSURE(db->state == DB_IDLE, BUG);
    return file_check(db, true);
}
