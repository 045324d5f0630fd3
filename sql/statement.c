#include "sql/statement.h"

#include <errno.h>
#include <string.h>

#include <sqlite3.h>

#include "base/text.h"

enum { STATEMENT_TEXT_MAX = 2048, HEX_MAX_BYTES = 64 };

static const char *const TEXTS[STATEMENT_COUNT] = {
#define STATEMENT(name, text) text,
#include "sql/statements.def"
#undef STATEMENT
};

const char *statement_text(enum statement id)
{
    return TEXTS[id];
}

/* PostgreSQL numbers arguments as $1, SQLite as ?1; to SQLite $1 is a name, numbered by first
 * use. */
static ERRFN prepare(struct db *db, const char *text, sqlite3_stmt **out_statement)
{
    char sql[STATEMENT_TEXT_MAX];
    size_t len = strlen(text);
    ENSURE(len < sizeof sql, BUG);
    for (size_t i = 0; i <= len; i++) {
        sql[i] = text[i] == '$' ? '?' : text[i];
    }
    int code = sqlite3_prepare_v3(db->handle, sql, (int)len + 1, SQLITE_PREPARE_PERSISTENT,
                                  out_statement, NULL);
    if (code == SQLITE_ERROR) {
        return E(BUG);
    }
    return db_error(db, code);
}

ERRFN statements_prepare(struct db *db)
{
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        TRY(prepare(db, TEXTS[i], &db->statements[i]));
    }
    return OK;
}

void statements_finalize(struct db *db)
{
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(db->statements[i]);
        db->statements[i] = NULL;
    }
}

/* SQLite knows ENOSPC as SQLITE_FULL when it writes a page, but not a quota, a file size limit,
 * or a full disk elsewhere. */
static bool disk_is_full(struct db *db)
{
    int error_number = sqlite3_system_errno(db->handle);
    return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
}

static err_t error_of_code(struct db *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return OK;
    case SQLITE_FULL:
        return E(DB_FULL);
    case SQLITE_IOERR:
        return disk_is_full(db) ? E(DB_FULL) : E(DB_FAILED);
    case SQLITE_NOMEM:
        return E(NO_MEMORY);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return E(DB_TAMPERED);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return E(BUSY);
    case SQLITE_CONSTRAINT:
        /* Every foreign key leads to a machine. */
        return code == SQLITE_CONSTRAINT_FOREIGNKEY ? E(MACHINE_UNKNOWN) : E(DB_CONFLICT);
    case SQLITE_TOOBIG:
        return E(TOO_LONG);
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return E(BUG);
    default:
        return E(DB_FAILED);
    }
}

/* A constraint undoes its own statement; anything else leaves the batch in doubt. */
static bool dooms_batch(err_t error)
{
    return !IS_OK(error) && !IS_E(error, DB_CONFLICT) && !IS_E(error, MACHINE_UNKNOWN) &&
           !IS_E(error, TOO_LONG);
}

ERRFN db_error(struct db *db, int code)
{
    err_t error = error_of_code(db, code);
    if (db->state != DB_IDLE && IS_OK(db->doomed) && dooms_batch(error)) {
        db->doomed = error;
    }
    return error;
}

static ERRFN bind_hex(sqlite3_stmt *statement, int index, const struct arg *arg, int *out_code)
{
    uint8_t bytes[HEX_MAX_BYTES];
    ENSURE(arg->len <= sizeof bytes, BUG);
    TRY(hex_decode(view_text(arg->data), bytes, arg->len));
    *out_code = sqlite3_bind_blob64(statement, index, bytes, arg->len, SQLITE_TRANSIENT);
    return OK;
}

static ERRFN bind_one(sqlite3_stmt *statement, int index, const struct arg *arg, int *out_code)
{
    switch (arg->kind) {
    case ARG_NULL:
        *out_code = sqlite3_bind_null(statement, index);
        return OK;
    case ARG_NUMBER:
        *out_code = sqlite3_bind_int64(statement, index, (int64_t)arg->number);
        return OK;
    case ARG_TEXT:
        *out_code = sqlite3_bind_text(statement, index, arg->data, -1, SQLITE_STATIC);
        return OK;
    case ARG_BYTES: /* no bytes at all are an empty value, not NULL */
        *out_code = sqlite3_bind_blob64(statement, index, arg->len ? arg->data : "", arg->len,
                                        SQLITE_STATIC);
        return OK;
    case ARG_HEX:
        return bind_hex(statement, index, arg, out_code);
    case ARG_NONE:
        break;
    }
    return E(BUG);
}

static ERRFN bind_all(struct db *db, sqlite3_stmt *statement, const struct arg *args, size_t count)
{
    ENSURE(sqlite3_bind_parameter_count(statement) == (int)count, BUG);
    for (size_t i = 0; i < count; i++) {
        int code = SQLITE_OK;
        TRY(bind_one(statement, (int)i + 1, &args[i], &code));
        TRY(db_error(db, code));
    }
    return OK;
}

ERRFN rows_open(struct db *db, enum statement id, const struct arg *args, size_t count,
                struct rows *out_rows)
{
    sqlite3_stmt *statement = db->statements[id];
    TRY(db->doomed);
    ENSURE(db->state != DB_IDLE || sqlite3_stmt_readonly(statement), BUG);
    ENSURE(!sqlite3_stmt_busy(statement), BUG);
    *out_rows = (struct rows){db, statement, OK}; /* before binding, so that closing unbinds */
    return bind_all(db, statement, args, count);
}

ERRFN rows_next(struct rows *rows, bool *out_more)
{
    int code = sqlite3_step(rows->statement);
    TRY(db_error(rows->db, code));
    *out_more = code == SQLITE_ROW;
    return OK;
}

ERRFN rows_one(struct rows *rows, err_t none)
{
    bool found = false;
    TRY(rows_next(rows, &found));
    return found ? OK : none;
}

/* Arguments are borrowed from the caller, so they must not stay bound. */
void rows_close(struct rows *rows)
{
    if (rows->statement) {
        sqlite3_reset(rows->statement);
        sqlite3_clear_bindings(rows->statement);
        rows->statement = NULL;
    }
}

ERRFN statement_run(struct db *db, enum statement id, const struct arg *args, size_t count,
                    uint64_t *out_changed)
{
    AUTO(rows) rows = ROWS_NONE;
    bool more = false;
    TRY(rows_open(db, id, args, count, &rows));
    TRY(rows_next(&rows, &more));
    ENSURE(!more, BUG);
    if (out_changed) {
        *out_changed = (uint64_t)sqlite3_changes64(db->handle);
    }
    return OK;
}

ERRFN tally_read(struct db *db, const char *name, uint64_t *out_count)
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, STATEMENT_TALLY, ARGS(TEXT(name)), &rows));
    TRY(rows_one(&rows, E(BUG)));
    *out_count = rows_number(&rows, 0);
    return rows_problem(&rows);
}
