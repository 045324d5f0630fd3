/* Typed columns of a row: the reading half of statement.h. */
#include "sql/statement.h"

#include <string.h>

#include <sqlite3.h>

#include "base/text.h"

static bool has_type(struct rows *rows, int column, int type)
{
    bool right = sqlite3_column_type(rows->statement, column) == type;
    if (!right && IS_OK(rows->problem)) {
        rows->problem = E(DB_TAMPERED);
    }
    return right;
}

ERRFN rows_problem(const struct rows *rows)
{
    return rows->problem;
}

uint64_t rows_number(struct rows *rows, int column)
{
    if (!has_type(rows, column, SQLITE_INTEGER)) {
        return 0;
    }
    return (uint64_t)sqlite3_column_int64(rows->statement, column);
}

int rows_int(struct rows *rows, int column)
{
    uint64_t number = rows_number(rows, column);
    if (number > INT32_MAX) {
        rows->problem = E(DB_TAMPERED);
        return 0;
    }
    return (int)number;
}

static struct view column_view(struct rows *rows, int column, const void *data)
{
    /* The length is that of the last conversion, so it is asked for after the data. */
    size_t len = (size_t)sqlite3_column_bytes(rows->statement, column);
    if (!data && len == 0) {
        data = ""; /* SQLite has no address for an empty value */
    }
    return view_of(data, len);
}

struct view rows_text_view(struct rows *rows, int column)
{
    if (sqlite3_column_type(rows->statement, column) == SQLITE_NULL) {
        return VIEW_EMPTY;
    }
    if (!has_type(rows, column, SQLITE_TEXT)) {
        return VIEW_EMPTY;
    }
    return column_view(rows, column, sqlite3_column_text(rows->statement, column));
}

struct view rows_bytes_view(struct rows *rows, int column)
{
    if (!has_type(rows, column, SQLITE_BLOB)) {
        return VIEW_EMPTY;
    }
    return column_view(rows, column, sqlite3_column_blob(rows->statement, column));
}

void rows_text(struct rows *rows, int column, char *out_text, size_t size)
{
    struct view text = rows_text_view(rows, column);
    if (!text.data || !IS_OK(view_to_text(text, out_text, size))) {
        rows->problem = E(DB_TAMPERED);
        out_text[0] = '\0';
    }
}

void rows_bytes(struct rows *rows, int column, uint8_t *out_bytes, size_t len)
{
    struct view bytes = rows_bytes_view(rows, column);
    if (bytes.len != len) {
        rows->problem = E(DB_TAMPERED);
        memset(out_bytes, 0, len);
        return;
    }
    memcpy(out_bytes, bytes.data, len);
}

void rows_bytes_up_to(struct rows *rows, int column, uint8_t *out_bytes, size_t max,
                      size_t *out_len)
{
    struct view bytes = rows_bytes_view(rows, column);
    if (bytes.len > max) {
        rows->problem = E(DB_TAMPERED);
        bytes = VIEW_EMPTY;
    }
    if (bytes.len > 0) {
        memcpy(out_bytes, bytes.data, bytes.len);
    }
    *out_len = bytes.len;
}

void rows_hex(struct rows *rows, int column, char *out_text, size_t len)
{
    struct view bytes = rows_bytes_view(rows, column);
    if (bytes.len != len) {
        rows->problem = E(DB_TAMPERED);
        bytes = VIEW_EMPTY;
    }
    hex_encode(bytes, out_text);
}

ERRFN rows_store(struct rows *rows, int column, size_t count, struct buf *storage,
                 struct view *out_views)
{
    buf_truncate(storage, 0);
    for (size_t i = 0; i < count; i++) {
        out_views[i] = rows_bytes_view(rows, column + (int)i);
        TRY(rows_problem(rows));
        TRY(buf_put(storage, out_views[i]));
    }
    /* Only now does the storage move no more. */
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        out_views[i] = view_of(storage->data ? storage->data + at : NULL, out_views[i].len);
        at += out_views[i].len;
    }
    return OK;
}
