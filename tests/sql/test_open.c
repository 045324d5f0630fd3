/* Opening, refusing, batches. */
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/fd.h"
#include "sql/schema.h"
#include "sql/statement.h"

static void database_is_created_for_its_owner_only(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    assert_int_equal(stat(f->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    char name[FIXTURE_PATH_SIZE + 8];
    snprintf(name, sizeof name, "%s-wal", f->path);
    assert_int_equal(stat(name, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    snprintf(name, sizeof name, "%s.new", f->path);
    assert_int_not_equal(stat(name, &status), 0);
}

static void database_file_holds_no_plain_text(void **state)
{
    struct fixture *f = *state;
    fixture_insert_machine(f, 1);
    assert_ok(db_checkpoint(f->db));
    AUTO(buf) content = NULL;
    assert_ok(fd_read_file(f->path, 16 * 1024 * 1024, &content));
    assert_null(memmem(content->data, content->len, "SQLite format 3", 15));
    assert_null(memmem(content->data, content->len, "PowerEdge", 9));
}

static void what_was_committed_is_there_after_reopening(void **state)
{
    struct fixture *f = *state;
    struct machine found;
    fixture_insert_machine(f, 1);
    fixture_close(f);
    fixture_open(f);
    assert_ok(machine_by_id(f->db, sample_machine(1).machine_id, &found));
    assert_string_equal(found.hw_product, "PowerEdge");
}

static void wrong_key_is_refused(void **state)
{
    struct fixture *f = *state;
    AUTO(secret) other = NULL;
    AUTO(db) db = NULL;
    fixture_close(f);
    assert_ok(secret_random(DB_KEY_BYTES, &other));
    assert_err(db_open(f->path, other, FIXTURE_NOW_MS, &db), DB_KEY);
    assert_err(db_open_readonly(f->path, other, &db), DB_KEY);
    assert_null(db);
    fixture_open(f);
}

static void key_of_another_length_is_refused(void **state)
{
    struct fixture *f = *state;
    AUTO(secret) is_short = NULL;
    AUTO(db) db = NULL;
    assert_ok(secret_random(DB_KEY_BYTES - 1, &is_short));
    assert_err(db_open(f->path, is_short, FIXTURE_NOW_MS, &db), BUG);
}

static void plain_database_is_refused(void **state)
{
    struct fixture *f = *state;
    sqlite3 *raw = NULL;
    assert_int_equal(sqlite3_open(f->path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, "CREATE TABLE audit (seq)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(raw);
    assert_err(db_open(f->path, f->key, FIXTURE_NOW_MS, &f->db), DB_KEY);
}

static void empty_file_is_refused_and_kept(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    assert_ok(fd_write_file_atomic(f->path, VIEW_EMPTY, 0600));
    assert_err(db_open(f->path, f->key, FIXTURE_NOW_MS, &f->db), DB_TAMPERED);
    assert_int_equal(stat(f->path, &status), 0);
    assert_int_equal(status.st_size, 0);
}

static void lone_write_ahead_log_is_refused(void **state)
{
    struct fixture *f = *state;
    char name[FIXTURE_PATH_SIZE + 8];
    snprintf(name, sizeof name, "%s-wal", f->path);
    assert_ok(fd_write_file_atomic(name, view_text("left over"), 0600));
    assert_err(db_open(f->path, f->key, FIXTURE_NOW_MS, &f->db), DB_TAMPERED);
}

static void half_made_database_of_an_interrupted_start_is_made_anew(void **state)
{
    struct fixture *f = *state;
    char name[FIXTURE_PATH_SIZE + 8];
    snprintf(name, sizeof name, "%s.new", f->path);
    assert_ok(fd_write_file_atomic(name, view_text("half"), 0600));
    fixture_open(f);
    assert_ok(db_ready(f->db));
}

static void newer_database_is_refused_unchanged(void **state)
{
    struct fixture *f = *state;
    AUTO(db) db = NULL;
    fixture_insert_machine(f, 1);
    fixture_close(f);
    fixture_tamper(f, "PRAGMA user_version = 1000");
    assert_err(db_open(f->path, f->key, FIXTURE_NOW_MS, &db), DB_NEWER);
    assert_err(db_open_readonly(f->path, f->key, &db), DB_NEWER);
    char stamp[64];
    snprintf(stamp, sizeof stamp, "PRAGMA user_version = %d", SCHEMA_VERSION);
    fixture_tamper(f, stamp);
    fixture_open(f);
    struct machine found;
    assert_ok(machine_by_id(f->db, sample_machine(1).machine_id, &found));
}

static void foreign_application_is_refused(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    fixture_tamper(f, "PRAGMA application_id = 7");
    assert_err(db_open(f->path, f->key, FIXTURE_NOW_MS, &f->db), DB_TAMPERED);
}

static void altered_schema_is_refused(void **state)
{
    struct fixture *f = *state;
    const char *const alterations[] = {
        "DROP TRIGGER audit_no_update",
        "CREATE TRIGGER quiet AFTER INSERT ON audit BEGIN UPDATE tally SET entries = 0; END",
        "CREATE VIEW extra AS SELECT 1",
        "ALTER TABLE machine ADD COLUMN note TEXT",
        "DROP INDEX ek_machine",
    };
    for (size_t i = 0; i < sizeof alterations / sizeof alterations[0]; i++) {
        char copy[FIXTURE_PATH_SIZE + 8];
        AUTO(db) db = NULL;
        snprintf(copy, sizeof copy, "%s.good", f->path);
        fixture_close(f);
        fixture_copy_file(f->path, copy);
        fixture_tamper(f, alterations[i]);
        assert_err(db_open(f->path, f->key, FIXTURE_NOW_MS, &db), DB_TAMPERED);
        assert_err(db_open_readonly(f->path, f->key, &db), DB_TAMPERED);
        assert_int_equal(rename(copy, f->path), 0);
        fixture_open(f);
    }
}

static void clock_before_the_last_row_is_refused_at_start(void **state)
{
    struct fixture *f = *state;
    AUTO(db) db = NULL;
    fixture_append_audit(f, 1);
    fixture_close(f);
    uint64_t edge = FIXTURE_NOW_MS - AUDIT_CLOCK_TOLERANCE_MS;
    assert_err(db_open(f->path, f->key, edge - 1, &db), CLOCK_BACKWARDS);
    assert_ok(db_open(f->path, f->key, edge, &f->db));
}

static void missing_folder_and_missing_file_are_errors(void **state)
{
    struct fixture *f = *state;
    assert_err(db_open("/nonexistent/itl.db", f->key, FIXTURE_NOW_MS, &f->db), IO);
    assert_err(db_open_readonly(f->path, f->key, &f->db), CONFIG_UNREADABLE);
    assert_int_not_equal(access(f->path, F_OK), 0);
}

static void readonly_database_sees_the_writer_and_writes_nothing(void **state)
{
    struct fixture *f = *state;
    AUTO(db) reader = NULL;
    struct machine found;
    fixture_insert_machine(f, 1);
    assert_ok(db_open_readonly(f->path, f->key, &reader));
    assert_ok(machine_by_id(reader, sample_machine(1).machine_id, &found));
    fixture_insert_machine(f, 2);
    assert_ok(machine_by_id(reader, sample_machine(2).machine_id, &found));
    assert_err(db_begin(reader), BUG);
    assert_err(machine_delete(reader, sample_machine(2).machine_id), BUG);
}

static void writing_outside_a_batch_is_a_bug(void **state)
{
    struct fixture *f = *state;
    struct machine m = sample_machine(1);
    struct ek_record ek = sample_ek(1);
    assert_err(machine_insert(f->db, &m, &ek), BUG);
    assert_err(machine_by_id(f->db, m.machine_id, &m), MACHINE_UNKNOWN);
}

static void batch_of_another_writer_is_waited_for_in_vain(void **state)
{
    struct fixture *f = *state;
    AUTO(db) other = NULL;
    assert_ok(db_open(f->path, f->key, FIXTURE_NOW_MS, &other));
    assert_ok(db_begin(other));
    assert_err(db_begin(f->db), BUSY);
    assert_ok(db_commit(other));
    assert_ok(db_begin(f->db));
    assert_ok(db_commit(f->db));
}

static void checkpoint_behind_a_reader_is_refused_and_harmless(void **state)
{
    struct fixture *f = *state;
    AUTO(db) reader = NULL;
    bool more = false;
    fixture_insert_machine(f, 1);
    assert_ok(db_open_readonly(f->path, f->key, &reader));
    {
        AUTO(rows) rows = ROWS_NONE;
        assert_ok(rows_open(reader, STATEMENT_MACHINE_LIST, ARGS(NUMBER(0), NUMBER(9)), &rows));
        assert_ok(rows_next(&rows, &more));
        fixture_insert_machine(f, 2);
        assert_err(db_checkpoint(f->db), BUSY);
    }
    assert_ok(db_checkpoint(f->db));
    assert_ok(db_check(f->db));
}

/* STRICT tables and our own writers make this impossible; a hand that has the key does not. */
static void rows_of_a_foreign_shape_are_tampering(void **state)
{
    struct fixture *f = *state;
    const char *const alterations[] = {
        "UPDATE machine SET hostname = hex(zeroblob(200))",
        "UPDATE machine SET role = 'a' || char(0) || 'b'",
        "UPDATE machine SET ek_source = -1",
        "PRAGMA ignore_check_constraints = ON; UPDATE machine SET ek_fingerprint = x'00'",
    };
    fixture_insert_machine(f, 1);
    for (size_t i = 0; i < sizeof alterations / sizeof alterations[0]; i++) {
        struct machine untouched = {.status = 99};
        fixture_close(f);
        fixture_tamper(f, alterations[i]);
        err_t error = db_open(f->path, f->key, FIXTURE_NOW_MS, &f->db);
        if (IS_OK(error)) {
            error = machine_by_id(f->db, sample_machine(1).machine_id, &untouched);
        }
        assert_err(error, DB_TAMPERED);
        assert_int_equal(untouched.status, 99);
        fixture_close(f);
        fixture_tamper(f, "UPDATE machine SET hostname = '', role = '', ek_source = 1");
    }
}

static void rolled_back_batch_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct machine m = sample_machine(1);
    struct ek_record ek = sample_ek(1);
    uint64_t pending = 9;
    assert_ok(db_begin(f->db));
    assert_ok(machine_insert(f->db, &m, &ek));
    db_rollback(f->db);
    assert_err(machine_by_id(f->db, m.machine_id, &m), MACHINE_UNKNOWN);
    assert_ok(machine_count_pending(f->db, &pending));
    assert_int_equal(pending, 0);
}

static void rolled_back_savepoint_leaves_the_other_requests(void **state)
{
    struct fixture *f = *state;
    struct machine found;
    assert_ok(db_begin(f->db));
    for (unsigned n = 1; n <= 3; n++) {
        struct machine m = sample_machine(n);
        struct ek_record ek = sample_ek(n);
        assert_ok(db_savepoint(f->db));
        assert_ok(machine_insert(f->db, &m, &ek));
        assert_ok(n == 2 ? db_rollback_to(f->db) : db_release(f->db));
    }
    assert_ok(db_commit(f->db));
    assert_ok(machine_by_id(f->db, sample_machine(1).machine_id, &found));
    assert_err(machine_by_id(f->db, sample_machine(2).machine_id, &found), MACHINE_UNKNOWN);
    assert_ok(machine_by_id(f->db, sample_machine(3).machine_id, &found));
    uint64_t pending = 0;
    assert_ok(machine_count_pending(f->db, &pending));
    assert_int_equal(pending, 2);
}

static void refused_statement_leaves_the_batch_usable(void **state)
{
    struct fixture *f = *state;
    struct machine m = sample_machine(1);
    struct ek_record ek = sample_ek(1);
    assert_ok(db_begin(f->db));
    assert_ok(machine_insert(f->db, &m, &ek));
    assert_ok(db_savepoint(f->db));
    assert_err(machine_insert(f->db, &m, &ek), DB_CONFLICT);
    assert_ok(db_release(f->db));
    assert_ok(db_commit(f->db));
    assert_ok(machine_by_id(f->db, m.machine_id, &m));
}

static void batches_and_savepoints_out_of_order_are_bugs(void **state)
{
    struct fixture *f = *state;
    assert_err(db_commit(f->db), BUG);
    assert_err(db_savepoint(f->db), BUG);
    assert_err(db_release(f->db), BUG);
    assert_err(db_rollback_to(f->db), BUG);
    assert_ok(db_begin(f->db));
    assert_err(db_begin(f->db), BUG);
    assert_err(db_checkpoint(f->db), BUG);
    assert_ok(db_savepoint(f->db));
    assert_err(db_savepoint(f->db), BUG);
    assert_err(db_commit(f->db), BUG); /* and the batch is gone */
    assert_ok(db_begin(f->db));
    assert_ok(db_commit(f->db));
}

static void checkpoint_empties_the_write_ahead_log(void **state)
{
    struct fixture *f = *state;
    char wal[FIXTURE_PATH_SIZE + 8];
    struct stat status;
    snprintf(wal, sizeof wal, "%s-wal", f->path);
    fixture_insert_machine(f, 1);
    assert_int_equal(stat(wal, &status), 0);
    assert_true(status.st_size > 0);
    assert_ok(db_checkpoint(f->db));
    assert_int_equal(stat(wal, &status), 0);
    assert_int_equal(status.st_size, 0);
}

static void good_database_passes_the_thorough_check(void **state)
{
    struct fixture *f = *state;
    fixture_insert_machine(f, 1);
    fixture_append_audit(f, 100);
    assert_ok(db_exercise(f->db));
    assert_ok(db_check(f->db));
    assert_ok(db_ready(f->db));
}

int main(void)
{
#define OPENED(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)
#define CLOSED(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup_closed, fixture_teardown)
    const struct CMUnitTest tests[] = {
        OPENED(database_is_created_for_its_owner_only),
        OPENED(database_file_holds_no_plain_text),
        OPENED(what_was_committed_is_there_after_reopening),
        OPENED(wrong_key_is_refused),
        OPENED(key_of_another_length_is_refused),
        CLOSED(plain_database_is_refused),
        CLOSED(empty_file_is_refused_and_kept),
        CLOSED(lone_write_ahead_log_is_refused),
        CLOSED(half_made_database_of_an_interrupted_start_is_made_anew),
        OPENED(newer_database_is_refused_unchanged),
        OPENED(foreign_application_is_refused),
        OPENED(altered_schema_is_refused),
        OPENED(clock_before_the_last_row_is_refused_at_start),
        CLOSED(missing_folder_and_missing_file_are_errors),
        OPENED(readonly_database_sees_the_writer_and_writes_nothing),
        OPENED(writing_outside_a_batch_is_a_bug),
        OPENED(batch_of_another_writer_is_waited_for_in_vain),
        OPENED(checkpoint_behind_a_reader_is_refused_and_harmless),
        OPENED(rows_of_a_foreign_shape_are_tampering),
        OPENED(rolled_back_batch_leaves_nothing),
        OPENED(rolled_back_savepoint_leaves_the_other_requests),
        OPENED(refused_statement_leaves_the_batch_usable),
        OPENED(batches_and_savepoints_out_of_order_are_bugs),
        OPENED(checkpoint_empties_the_write_ahead_log),
        OPENED(good_database_passes_the_thorough_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
