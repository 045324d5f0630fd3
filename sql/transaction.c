/* Batches, savepoints and checkpoints. */
#include "sql/db.h"

#include <sqlite3.h>

#include "sql/schema.h"

ERRFN db_begin(struct db *db)
{
    ENSURE(db->state == DB_IDLE, BUG);
    ENSURE(!db->readonly, BUG);
    TRY(schema_run(db, "BEGIN IMMEDIATE"));
    db->state = DB_BATCH;
    db->doomed = OK;
    return OK;
}

void db_rollback(struct db *db)
{
    /* After some errors SQLite has rolled back by itself. */
    if (!sqlite3_get_autocommit(db->handle)) {
        IGNORE_ERR(schema_run(db, "ROLLBACK"));
    }
    db->state = DB_IDLE;
    db->doomed = OK;
}

ERRFN db_commit(struct db *db)
{
    err_t error = db->state == DB_BATCH ? db->doomed : E(BUG);
    if (IS_OK(error)) {
        error = schema_run(db, "COMMIT");
    }
    db_rollback(db); /* nothing is left to roll back when the commit went through */
    return error;
}

ERRFN db_savepoint(struct db *db)
{
    ENSURE(db->state == DB_BATCH, BUG);
    TRY(statement_run(db, STATEMENT_SAVEPOINT, NO_ARGS, NULL));
    db->state = DB_SAVEPOINT;
    return OK;
}

ERRFN db_release(struct db *db)
{
    ENSURE(db->state == DB_SAVEPOINT, BUG);
    err_t error = statement_run(db, STATEMENT_RELEASE, NO_ARGS, NULL);
    db->state = DB_BATCH;
    return error;
}

ERRFN db_rollback_to(struct db *db)
{
    ENSURE(db->state == DB_SAVEPOINT, BUG);
    err_t error = statement_run(db, STATEMENT_ROLLBACK_TO, NO_ARGS, NULL);
    if (IS_OK(error)) {
        error = statement_run(db, STATEMENT_RELEASE, NO_ARGS, NULL);
    }
    db->state = DB_BATCH;
    return error;
}

ERRFN db_checkpoint(struct db *db)
{
    ENSURE(db->state == DB_IDLE, BUG);
    return db_error(
        db, sqlite3_wal_checkpoint_v2(db->handle, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
}
