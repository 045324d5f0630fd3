/* Inside sql/ only: the database file itself. */
#ifndef ITL_SQL_FILE_H
#define ITL_SQL_FILE_H

#include "sql/statement.h"

enum file_mode { FILE_MODE_NONE = 0, FILE_READ_WRITE, FILE_READ_ONLY };

/* Opens and unlocks an existing file, with the settings of this connection. Errors: DB_KEY,
 * DB_TAMPERED (no whole page), CONFIG_UNREADABLE. */
ERRFN file_open(const char *path, const struct secret *key, enum file_mode mode, struct db *db);

/* Makes a database with the whole schema beside `path` and moves it there, so that `path` is
 * never half made. Nothing when it exists. Errors: DB_TAMPERED when only a write-ahead log is
 * left of an earlier one. */
ERRFN file_create(const char *path, const struct secret *key);

/* SQLite's own checks: pages, and with `thorough` indexes, references and unused pages. Errors:
 * DB_TAMPERED. */
ERRFN file_check(struct db *db, bool thorough);

/* The size of all pages in bytes. */
ERRFN file_size(struct db *db, uint64_t *out_bytes);

#endif
