/* Full disks, killed writers, damaged files: nothing acknowledged is lost, nothing half done is
 * seen, damage is named. */
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/base/small_disk.h"

enum { PAGE = 4096, BATCH_ROWS = 8, BIG_BATCH_ROWS = 12000 };

static char big_detail[AUDIT_DETAIL_MAX_BYTES + 1];

static ERRFN append_row(struct db *db, const char *detail)
{
    struct audit_row row = {
        .action = "attest", .actor = "node", .detail = detail, .time_ms = FIXTURE_NOW_MS};
    return audit_append(db, &row);
}

static ERRFN append_batch(struct db *db, int rows, const char *detail)
{
    TRY(db_begin(db));
    for (int i = 0; i < rows; i++) {
        err_t error = append_row(db, detail);
        if (!IS_OK(error)) {
            db_rollback(db);
            return error;
        }
    }
    return db_commit(db);
}

static uint64_t last_seq(struct db *db)
{
    struct audit_tail tail;
    assert_ok(audit_tail(db, &tail));
    return tail.seq;
}

static void assert_chain_good(struct db *db, uint64_t rows)
{
    struct audit_verdict verdict;
    assert_ok(audit_verify(db, 1, UINT64_MAX, &verdict));
    assert_string_equal(verdict.problem, "");
    assert_true(verdict.complete);
    assert_int_equal(verdict.rows, rows);
}

/* -- full disk ------------------------------------------------------------------------------- */

/* No file of this process grows beyond `bytes`. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static rlim_t size_of(const char *path, const char *suffix)
{
    char name[FIXTURE_PATH_SIZE + 8];
    struct stat status;
    snprintf(name, sizeof name, "%s%s", path, suffix);
    assert_int_equal(stat(name, &status), 0);
    return (rlim_t)status.st_size;
}

static void full_disk_at_commit_changes_nothing(void **state)
{
    struct fixture *f = *state;
    assert_ok(append_batch(f->db, BATCH_ROWS, "small"));
    limit_files(size_of(f->path, "-wal") + PAGE);
    for (int i = 0; i < 3; i++) {
        assert_err(append_batch(f->db, 20, big_detail), DB_FULL);
        assert_int_equal(last_seq(f->db), BATCH_ROWS);
    }
    limit_files(RLIM_INFINITY);
    assert_chain_good(f->db, BATCH_ROWS);
    assert_ok(append_batch(f->db, BATCH_ROWS, "small"));
    fixture_close(f);
    fixture_open(f);
    assert_chain_good(f->db, 2 * BATCH_ROWS);
    assert_ok(db_check(f->db));
}

/* A batch that outgrows the page cache meets the full disk before its commit. */
static void full_disk_inside_a_batch_dooms_the_whole_batch(void **state)
{
    struct fixture *f = *state;
    struct machine m = sample_machine(1);
    struct ek_record ek = sample_ek(1);
    err_t error = OK;
    assert_ok(append_batch(f->db, BATCH_ROWS, "small"));
    limit_files(size_of(f->path, "-wal") + PAGE);
    assert_ok(db_begin(f->db));
    assert_ok(db_savepoint(f->db));
    assert_ok(machine_insert(f->db, &m, &ek));
    assert_ok(db_release(f->db));
    assert_ok(db_savepoint(f->db));
    for (int i = 0; i < BIG_BATCH_ROWS && IS_OK(error); i++) {
        error = append_row(f->db, big_detail);
    }
    assert_err(error, DB_FULL);
    limit_files(RLIM_INFINITY);
    /* Room again, but this batch stays lost, whichever way the caller leaves it. */
    assert_err(db_rollback_to(f->db), DB_FULL);
    assert_err(append_row(f->db, "small"), DB_FULL);
    assert_err(db_savepoint(f->db), DB_FULL);
    assert_err(machine_by_id(f->db, m.machine_id, &m), DB_FULL);
    assert_err(db_commit(f->db), DB_FULL);
    assert_err(machine_by_id(f->db, sample_machine(1).machine_id, &m), MACHINE_UNKNOWN);
    assert_chain_good(f->db, BATCH_ROWS);
    assert_ok(append_batch(f->db, BATCH_ROWS, "small"));
    assert_chain_good(f->db, 2 * BATCH_ROWS);
}

static void full_disk_at_creation_leaves_no_database(void **state)
{
    struct fixture *f = *state;
    limit_files(2 * PAGE);
    assert_err(db_open(f->path, f->key, FIXTURE_NOW_MS, &f->db), DB_FULL);
    limit_files(RLIM_INFINITY);
    assert_int_not_equal(access(f->path, F_OK), 0);
    fixture_open(f);
    assert_ok(db_check(f->db));
}

static void full_file_system_fails_batches_until_there_is_room(void **state)
{
    struct fixture *f = *state;
    char filler[FIXTURE_PATH_SIZE + 8];
    uint64_t good = 0;
    err_t error = OK;
    if (!small_disk_mount(f->folder, "size=1m")) {
        skip(); /* the limits above are the same code path; a runner without namespaces can't do
                   more */
    }
    fixture_open(f);
    snprintf(filler, sizeof filler, "%s/filler", f->folder);
    AUTO(fd) fd = open(filler, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(posix_fallocate(fd, 0, 256 * 1024), 0);
    for (int i = 0; i < 1000 && IS_OK(error); i++) {
        error = append_batch(f->db, BATCH_ROWS, big_detail);
        good += IS_OK(error) ? BATCH_ROWS : 0;
    }
    assert_err(error, DB_FULL);
    assert_chain_good(f->db, good);
    assert_err(append_batch(f->db, BATCH_ROWS, big_detail), DB_FULL);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_ok(append_batch(f->db, BATCH_ROWS, big_detail));
    assert_chain_good(f->db, good + BATCH_ROWS);
    assert_ok(db_check(f->db));
    fixture_close(f);
    assert_true(small_disk_unmount(f->folder)); /* the filler is open */
}

/* -- killed writers -------------------------------------------------------------------------- */

/* Commits batches for ever and tells the parent after each. */
static void write_until_killed(struct fixture *f, int tell)
{
    AUTO(db) db = NULL;
    err_t error = db_open(f->path, f->key, FIXTURE_NOW_MS, &db);
    while (IS_OK(error)) {
        error = append_batch(db, BATCH_ROWS, "killed while writing");
        uint64_t seq = IS_OK(error) ? last_seq(db) : 0;
        if (write(tell, &seq, sizeof seq) != sizeof seq) {
            break;
        }
    }
    _exit(1);
}

static void killed_writer_loses_nothing_that_it_acknowledged(void **state)
{
    struct fixture *f = *state;
    uint64_t before = 0;
    for (int round = 1; round <= 6; round++) {
        int ends[2];
        uint64_t told = 0;
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid_t child = fork();
        if (child == 0) {
            write_until_killed(f, ends[1]);
        }
        close(ends[1]);
        for (int i = 0; i < 37 * round; i++) {
            assert_ok(fd_read_full(ends[0], &told, sizeof told));
            assert_int_not_equal(told, 0);
        }
        usleep(300 * (unsigned)round); /* somewhere inside a batch */
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (IS_OK(fd_read_full(ends[0], &told, sizeof told))) {
        }
        close(ends[0]);
        fixture_open(f);
        uint64_t seq = last_seq(f->db);
        assert_true(seq >= told && told > before);
        assert_int_equal(seq % BATCH_ROWS, 0);
        assert_chain_good(f->db, seq);
        assert_ok(db_check(f->db));
        before = seq;
        fixture_close(f);
    }
}

static void write_cut(const char *path, const struct buf *content, size_t len)
{
    assert_ok(fd_write_file_atomic(path, view_of(content->data, len), 0600));
}

/* What power loss leaves: the write-ahead log is there up to some byte. */
static void write_ahead_log_cut_anywhere_gives_whole_batches(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) file = NULL;
    AUTO(buf) log = NULL;
    char wal[FIXTURE_PATH_SIZE + 8];
    char shm[FIXTURE_PATH_SIZE + 8];
    uint64_t seen = 0;
    snprintf(wal, sizeof wal, "%s-wal", f->path);
    snprintf(shm, sizeof shm, "%s-shm", f->path);
    assert_ok(db_checkpoint(f->db));
    for (int i = 0; i < 6; i++) {
        assert_ok(append_batch(f->db, BATCH_ROWS, "cut"));
    }
    assert_ok(fd_read_file(f->path, 1 << 24, &file));
    assert_ok(fd_read_file(wal, 1 << 24, &log));
    fixture_close(f);
    for (size_t len = 0; len <= log->len; len += 1031) {
        write_cut(f->path, file, file->len);
        write_cut(wal, log, len);
        unlink(shm);
        fixture_open(f);
        uint64_t seq = last_seq(f->db);
        assert_int_equal(seq % BATCH_ROWS, 0);
        assert_true(seq >= seen);
        assert_chain_good(f->db, seq);
        fixture_close(f);
        seen = seq;
    }
    assert_true(seen >= 5 * BATCH_ROWS);
}

/* -- damaged files --------------------------------------------------------------------------- */

static void assert_damage_is_found(struct fixture *f)
{
    AUTO(db) db = NULL;
    err_t error = db_open(f->path, f->key, FIXTURE_NOW_MS, &db);
    if (!IS_E(error, DB_KEY)) {
        assert_err(error, DB_TAMPERED);
    }
    assert_null(db);
}

static struct buf *small_database(struct fixture *f)
{
    struct buf *file = NULL;
    fixture_insert_machine(f, 1);
    assert_ok(append_batch(f->db, 40, big_detail));
    fixture_close(f);
    assert_ok(fd_read_file(f->path, 1 << 24, &file));
    return file;
}

static void flipped_bit_in_any_page_is_found(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) file = small_database(f);
    assert_true(file->len > 20 * PAGE);
    for (size_t page = 0; page < file->len / PAGE; page++) {
        size_t at = page * PAGE + (page * 977) % PAGE;
        file->data[at] ^= (uint8_t)(1 << (page % 8));
        write_cut(f->path, file, file->len);
        assert_damage_is_found(f);
        file->data[at] ^= (uint8_t)(1 << (page % 8));
    }
    write_cut(f->path, file, file->len);
    fixture_open(f);
}

static void exchanged_pages_are_found(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) file = small_database(f);
    uint8_t page[PAGE];
    memcpy(page, file->data + 5 * PAGE, PAGE);
    memcpy(file->data + 5 * PAGE, file->data + 6 * PAGE, PAGE);
    memcpy(file->data + 6 * PAGE, page, PAGE);
    write_cut(f->path, file, file->len);
    assert_damage_is_found(f);
}

static void truncated_file_is_found(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) file = small_database(f);
    for (size_t len = 0; len < file->len; len += 3 * PAGE / 2) {
        write_cut(f->path, file, len);
        assert_damage_is_found(f);
    }
}

static void file_of_noise_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t noise[4 * PAGE];
    for (size_t i = 0; i < sizeof noise; i++) {
        noise[i] = (uint8_t)(i * 2654435761U >> 13);
    }
    assert_ok(fd_write_file_atomic(f->path, view_of(noise, sizeof noise), 0600));
    assert_damage_is_found(f);
}

/* A file too big to be looked through at start: the damage is found where it is read. */
static void damage_in_a_big_file_is_found_when_it_is_read(void **state)
{
    struct fixture *f = *state;
    struct audit_verdict verdict;
    assert_ok(append_batch(f->db, BIG_BATCH_ROWS, big_detail));
    fixture_close(f);
    off_t middle = (off_t)(size_of(f->path, "") / 2);
    assert_true(middle > 16 * 1024 * 1024);
    AUTO(fd) fd = open(f->path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "damage", 6, middle), 6);
    fixture_open(f);
    assert_ok(db_ready(f->db));
    assert_err(audit_verify(f->db, 1, UINT64_MAX, &verdict), DB_TAMPERED);
    assert_err(db_check(f->db), DB_TAMPERED);
}

static int ignore_file_limit_signal(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    memset(big_detail, 'x', sizeof big_detail - 1);
    return 0;
}

int main(void)
{
#define OPENED(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)
#define CLOSED(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup_closed, fixture_teardown)
    const struct CMUnitTest tests[] = {
        OPENED(full_disk_at_commit_changes_nothing),
        OPENED(full_disk_inside_a_batch_dooms_the_whole_batch),
        CLOSED(full_disk_at_creation_leaves_no_database),
        CLOSED(full_file_system_fails_batches_until_there_is_room),
        CLOSED(killed_writer_loses_nothing_that_it_acknowledged),
        OPENED(write_ahead_log_cut_anywhere_gives_whole_batches),
        OPENED(flipped_bit_in_any_page_is_found),
        OPENED(exchanged_pages_are_found),
        OPENED(truncated_file_is_found),
        CLOSED(file_of_noise_is_refused),
        OPENED(damage_in_a_big_file_is_found_when_it_is_read),
    };
    return cmocka_run_group_tests(tests, ignore_file_limit_signal, NULL);
}
