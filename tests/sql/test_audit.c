#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "base/text.h"

static void assert_hex(const uint8_t *bytes, const char *hex)
{
    char text[HEX_TEXT_SIZE(AUDIT_HASH_BYTES)];
    hex_encode(view_of(bytes, AUDIT_HASH_BYTES), text);
    assert_string_equal(text, hex);
}

/* Computed with another program from the description in audit.h. */
static void chain_is_what_the_header_says(void **state)
{
    struct fixture *f = *state;
    struct audit_tail tail;
    struct audit_row first = {
        .action = "attest",
        .actor = "node",
        .prev_state = "",
        .new_state = "attested",
        .detail = "{\"a\":1}",
        .source_ip = "192.0.2.1",
        .time_ms = FIXTURE_NOW_MS,
    };
    struct audit_row second = {
        .action = "lock",
        .actor = "https://idp.example|\xc3\xa5lice",
        .machine_id = "m-1",
        .prev_state = "attested",
        .new_state = "locked",
        .reason = "why",
        .time_ms = FIXTURE_NOW_MS + 1,
    };
    assert_ok(audit_tail(f->db, &tail));
    assert_int_equal(tail.seq, 0);
    assert_int_equal(tail.time_ms, 0);
    assert_hex(tail.hash, "f236b5516ecf292a2e6f3c1d8f1aa494ab5f2f04c7093d98babc1ec229dad645"
                          "20c2e967a45a9659b7fbcf2be18bee13");
    IN_BATCH(f, {
        assert_ok(audit_append(f->db, &first));
        assert_ok(audit_tail(f->db, &tail));
        assert_hex(tail.hash, "d428916a92f1168e6b7f4ef03a19bc18abe81cd527709fe8c88652bc7631da20"
                              "20384ffe870dbae552fb7c6cc22b8612");
        assert_ok(audit_append(f->db, &second));
    });
    assert_ok(audit_tail(f->db, &tail));
    assert_int_equal(tail.seq, 2);
    assert_int_equal(tail.time_ms, FIXTURE_NOW_MS + 1);
    assert_hex(tail.hash, "b05a5d0f5e48fcd9ccac200a1f7292599bae9b0f0f5683b8ca88130b63512ebc"
                          "7d103cf7baf1ffb65defacc902bb6559");
}

static struct audit_verdict verify(struct fixture *f, uint64_t from, uint64_t max)
{
    struct audit_verdict verdict;
    memset(&verdict, 0xff, sizeof verdict);
    assert_ok(audit_verify(f->db, from, max, &verdict));
    return verdict;
}

static void assert_bad(struct fixture *f, uint64_t seq, const char *problem)
{
    struct audit_verdict verdict = verify(f, 1, UINT64_MAX);
    assert_false(verdict.valid);
    assert_int_equal(verdict.first_bad_seq, seq);
    assert_string_equal(verdict.problem, problem);
    assert_int_equal(verdict.last_seq, seq - 1);
    assert_int_equal(verdict.rows, seq - 1);
}

static void sign_head(struct fixture *f)
{
    struct audit_tail tail;
    assert_ok(audit_tail(f->db, &tail));
    struct audit_head head = {
        .seq = tail.seq, .time_ms = tail.time_ms, .signature = {0x30, 1, 2}, .signature_len = 3};
    memcpy(head.hash, tail.hash, sizeof head.hash);
    IN_BATCH(f, assert_ok(audit_head_put(f->db, &head)));
}

static void tamper(struct fixture *f, const char *sql)
{
    fixture_close(f);
    fixture_tamper_audit(f, sql);
    fixture_open(f);
}

static void good_chain_verifies(void **state)
{
    struct fixture *f = *state;
    struct audit_tail tail;
    struct audit_verdict empty = verify(f, 1, 100);
    assert_true(empty.valid);
    assert_true(empty.complete);
    assert_int_equal(empty.rows, 0);
    fixture_append_audit(f, 50);
    sign_head(f);
    fixture_append_audit(f, 50);
    assert_ok(audit_tail(f->db, &tail));
    struct audit_verdict verdict = verify(f, 1, UINT64_MAX);
    assert_true(verdict.valid);
    assert_true(verdict.complete);
    assert_int_equal(verdict.rows, 100);
    assert_int_equal(verdict.last_seq, 100);
    assert_int_equal(verdict.first_bad_seq, 0);
    assert_memory_equal(verdict.last_hash, tail.hash, sizeof tail.hash);
    assert_string_equal(verdict.problem, "");
}

static void chain_verifies_in_slices(void **state)
{
    struct fixture *f = *state;
    uint64_t next = 1;
    unsigned slices = 0;
    struct audit_verdict verdict;
    fixture_append_audit(f, 100);
    sign_head(f);
    do {
        verdict = verify(f, next, 33);
        assert_true(verdict.valid);
        assert_int_equal(verdict.rows, next == 100 ? 1 : 33);
        next = verdict.last_seq + 1;
        slices++;
    } while (!verdict.complete);
    assert_int_equal(slices, 4);
    assert_int_equal(next, 101);
}

/* A slice that ends exactly at the end knows that it does. */
static void slice_that_ends_with_the_log_is_complete(void **state)
{
    struct fixture *f = *state;
    fixture_append_audit(f, 10);
    assert_true(verify(f, 1, 10).complete);
    assert_false(verify(f, 1, 9).complete);
    struct audit_verdict beyond = verify(f, 11, 5);
    assert_true(beyond.valid);
    assert_true(beyond.complete);
    assert_int_equal(beyond.rows, 0);
    struct audit_verdict nowhere = verify(f, 12, 5);
    assert_false(nowhere.valid);
    assert_int_equal(nowhere.first_bad_seq, 11);
}

static void edited_row_is_named(void **state)
{
    struct fixture *f = *state;
    const char *const edits[] = {
        "UPDATE audit SET actor = 'https://idp.example|mallory' WHERE seq = 7",
        "UPDATE audit SET action = action || ' ' WHERE seq = 7",
        "UPDATE audit SET machine_id = NULL WHERE seq = 7",
        "UPDATE audit SET prev_state = 'attested', new_state = 'registered' WHERE seq = 7",
        "UPDATE audit SET reason = '' WHERE seq = 7",
        "UPDATE audit SET detail = NULL, reason = detail WHERE seq = 7",
        "UPDATE audit SET source_ip = '192.0.2.2' WHERE seq = 7",
        "UPDATE audit SET time_ms = time_ms + 1 WHERE seq = 7",
        "UPDATE audit SET detail = hex(zeroblob(4000)) WHERE seq = 7",
        "UPDATE audit SET entry_hash = zeroblob(48) WHERE seq = 7",
    };
    fixture_append_audit(f, 20);
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        char copy[FIXTURE_PATH_SIZE + 8];
        snprintf(copy, sizeof copy, "%s.good", f->path);
        fixture_close(f);
        fixture_copy_file(f->path, copy);
        fixture_open(f);
        tamper(f, edits[i]);
        assert_bad(f, 7, "Row 7: entry_hash is not the hash of its content.");
        fixture_close(f);
        assert_int_equal(rename(copy, f->path), 0);
        fixture_open(f);
    }
    assert_true(verify(f, 1, 100).valid);
}

static void edited_link_is_named(void **state)
{
    struct fixture *f = *state;
    fixture_append_audit(f, 20);
    tamper(f, "UPDATE audit SET prev_hash = zeroblob(48) WHERE seq = 9");
    assert_bad(f, 9, "Row 9: prev_hash is not the hash of the row before.");
}

static void first_row_is_tied_to_the_genesis(void **state)
{
    struct fixture *f = *state;
    fixture_append_audit(f, 3);
    tamper(f, "DELETE FROM audit WHERE seq = 1; UPDATE audit SET seq = seq - 1");
    assert_bad(f, 1, "Row 1: prev_hash is not the hash of the row before.");
}

static void missing_row_is_named(void **state)
{
    struct fixture *f = *state;
    fixture_append_audit(f, 20);
    tamper(f, "DELETE FROM audit WHERE seq = 5");
    assert_bad(f, 5, "Row 5: it is missing.");
}

static void reordered_rows_are_named(void **state)
{
    struct fixture *f = *state;
    fixture_append_audit(f, 20);
    tamper(f, "UPDATE audit SET seq = 1000 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 6;"
              "UPDATE audit SET seq = 6 WHERE seq = 1000");
    assert_bad(f, 5, "Row 5: prev_hash is not the hash of the row before.");
}

static void truncation_below_the_signed_head_is_found(void **state)
{
    struct fixture *f = *state;
    fixture_append_audit(f, 20);
    sign_head(f);
    tamper(f, "DELETE FROM audit WHERE seq > 15");
    assert_bad(f, 16,
               "Row 16: it is missing, and so is all up to a row that the audit key signed.");
}

static void truncation_to_nothing_is_found(void **state)
{
    struct fixture *f = *state;
    fixture_append_audit(f, 20);
    sign_head(f);
    tamper(f, "DELETE FROM audit");
    assert_bad(f, 1, "Row 1: it is missing, and so is all up to a row that the audit key signed.");
}

/* Who holds the database key can recompute the whole chain, but not the head's signature. */
static void recomputed_fork_differs_from_the_signed_head(void **state)
{
    struct fixture *f = *state;
    struct audit_row other = {
        .action = "nothing happened", .actor = "mallory", .time_ms = FIXTURE_NOW_MS * 2};
    fixture_append_audit(f, 20);
    sign_head(f);
    tamper(f, "DELETE FROM audit WHERE seq >= 20");
    IN_BATCH(f, {
        assert_ok(audit_append(f->db, &other));
        assert_ok(audit_append(f->db, &other));
    });
    assert_bad(f, 20, "Row 20: it is not the row that the audit key signed.");
}

static void slice_before_the_damage_is_good(void **state)
{
    struct fixture *f = *state;
    fixture_append_audit(f, 20);
    tamper(f, "UPDATE audit SET actor = 'x' WHERE seq = 15");
    assert_true(verify(f, 1, 14).valid);
    assert_false(verify(f, 10, 10).valid);
    /* Row 15 is taken as good when asked to start behind it, and row 16 still ties to its hash. */
    assert_true(verify(f, 16, 10).valid);
}

static void rows_refuse_updates_and_deletions(void **state)
{
    struct fixture *f = *state;
    fixture_append_audit(f, 3);
    sign_head(f);
    fixture_close(f);
    assert_int_equal(fixture_try_tamper(f, "UPDATE audit SET actor = 'x' WHERE seq = 2"),
                     SQLITE_CONSTRAINT);
    assert_int_equal(fixture_try_tamper(f, "DELETE FROM audit"), SQLITE_CONSTRAINT);
    assert_int_equal(fixture_try_tamper(f, "UPDATE audit_head SET time_ms = 0"), SQLITE_CONSTRAINT);
    fixture_open(f);
    assert_int_equal(verify(f, 1, 10).rows, 3);
}

static void time_never_runs_backwards(void **state)
{
    struct fixture *f = *state;
    struct audit_tail tail;
    struct audit_row row = {.action = "a", .actor = "b", .time_ms = FIXTURE_NOW_MS};
    IN_BATCH(f, {
        assert_ok(audit_append(f->db, &row));
        row.time_ms = FIXTURE_NOW_MS - AUDIT_CLOCK_TOLERANCE_MS;
        assert_ok(audit_append(f->db, &row));
        row.time_ms--;
        assert_err(audit_append(f->db, &row), CLOCK_BACKWARDS);
    });
    assert_ok(audit_tail(f->db, &tail));
    assert_int_equal(tail.seq, 2);
    assert_int_equal(tail.time_ms, FIXTURE_NOW_MS);
    assert_true(verify(f, 1, 10).valid);
    assert_int_equal(verify(f, 1, 10).rows, 2);
}

static void texts_beyond_their_limits_are_refused(void **state)
{
    struct fixture *f = *state;
    static char text[AUDIT_DETAIL_MAX_BYTES + 2];
    struct audit_row row = {.action = "a", .actor = "b", .time_ms = FIXTURE_NOW_MS};
    memset(text, 'x', sizeof text - 1);
    row.detail = text + 1;
    row.reason = text + sizeof text - 1 - AUDIT_REASON_MAX_BYTES;
    row.actor = text + sizeof text - 1 - AUDIT_ACTOR_MAX_BYTES;
    row.action = row.machine_id = row.prev_state = row.new_state = row.source_ip =
        text + sizeof text - 1 - AUDIT_NAME_MAX_BYTES;
    IN_BATCH(f, assert_ok(audit_append(f->db, &row)));
    struct audit_row longer = row;
    longer.detail = text;
    IN_BATCH(f, assert_err(audit_append(f->db, &longer), TOO_LONG));
    longer = row;
    longer.action = text;
    IN_BATCH(f, assert_err(audit_append(f->db, &longer), TOO_LONG));
    assert_int_equal(verify(f, 1, 10).rows, 1);
}

static void rolled_back_request_leaves_no_gap(void **state)
{
    struct fixture *f = *state;
    struct audit_row row = {.action = "a", .actor = "b", .time_ms = FIXTURE_NOW_MS};
    IN_BATCH(f, {
        for (int i = 0; i < 5; i++) {
            assert_ok(db_savepoint(f->db));
            assert_ok(audit_append(f->db, &row));
            assert_ok(i % 2 ? db_rollback_to(f->db) : db_release(f->db));
        }
    });
    struct audit_verdict verdict = verify(f, 1, 10);
    assert_true(verdict.valid);
    assert_int_equal(verdict.rows, 3);
}

static void head_is_stored_for_existing_rows_only(void **state)
{
    struct fixture *f = *state;
    struct audit_head head = {.seq = 1, .signature_len = 1};
    struct audit_head found;
    struct audit_tail tail;
    assert_err(audit_head_last(f->db, &found), NOT_FOUND);
    IN_BATCH(f, assert_err(audit_head_put(f->db, &head), AUDIT_BROKEN));
    fixture_append_audit(f, 2);
    IN_BATCH(f, assert_err(audit_head_put(f->db, &head), AUDIT_BROKEN));
    head.seq = 0;
    IN_BATCH(f, assert_err(audit_head_put(f->db, &head), BUG));
    sign_head(f);
    assert_ok(audit_tail(f->db, &tail));
    assert_ok(audit_head_last(f->db, &found));
    assert_int_equal(found.seq, 2);
    assert_memory_equal(found.hash, tail.hash, sizeof tail.hash);
    assert_int_equal(found.signature_len, 3);
    assert_int_equal(found.signature[0], 0x30);
    IN_BATCH(f, assert_err(audit_head_put(f->db, &found), DB_CONFLICT));
}

static void old_heads_are_dropped(void **state)
{
    struct fixture *f = *state;
    enum { HEADS = AUDIT_HEADS_KEPT + 5 };
    fixture_append_audit(f, HEADS);
    fixture_close(f);
    fixture_tamper_audit(f,
                         "INSERT INTO audit_head SELECT seq, entry_hash, time_ms, x'30' FROM audit "
                         "WHERE seq < (SELECT MAX(seq) FROM audit)");
    fixture_open(f);
    sign_head(f);
    fixture_close(f);
    fixture_tamper(f, "CREATE TEMP TABLE proof (n INTEGER CHECK (n = 4096));"
                      "INSERT INTO proof SELECT COUNT(*) FROM audit_head;");
    fixture_open(f);
    assert_true(verify(f, 1, UINT64_MAX).valid);
}

struct listed {
    unsigned count;
    uint64_t seqs[64];
    char detail[64];
    bool has_reason;
};

static err_t collect(void *context, const struct audit_entry *entry)
{
    struct listed *listed = context;
    listed->seqs[listed->count++] = entry->seq;
    snprintf(listed->detail, sizeof listed->detail, "%s", entry->row.detail);
    listed->has_reason = entry->row.reason != NULL;
    return OK;
}

static struct listed list(struct fixture *f, const char *machine_id, const char *action,
                          uint64_t before, uint32_t limit)
{
    struct listed listed = {0};
    struct audit_filter filter = {machine_id, action};
    assert_ok(audit_list(f->db, &filter, before, limit, collect, &listed));
    return listed;
}

static void listing_is_newest_first_and_filters(void **state)
{
    struct fixture *f = *state;
    fixture_append_audit(f, 12); /* even seq: approve; machines 0, 1, 2 in turn */
    struct listed newest = list(f, NULL, "", 0, 3);
    assert_int_equal(newest.count, 3);
    assert_int_equal(newest.seqs[0], 12);
    assert_int_equal(newest.seqs[2], 10);
    assert_string_equal(newest.detail, "{\"pcr\":\"ok\"}");
    assert_false(newest.has_reason);
    struct listed next = list(f, "", NULL, newest.seqs[2], 100);
    assert_int_equal(next.count, 9);
    assert_int_equal(next.seqs[0], 9);
    struct listed machine = list(f, sample_machine(1).machine_id, NULL, 0, 100);
    assert_int_equal(machine.count, 4);
    assert_int_equal(machine.seqs[0], 11);
    struct listed action = list(f, NULL, "approve", 0, 100);
    assert_int_equal(action.count, 6);
    struct listed both = list(f, sample_machine(1).machine_id, "approve", 11, 100);
    assert_int_equal(both.count, 2);
    assert_int_equal(both.seqs[0], 8);
    assert_int_equal(both.seqs[1], 2);
    assert_int_equal(list(f, NULL, "unknown", 0, 100).count, 0);
}

static void export_is_oldest_first(void **state)
{
    struct fixture *f = *state;
    struct listed listed = {0};
    fixture_append_audit(f, 12);
    assert_ok(audit_export(f->db, 4, 3, collect, &listed));
    assert_int_equal(listed.count, 3);
    assert_int_equal(listed.seqs[0], 5);
    assert_int_equal(listed.seqs[2], 7);
}

static void reader_verifies_while_the_writer_appends(void **state)
{
    struct fixture *f = *state;
    AUTO(db) reader = NULL;
    struct audit_verdict verdict;
    fixture_append_audit(f, 10);
    assert_ok(db_open_readonly(f->path, f->key, &reader));
    for (int i = 1; i <= 5; i++) {
        sign_head(f);
        assert_ok(audit_verify(reader, 1, UINT64_MAX, &verdict));
        assert_true(verdict.valid);
        assert_int_equal(verdict.rows, 10 * i);
        fixture_append_audit(f, 10);
    }
}

int main(void)
{
#define TEST(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(chain_is_what_the_header_says),
        TEST(good_chain_verifies),
        TEST(chain_verifies_in_slices),
        TEST(slice_that_ends_with_the_log_is_complete),
        TEST(edited_row_is_named),
        TEST(edited_link_is_named),
        TEST(first_row_is_tied_to_the_genesis),
        TEST(missing_row_is_named),
        TEST(reordered_rows_are_named),
        TEST(truncation_below_the_signed_head_is_found),
        TEST(truncation_to_nothing_is_found),
        TEST(recomputed_fork_differs_from_the_signed_head),
        TEST(slice_before_the_damage_is_good),
        TEST(rows_refuse_updates_and_deletions),
        TEST(time_never_runs_backwards),
        TEST(texts_beyond_their_limits_are_refused),
        TEST(rolled_back_request_leaves_no_gap),
        TEST(head_is_stored_for_existing_rows_only),
        TEST(old_heads_are_dropped),
        TEST(listing_is_newest_first_and_filters),
        TEST(export_is_oldest_first),
        TEST(reader_verifies_while_the_writer_appends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
