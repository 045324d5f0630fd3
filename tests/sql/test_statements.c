/* Every statement is answered from an index, so that a fleet of a million is served like one of
 * a thousand; and every released schema can be brought up to date. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "sql/schema.h"
#include "sql/statement.h"

/* The last row of a table by its key; SQLite calls that a scan. */
static bool reads_the_end_only(enum statement id)
{
    return id == STATEMENT_AUDIT_TAIL || id == STATEMENT_HEAD_LAST || id == STATEMENT_HEAD_TRIM;
}

/* Some rows that are sorted: a machine's votes and EKs, and break-glass credentials. */
static bool sorts_a_few(enum statement id)
{
    return id == STATEMENT_VOTE_LIST || id == STATEMENT_VOTE_HISTORY || id == STATEMENT_EK_LIST ||
           id == STATEMENT_CREDENTIAL_LIST_OPEN;
}

static void check_plan(struct db *db, enum statement id)
{
    char sql[4096];
    sqlite3_stmt *plan = NULL;
    snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", statement_text(id));
    for (char *c = sql; *c; c++) {
        *c = *c == '$' ? '?' : *c;
    }
    if (sqlite3_prepare_v2(db->handle, sql, -1, &plan, NULL) != SQLITE_OK) {
        return; /* SAVEPOINT and the like have no plan */
    }
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(plan, 3);
        bool scans = strncmp(step, "SCAN ", 5) == 0 && strcmp(step, "SCAN CONSTANT ROW") != 0;
        if ((scans && !reads_the_end_only(id)) ||
            (strstr(step, "TEMP B-TREE") && !sorts_a_few(id))) {
            fail_msg("%s\n  %s", statement_text(id), step);
        }
    }
    sqlite3_finalize(plan);
}

static void no_statement_scans_a_table(void **state)
{
    struct fixture *f = *state;
    for (int id = 0; id < STATEMENT_COUNT; id++) {
        check_plan(f->db, (enum statement)id);
    }
}

static void statements_number_their_arguments(void **state)
{
    struct fixture *f = *state;
    for (int id = 0; id < STATEMENT_COUNT; id++) {
        int count = sqlite3_bind_parameter_count(f->db->statements[id]);
        for (int i = 1; i <= count; i++) {
            char number[16];
            snprintf(number, sizeof number, "$%d", i);
            assert_non_null(strstr(statement_text((enum statement)id), number));
        }
    }
}

static void statement_with_the_wrong_number_of_arguments_is_a_bug(void **state)
{
    struct fixture *f = *state;
    struct rows rows = ROWS_NONE;
    assert_err(rows_open(f->db, STATEMENT_AUDIT_TAIL, ARGS(NUMBER(1)), &rows), BUG);
    rows_close(&rows);
    assert_err(rows_open(f->db, STATEMENT_MACHINE_BY_ID, NO_ARGS, &rows), BUG);
    rows_close(&rows);
}

/* One connection, one reader of a statement: a callback that lists again would disturb the
 * listing it is called from. */
static void statement_in_use_is_not_started_again(void **state)
{
    struct fixture *f = *state;
    AUTO(rows) first = ROWS_NONE;
    AUTO(rows) second = ROWS_NONE;
    fixture_insert_machine(f, 1);
    assert_ok(rows_open(f->db, STATEMENT_MACHINE_LIST, ARGS(NUMBER(0), NUMBER(9)), &first));
    assert_ok(rows_one(&first, E(MACHINE_UNKNOWN)));
    assert_err(rows_open(f->db, STATEMENT_MACHINE_LIST, ARGS(NUMBER(0), NUMBER(9)), &second), BUG);
}

/* A database as release `version` left it. */
static void make_version(struct fixture *f, int version)
{
    char stamp[96];
    for (int i = 0; i < version; i++) {
        fixture_tamper(f, SCHEMA_MIGRATIONS[i]);
    }
    snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             SCHEMA_APPLICATION_ID, version);
    fixture_tamper(f, stamp);
}

static void every_released_version_is_brought_up_to_date(void **state)
{
    struct fixture *f = *state;
    for (int version = 1; version <= SCHEMA_VERSION; version++) {
        make_version(f, version);
        fixture_open(f);
        fixture_insert_machine(f, 1);
        fixture_append_audit(f, 3);
        assert_ok(db_check(f->db));
        fixture_close(f);
        assert_int_equal(remove(f->path), 0);
    }
}

/* Before version 5 a machine had one EK, from its registration on, and tokens named none. */
static void ek_of_an_older_release_is_dated_by_its_registration(void **state)
{
    struct fixture *f = *state;
    struct machine m;
    struct ek_summary eks[MACHINE_EKS_MAX];
    size_t count = 0;
    make_version(f, 4);
    fixture_tamper(f, "INSERT INTO machine VALUES (1, '00000001-0000-4000-8000-000000000000',"
                      " zeroblob(48), zeroblob(32), 1, '', '', '', '', 'worker-app', '', 2, 0, '',"
                      " '', '', '', 4711, 0, 0, 0, 0, '', '', '', '', 0, 0, 0, 0);"
                      "INSERT INTO ek VALUES (zeroblob(48), '00000001-0000-4000-8000-000000000000',"
                      " 1, 1);"
                      "INSERT INTO config_token VALUES (zeroblob(48),"
                      " '00000001-0000-4000-8000-000000000000', 4102444800000, 0)");
    fixture_open(f);
    assert_ok(machine_by_id(f->db, "00000001-0000-4000-8000-000000000000", &m));
    assert_ok(ek_list(f->db, m.machine_id, eks, &count));
    assert_int_equal(count, 1);
    assert_string_equal(eks[0].fingerprint, m.ek_fingerprint);
    assert_int_equal(eks[0].since_ms, 4711);
    struct config_token_found token;
    assert_ok(
        config_token_find(f->db, (const uint8_t[TOKEN_HASH_BYTES]){0}, FIXTURE_NOW_MS, &token));
    assert_string_equal(token.ek_fingerprint, "");
    assert_ok(db_check(f->db));
}

static void migration_that_fails_leaves_the_old_version(void **state)
{
    struct fixture *f = *state;
    fixture_tamper(f, "CREATE TABLE tally (name TEXT); CREATE TABLE vote (x)");
    assert_int_not_equal(db_open(f->path, f->key, FIXTURE_NOW_MS, &f->db).code, ERR_CODE_NONE);
    assert_null(f->db);
    /* Neither a table of the migration nor its stamp is there. */
    fixture_tamper(f, "CREATE TABLE machine (x); CREATE TEMP TABLE proof (n CHECK (n = 0));"
                      "INSERT INTO proof SELECT user_version FROM pragma_user_version");
}

int main(void)
{
#define OPENED(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)
#define CLOSED(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup_closed, fixture_teardown)
    const struct CMUnitTest tests[] = {
        OPENED(no_statement_scans_a_table),
        OPENED(statements_number_their_arguments),
        OPENED(statement_with_the_wrong_number_of_arguments_is_a_bug),
        OPENED(statement_in_use_is_not_started_again),
        CLOSED(every_released_version_is_brought_up_to_date),
        CLOSED(ek_of_an_older_release_is_dated_by_its_registration),
        CLOSED(migration_that_fails_leaves_the_old_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
