/* The one database: SQLCipher, written by one process (the signer), read by whoever has the key.
 *
 * This folder is the only place with SQL. What it stores is described by the record headers
 * (machines.h, proof.h, tokens.h, certificates.h, audit.h); this header opens it and bounds the work. A caller
 * drains requests, runs them in one batch, each under a savepoint, and answers after the commit:
 *
 *     db_begin
 *         db_savepoint … db_release        a request that goes through, or is refused and audited
 *         db_savepoint … db_rollback_to    a request that failed half-way: leaves nothing
 *     db_commit                            on disk (synchronous=FULL) when it returns OK
 *
 * Whatever writes needs a batch: BUG otherwise. When the disk fails inside a batch (DB_FULL,
 * DB_FAILED, DB_TAMPERED), the whole batch is lost; every further call in it returns that error
 * until db_commit or db_rollback ends it.
 *
 * Any function of this folder may return DB_FULL, DB_FAILED, DB_TAMPERED and NO_MEMORY; headers
 * name only what comes on top. Not thread-safe: one struct db, one thread. Calls block for disk
 * I/O. Times are UTC milliseconds. */
#ifndef ITL_SQL_DB_H
#define ITL_SQL_DB_H

#include "base/secret.h"

#include <stdint.h>

enum { DB_KEY_BYTES = 32 };

struct db;

/* Opens the database for writing, making it (mode 0600, complete or not at all) when absent, and
 * brings its schema up to date. `key` holds DB_KEY_BYTES raw bytes; SQLCipher keeps its own copy
 * in locked memory, the caller may free it afterwards. Errors: DB_KEY (wrong key, or not an
 * encrypted database), DB_NEWER (written by a newer release), DB_TAMPERED (damaged, cut off, or
 * a schema that no release of ours made), CLOCK_BACKWARDS (now_ms is before the last audit row),
 * IO (the folder is missing or not ours), BUSY (another writer). A database that is gone can't
 * be told from one that never was: its owner knows. */
ERRFN db_open(const char *path, const struct secret *key, uint64_t now_ms, struct db **out_db);

/* Opens for reading only, also while the appliance runs, and changes nothing on disk except
 * SQLite's lock bytes. The schema must be this release's. Errors: as db_open, CONFIG_UNREADABLE
 * (no such file); DB_NEWER, DB_TAMPERED (older or foreign schema). */
ERRFN db_open_readonly(const char *path, const struct secret *key, struct db **out_db);

/* Rolls back what is open and closes; accepts NULL. Removes the -wal and -shm files, so never
 * inside the seal: there, db_checkpoint and _exit. */
void db_close(struct db *db);
AUTO_DEFINE(db, struct db, db_close);

/* Does each kind of work once (write, roll back, checkpoint, sort), leaving no trace, so that
 * from then on no file is opened by path any more and the sandbox can be entered. */
ERRFN db_exercise(struct db *db);

/* A cheap read of real data, for /readyz. */
ERRFN db_ready(struct db *db);

/* Reads every page and index; for the command line, since it takes seconds per gigabyte. Errors:
 * DB_TAMPERED. */
ERRFN db_check(struct db *db);

/* Moves the write-ahead log into the database file and empties it. Outside a batch. Errors: BUSY
 * while a reader holds it. */
ERRFN db_checkpoint(struct db *db);

/* One batch. Errors: BUG when one is open already; BUSY while another process writes. */
ERRFN db_begin(struct db *db);

/* On OK everything since db_begin is durable. On any error the batch was rolled back: nothing of
 * it happened. */
ERRFN db_commit(struct db *db);
void db_rollback(struct db *db);

/* One request inside a batch; one level. Errors: BUG out of order. db_rollback_to also ends the
 * savepoint. */
ERRFN db_savepoint(struct db *db);
ERRFN db_release(struct db *db);
ERRFN db_rollback_to(struct db *db);

#endif
