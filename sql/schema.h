/* Inside sql/ only: numbered migrations. One is never edited once released; a change is the next
 * number. */
#ifndef ITL_SQL_SCHEMA_H
#define ITL_SQL_SCHEMA_H

#include "sql/statement.h"

enum {
    SCHEMA_VERSION = 5,
    SCHEMA_APPLICATION_ID = 0x49544c41 /* "ITLA" */
};

/* Number n of the database's user_version is made from n - 1 by the text at index n - 1. */
extern const char *const SCHEMA_MIGRATIONS[SCHEMA_VERSION];

/* Runs the migrations up to `version`, each in a transaction of its own. Errors: DB_NEWER,
 * DB_TAMPERED (not our database). */
ERRFN schema_migrate(struct db *db, int version);

/* Whether the schema is, to the letter, what the migrations give. Errors: DB_NEWER, DB_TAMPERED. */
ERRFN schema_verify(struct db *db);

/* Runs SQL without arguments or rows: pragmas, transactions and migrations. */
ERRFN schema_run(struct db *db, const char *sql);

#endif
