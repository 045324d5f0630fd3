/* What the sandbox relies on: once opened and exercised, the database opens no file any more. */
#include "fixture.h"

#include <string.h>
#include <sys/resource.h>

enum { BATCHES = 200, ROWS = 64, BIG_BATCH_ROWS = 25000 };

static char big_detail[AUDIT_DETAIL_MAX_BYTES + 1];

static void append(struct fixture *f, unsigned rows, const char *detail)
{
    struct audit_row row = {
        .action = "attest", .actor = "node", .detail = detail, .time_ms = FIXTURE_NOW_MS};
    assert_ok(db_begin(f->db));
    for (unsigned i = 0; i < rows; i++) {
        assert_ok(db_savepoint(f->db));
        assert_ok(audit_append(f->db, &row));
        assert_ok(i % 5 ? db_release(f->db) : db_rollback_to(f->db));
    }
    assert_ok(db_commit(f->db));
}

static void forbid_new_descriptors(void)
{
    struct rlimit none = {0};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &none), 0);
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void allow_new_descriptors(void)
{
    struct rlimit all;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    all.rlim_cur = all.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
}

static void exercised_database_opens_no_file(void **state)
{
    struct fixture *f = *state;
    struct audit_verdict verdict;
    struct machine_filter any = {MACHINE_NONE, NULL};
    struct vote votes[VOTES_LISTED_MAX];
    size_t count = 0;
    uint64_t removed = 0;
    memset(big_detail, 'x', sizeof big_detail - 1);
    assert_ok(db_exercise(f->db));
    forbid_new_descriptors();
    for (unsigned i = 0; i < BATCHES; i++) {
        append(f, ROWS, "passes several automatic checkpoints");
    }
    fixture_insert_machine(f, 1);
    IN_BATCH(f, assert_ok(expire_old(f->db, FIXTURE_NOW_MS * 2, 100, &removed)));
    assert_ok(db_begin(f->db));
    db_rollback(f->db);
    append(f, BIG_BATCH_ROWS, big_detail); /* outgrows the cache, and the log its limit */
    assert_ok(db_checkpoint(f->db));
    append(f, ROWS, "after a checkpoint");
    assert_ok(vote_list(f->db, sample_machine(1).machine_id, 0, votes, &count)); /* sorts */
    assert_ok(machine_list(f->db, &any, "", 0, NULL, NULL));
    assert_ok(audit_verify(f->db, 1, UINT64_MAX, &verdict));
    assert_true(verdict.valid);
    IN_BATCH(f, assert_ok(machine_delete(f->db, sample_machine(1).machine_id)));
    assert_ok(db_ready(f->db));
    assert_ok(db_checkpoint(f->db));
    allow_new_descriptors();
}

/* The limit is what makes the test above able to fail. */
static void opening_a_database_needs_descriptors(void **state)
{
    struct fixture *f = *state;
    AUTO(db) db = NULL;
    forbid_new_descriptors();
    assert_int_not_equal(db_open_readonly(f->path, f->key, &db).code, ERR_CODE_NONE);
    allow_new_descriptors();
    assert_ok(db_open_readonly(f->path, f->key, &db));
}

int main(void)
{
#define TEST(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(exercised_database_opens_no_file),
        TEST(opening_a_database_needs_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
