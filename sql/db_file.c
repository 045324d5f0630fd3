#include "sql/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "base/fd.h"
#include "base/text.h"
#include "sql/schema.h"

enum {
    PATH_SIZE = 1024,
    FILE_PAGE_BYTES = 4096,
    VALUE_MAX_BYTES = 4 * 1024 * 1024, /* nothing stored comes near; what does is an attack */
    BUSY_TRIES = 500                   /* milliseconds; readers hold a lock for microseconds */
};

/* SQLite's own busy handler sleeps with a system call that the sandbox has no other use for. */
static int wait_while_busy(void *context, int tries)
{
    (void)context;
    poll(NULL, 0, 1);
    return tries < BUSY_TRIES;
}

/* The raw key form x'…' skips SQLCipher's password derivation: the key is already 256 random
 * bits. */
static ERRFN unlock(struct db *db, const struct secret *key)
{
    char raw[HEX_TEXT_SIZE(DB_KEY_BYTES) + 3] = "x'";
    ENSURE(key->len == DB_KEY_BYTES, BUG);
    hex_encode(secret_view(key), raw + 2);
    raw[2 + 2 * DB_KEY_BYTES] = '\'';
    int code = sqlite3_key_v2(db->handle, "main", raw, 3 + 2 * DB_KEY_BYTES);
    bytes_wipe(raw, sizeof raw);
    return db_error(db, code);
}

/* Page 1 is authenticated with the key, so reading the schema tells whether the key fits. */
static ERRFN first_read(struct db *db)
{
    int code = sqlite3_exec(db->handle, "SELECT COUNT(*) FROM sqlite_schema", NULL, NULL, NULL);
    ENSURE((code & 0xff) != SQLITE_NOTADB, DB_KEY);
    return db_error(db, code);
}

/* cipher_memory_security would lock and wipe every allocation of SQLite, not only keys: a tenth
 * of the throughput is left then, and the page cache comes out of the lock limit. SQLCipher
 * locks and wipes its key material either way; the rest is what the process works on anyway, and
 * it is never dumped or swapped. */
static ERRFN configure(struct db *db)
{
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_handler(db->handle, wait_while_busy, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES);
    sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);
    return schema_run(db, "PRAGMA cipher_log_level = NONE;"
                          "PRAGMA cipher_memory_security = OFF;");
}

static ERRFN configure_unlocked(struct db *db)
{
    return schema_run(
        db, "PRAGMA foreign_keys = ON;"
            "PRAGMA synchronous = FULL;"
            "PRAGMA temp_store = MEMORY;"
            "PRAGMA mmap_size = 0;"
            "PRAGMA secure_delete = FAST;"
            "PRAGMA cell_size_check = ON;"
            "PRAGMA cache_size = -49152;"       /* 48 MiB, a third of all memory */
            "PRAGMA wal_autocheckpoint = 1000;" /* 4 MiB: a pause of some ten milliseconds */
            "PRAGMA journal_size_limit = 67108864;" /* 64 MiB, after a burst */);
}

static ERRFN file_whole(const char *path)
{
    struct stat status;
    ENSURE(stat(path, &status) == 0, CONFIG_UNREADABLE);
    ENSURE(S_ISREG(status.st_mode), CONFIG_UNREADABLE);
    ENSURE(status.st_size >= FILE_PAGE_BYTES, DB_TAMPERED);
    return OK;
}

static ERRFN open_unlocked(const char *path, const struct secret *key, enum file_mode mode,
                           struct db *db)
{
    int flags = SQLITE_OPEN_NOMUTEX |
                (mode == FILE_READ_ONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    int code = sqlite3_open_v2(path, &db->handle, flags, NULL);
    ENSURE(db->handle, NO_MEMORY);
    TRY(db_error(db, code));
    TRY(configure(db));
    TRY(unlock(db, key));
    TRY(schema_run(db, "PRAGMA cipher_compatibility = 4"));
    TRY(first_read(db));
    return configure_unlocked(db);
}

ERRFN file_open(const char *path, const struct secret *key, enum file_mode mode, struct db *db)
{
    TRY(file_whole(path));
    return open_unlocked(path, key, mode, db);
}

static ERRFN sync_folder_of(const char *path)
{
    char folder[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    snprintf(folder, sizeof folder, "%.*s", (int)len, path);
    AUTO(fd) fd = open(slash ? (len > 0 ? folder : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ENSURE(fd >= 0, IO);
    return fsync(fd) == 0 ? OK : err_from_errno(errno);
}

static ERRFN empty_file(const char *path)
{
    unlink(path); /* what an interrupted start left */
    AUTO(fd) fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd >= 0 ? OK : err_from_errno(errno);
}

static ERRFN fill(const char *path, const struct secret *key)
{
    struct db fresh = {.state = DB_IDLE};
    err_t error = open_unlocked(path, key, FILE_READ_WRITE, &fresh);
    if (IS_OK(error)) {
        error = schema_migrate(&fresh, SCHEMA_VERSION);
    }
    if (sqlite3_close(fresh.handle) != SQLITE_OK && IS_OK(error)) {
        error = E(DB_FAILED);
    }
    return error;
}

ERRFN file_create(const char *path, const struct secret *key)
{
    char beside[PATH_SIZE];
    ENSURE(strlen(path) + sizeof "-wal" <= sizeof beside, TOO_LONG);
    if (access(path, F_OK) == 0) {
        return OK;
    }
    snprintf(beside, sizeof beside, "%s-wal", path);
    ENSURE(access(beside, F_OK) != 0, DB_TAMPERED);
    snprintf(beside, sizeof beside, "%s.new", path);
    TRY(empty_file(beside));
    err_t error = fill(beside, key);
    if (IS_OK(error) && rename(beside, path) != 0) {
        error = err_from_errno(errno);
    }
    if (!IS_OK(error)) {
        unlink(beside);
        return error;
    }
    return sync_folder_of(path);
}

/* Runs a check that answers with `good` alone, or, when good is NULL, with no row at all. */
static ERRFN check(struct db *db, const char *pragma, const char *good)
{
    sqlite3_stmt *statement = NULL;
    TRY(db_error(db, sqlite3_prepare_v2(db->handle, pragma, -1, &statement, NULL)));
    int code = sqlite3_step(statement);
    bool passed = good ? code == SQLITE_ROW &&
                             strcmp((const char *)sqlite3_column_text(statement, 0), good) == 0
                       : code == SQLITE_DONE;
    sqlite3_finalize(statement);
    TRY(db_error(db, code));
    return passed ? OK : E(DB_TAMPERED);
}

ERRFN file_check(struct db *db, bool thorough)
{
    if (!thorough) {
        return check(db, "PRAGMA quick_check(1)", "ok");
    }
    TRY(check(db, "PRAGMA cipher_integrity_check", NULL));
    TRY(check(db, "PRAGMA integrity_check(1)", "ok"));
    return check(db, "PRAGMA foreign_key_check", NULL);
}

ERRFN file_size(struct db *db, uint64_t *out_bytes)
{
    sqlite3_stmt *statement = NULL;
    TRY(db_error(db, sqlite3_prepare_v2(db->handle, "PRAGMA page_count", -1, &statement, NULL)));
    int code = sqlite3_step(statement);
    int64_t pages = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    TRY(db_error(db, code));
    *out_bytes = (uint64_t)pages * FILE_PAGE_BYTES;
    return OK;
}
