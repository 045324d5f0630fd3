/* Inside sql/ only: every statement of the product, prepared once, run with typed arguments and
 * read with typed columns. The driver is behind this header; a second one would implement it
 * again. */
#ifndef ITL_SQL_STATEMENT_H
#define ITL_SQL_STATEMENT_H

#include "sql/db.h"

#include <stdbool.h>

struct sqlite3;
struct sqlite3_stmt;

enum statement {
#define STATEMENT(name, text) STATEMENT_##name,
#include "sql/statements.def"
#undef STATEMENT
    STATEMENT_COUNT
};

enum db_state { DB_IDLE = 1, DB_BATCH, DB_SAVEPOINT };

struct db {
    struct sqlite3 *handle;
    struct sqlite3_stmt *statements[STATEMENT_COUNT];
    enum db_state state;
    err_t doomed; /* what the disk did to this batch; OK while it can still be committed */
    bool readonly;
};

/* Prepares all. Errors: BUG for one that does not compile. */
ERRFN statements_prepare(struct db *db);
void statements_finalize(struct db *db);

/* The text of a statement, for the tests that look at query plans. */
const char *statement_text(enum statement id);

/* The one place where SQLite's codes become ours. */
ERRFN db_error(struct db *db, int code);

/* A row of tally, which triggers keep. */
ERRFN tally_read(struct db *db, const char *name, uint64_t *out_count);

enum arg_kind { ARG_NONE = 0, ARG_NULL, ARG_NUMBER, ARG_TEXT, ARG_BYTES, ARG_HEX };

struct arg {
    enum arg_kind kind;
    uint64_t number;
    const void *data; /* outlives the run */
    size_t len;       /* ARG_HEX: bytes after decoding */
};

/* Numbers keep all 64 bits; those above INT64_MAX sort below zero, so only facts that are never
 * compared may be so big. */
#define NUMBER(value_)     ((struct arg){ARG_NUMBER, (uint64_t)(value_), NULL, 0})
#define TEXT(text_)        ((struct arg){ARG_TEXT, 0, (text_), 0}) /* NULL becomes SQL's NULL */
#define BYTES(data_, len_) ((struct arg){ARG_BYTES, 0, (data_), (len_)})
#define VIEW(view_)        BYTES((view_).data, (view_).len)
#define HEX(text_, len_)   ((struct arg){ARG_HEX, 0, (text_), (len_)})
#define ARGS(...)                        \
    ((const struct arg[]){__VA_ARGS__}), \
        (sizeof((const struct arg[]){__VA_ARGS__}) / sizeof(struct arg))
#define NO_ARGS NULL, 0

/* Runs a statement that gives no rows; out_changed may be NULL. Errors: FIELD_INVALID for bad
 * hexadecimal. */
ERRFN statement_run(struct db *db, enum statement id, const struct arg *args, size_t count,
                    uint64_t *out_changed);

/* A statement being read. Columns are read with the functions below, from 0; the first that does
 * not have the expected shape makes rows_problem DB_TAMPERED, since nobody but this folder
 * writes rows. */
struct rows {
    struct db *db;
    struct sqlite3_stmt *statement;
    err_t problem;
};

#define ROWS_NONE ((struct rows){NULL, NULL, {0}})

ERRFN rows_open(struct db *db, enum statement id, const struct arg *args, size_t count,
                struct rows *out_rows);
ERRFN rows_next(struct rows *rows, bool *out_more);

/* The first row. Errors: `none` when there is none. */
ERRFN rows_one(struct rows *rows, err_t none);

uint64_t rows_number(struct rows *rows, int column);
int rows_int(struct rows *rows, int column);
void rows_text(struct rows *rows, int column, char *out_text, size_t size);

/* Borrowed until the next row; data is NULL for SQL's NULL only. */
struct view rows_text_view(struct rows *rows, int column);
struct view rows_bytes_view(struct rows *rows, int column);

/* Exactly len bytes. */
void rows_bytes(struct rows *rows, int column, uint8_t *out_bytes, size_t len);

/* At most max bytes. */
void rows_bytes_up_to(struct rows *rows, int column, uint8_t *out_bytes, size_t max,
                      size_t *out_len);

/* Exactly len bytes as lower-case hexadecimal with a NUL. */
void rows_hex(struct rows *rows, int column, char *out_text, size_t len);

/* Copies `count` columns of bytes into storage, which is emptied first, and says where they lie.
 * Errors: rows_problem, TOO_LONG. */
ERRFN rows_store(struct rows *rows, int column, size_t count, struct buf *storage,
                 struct view *out_views);

ERRFN rows_problem(const struct rows *rows);
void rows_close(struct rows *rows);

typedef struct rows auto_type_rows;
static inline void auto_release_rows(struct rows *rows)
{
    rows_close(rows);
}

#endif
