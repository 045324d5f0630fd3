#include "sql/schema.h"

#include <stdio.h>

#include <sqlite3.h>

#include "crypto/digest.h"

enum { SCHEMA_TEXT_MAX_BYTES = 256 * 1024 };

ERRFN schema_run(struct db *db, const char *sql)
{
    return db_error(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

static ERRFN pragma_number(struct db *db, const char *sql, int64_t *out_number)
{
    sqlite3_stmt *statement = NULL;
    TRY(db_error(db, sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL)));
    int code = sqlite3_step(statement);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    TRY(db_error(db, code));
    ENSURE(code == SQLITE_ROW, DB_FAILED);
    *out_number = number;
    return OK;
}

static ERRFN schema_version(struct db *db, int *out_version)
{
    int64_t application = 0;
    int64_t version = 0;
    TRY(pragma_number(db, "PRAGMA application_id", &application));
    TRY(pragma_number(db, "PRAGMA user_version", &version));
    ENSURE(version <= SCHEMA_VERSION, DB_NEWER);
    ENSURE(version >= 0, DB_TAMPERED);
    ENSURE(version == 0 || application == SCHEMA_APPLICATION_ID, DB_TAMPERED);
    *out_version = (int)version;
    return OK;
}

static ERRFN migrate_one(struct db *db, int to)
{
    char stamp[96];
    snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             SCHEMA_APPLICATION_ID, to);
    TRY(schema_run(db, "BEGIN IMMEDIATE"));
    err_t error = schema_run(db, SCHEMA_MIGRATIONS[to - 1]);
    if (IS_OK(error)) {
        error = schema_run(db, stamp);
    }
    if (IS_OK(error)) {
        error = schema_run(db, "COMMIT");
    }
    if (!IS_OK(error) && !sqlite3_get_autocommit(db->handle)) {
        IGNORE_ERR(schema_run(db, "ROLLBACK"));
    }
    return error;
}

ERRFN schema_migrate(struct db *db, int version)
{
    int have = 0;
    TRY(schema_version(db, &have));
    for (int to = have + 1; to <= version; to++) {
        TRY(migrate_one(db, to));
    }
    return OK;
}

/* Names and texts of everything in the schema, with separators that occur in none of them. */
static ERRFN schema_text(struct db *db, struct buf *text)
{
    static const char sql[] = "SELECT type, name, tbl_name, COALESCE(sql, '') FROM sqlite_schema "
                              "ORDER BY type, name, tbl_name";
    sqlite3_stmt *statement = NULL;
    TRY(db_error(db, sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL)));
    err_t error = OK;
    int code = SQLITE_DONE;
    while (IS_OK(error) && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < 4 && IS_OK(error); i++) {
            error = buf_printf(text, "%s\x1f", (const char *)sqlite3_column_text(statement, i));
        }
    }
    sqlite3_finalize(statement);
    TRY(db_error(db, code));
    return error;
}

static ERRFN schema_digest(struct db *db, uint8_t out_digest[static SHA384_BYTES])
{
    AUTO(buf) text = NULL;
    TRY(buf_new(SCHEMA_TEXT_MAX_BYTES, &text));
    TRY(schema_text(db, text));
    return sha384(buf_view(text), out_digest);
}

/* The schema that the migrations give, made in memory. */
static ERRFN expected_digest(uint8_t out_digest[static SHA384_BYTES])
{
    struct db memory = {.state = DB_IDLE};
    err_t error = E(NO_MEMORY);
    if (sqlite3_open_v2(":memory:", &memory.handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY,
                        NULL) == SQLITE_OK) {
        error = schema_migrate(&memory, SCHEMA_VERSION);
    }
    if (IS_OK(error)) {
        error = schema_digest(&memory, out_digest);
    }
    sqlite3_close(memory.handle);
    return error;
}

ERRFN schema_verify(struct db *db)
{
    uint8_t expected[SHA384_BYTES];
    uint8_t found[SHA384_BYTES];
    int version = 0;
    TRY(schema_version(db, &version));
    ENSURE(version == SCHEMA_VERSION, DB_TAMPERED);
    TRY(expected_digest(expected));
    /* Too long a schema is a foreign one. */
    err_t error = schema_digest(db, found);
    ENSURE(!IS_E(error, TOO_LONG), DB_TAMPERED);
    TRY(error);
    ENSURE(view_equal(view_of(found, sizeof found), view_of(expected, sizeof expected)),
           DB_TAMPERED);
    return OK;
}
