#include "fixture.h"

#include <string.h>

#include "crypto/digest.h"
#include "sql/stored_logs.h"
#include "sql/policies.h"

static struct stored_policy sample_policy(const char *text)
{
    struct stored_policy p = {.name = "talos",
                              .version = 4,
                              .author = "SYSTEM",
                              .comment = "new dbx",
                              .created_ms = FIXTURE_NOW_MS};
    assert_ok(sha384(view_text(text), p.sha384));
    return p;
}

static uint64_t put(struct fixture *f, const char *text)
{
    struct stored_policy p = sample_policy(text);
    uint64_t number = 0;
    IN_BATCH(f, assert_ok(policy_store_put(f->db, &p, view_text(text), &number)));
    return number;
}

static void activate(struct fixture *f, uint64_t number, uint64_t now_ms)
{
    IN_BATCH(f, assert_ok(policy_store_activate(f->db, number, now_ms)));
}

static void policy_reads_back_with_its_text(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) text = NULL;
    struct stored_policy p;
    assert_int_equal(put(f, "first"), 1);
    assert_int_equal(put(f, "second"), 2);
    assert_ok(buf_new(POLICY_TEXT_MAX_BYTES, &text));
    assert_ok(policy_store_get(f->db, 2, &p, text));
    assert_int_equal(text->len, 6);
    assert_memory_equal(text->data, "second", 6);
    assert_string_equal(p.name, "talos");
    assert_string_equal(p.author, "SYSTEM");
    assert_string_equal(p.comment, "new dbx");
    assert_int_equal(p.version, 4);
    assert_int_equal(p.created_ms, FIXTURE_NOW_MS);
    assert_int_equal(p.activated_ms, 0);
    assert_false(p.active);
    assert_err(policy_store_get(f->db, 3, &p, text), POLICY_VERSION);
}

static void same_text_again_is_refused_and_named(void **state)
{
    struct fixture *f = *state;
    struct stored_policy p = sample_policy("first");
    uint64_t number = 0;
    put(f, "first");
    put(f, "second");
    IN_BATCH(f, assert_err(policy_store_put(f->db, &p, view_text("first"), &number), DB_CONFLICT));
    assert_int_equal(number, 1);
}

static void nothing_is_in_force_before_the_first_activation(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) text = NULL;
    struct stored_policy p;
    uint64_t number;
    put(f, "first");
    assert_ok(buf_new(POLICY_TEXT_MAX_BYTES, &text));
    assert_err(policy_store_active(f->db, &p, text), POLICY_VERSION);
    assert_err(policy_store_previous(f->db, &number), POLICY_VERSION);
    IN_BATCH(f, assert_err(policy_store_activate(f->db, 9, FIXTURE_NOW_MS), POLICY_VERSION));
}

static void last_activation_is_in_force_and_the_one_before_is_kept(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) text = NULL;
    struct stored_policy p;
    uint64_t number;
    put(f, "first");
    put(f, "second");
    activate(f, 1, FIXTURE_NOW_MS);
    assert_err(policy_store_previous(f->db, &number), POLICY_VERSION);
    activate(f, 2, FIXTURE_NOW_MS + 5);
    IN_BATCH(f, assert_err(policy_store_activate(f->db, 2, FIXTURE_NOW_MS + 6), DB_CONFLICT));
    assert_ok(policy_store_previous(f->db, &number));
    assert_int_equal(number, 1);
    activate(f, number, FIXTURE_NOW_MS + 9);
    assert_ok(buf_new(POLICY_TEXT_MAX_BYTES, &text));
    assert_ok(policy_store_active(f->db, &p, text));
    assert_int_equal(p.number, 1);
    assert_int_equal(p.activated_ms, FIXTURE_NOW_MS + 9);
    assert_true(p.active);
}

struct seen {
    unsigned count;
    uint64_t numbers[8];
    uint64_t active;
};

static err_t see(void *context, const struct stored_policy *policy)
{
    struct seen *seen = context;
    seen->numbers[seen->count++] = policy->number;
    seen->active = policy->active ? policy->number : seen->active;
    return OK;
}

static void policies_are_listed_newest_first_in_pages(void **state)
{
    struct fixture *f = *state;
    struct seen seen = {0};
    put(f, "1");
    put(f, "2");
    put(f, "3");
    activate(f, 2, FIXTURE_NOW_MS);
    assert_ok(policy_store_list(f->db, 0, 2, see, &seen));
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.numbers[0], 3);
    assert_int_equal(seen.active, 2);
    assert_ok(policy_store_list(f->db, seen.numbers[1], 2, see, &seen));
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.numbers[2], 1);
}

static void stored_policies_and_activations_are_never_changed(void **state)
{
    struct fixture *f = *state;
    put(f, "1");
    activate(f, 1, FIXTURE_NOW_MS);
    fixture_close(f);
    assert_int_not_equal(fixture_try_tamper(f, "UPDATE policy SET text = x'00'"), 0);
    assert_int_not_equal(fixture_try_tamper(f, "DELETE FROM policy_activation"), 0);
    assert_int_not_equal(fixture_try_tamper(f, "UPDATE policy_activation SET number = 1"), 0);
    assert_int_not_equal(fixture_try_tamper(f, "DELETE FROM policy"), 0);
    fixture_open(f);
}

static void one_shot_exception_is_spent_by_one_machine_until_it_expires(void **state)
{
    struct fixture *f = *state;
    struct spent_exception spent[SPENT_LISTED_MAX];
    size_t count = 9;
    const char *one = "00000001-0000-4000-8000-000000000000";
    const char *two = "00000002-0000-4000-8000-000000000000";
    uint64_t end = FIXTURE_NOW_MS + 1000;
    fixture_insert_machine(f, 1);
    fixture_insert_machine(f, 2);
    IN_BATCH(f, {
        assert_ok(spent_exception_put(f->db, one, "dbx", end, FIXTURE_NOW_MS));
        assert_ok(spent_exception_put(f->db, one, "dbx", end, FIXTURE_NOW_MS));
        assert_err(spent_exception_put(f->db, "nobody", "dbx", end, 1), MACHINE_UNKNOWN);
    });
    assert_ok(spent_exception_list(f->db, one, end - 1, spent, &count));
    assert_int_equal(count, 1);
    assert_string_equal(spent[0].rule, "dbx");
    assert_int_equal(spent[0].expires_ms, end);
    assert_ok(spent_exception_list(f->db, one, end, spent, &count));
    assert_int_equal(count, 0);
    assert_ok(spent_exception_list(f->db, two, FIXTURE_NOW_MS, spent, &count));
    assert_int_equal(count, 0);
}

static void put_log(struct fixture *f, enum stored_log_kind kind, const char *log)
{
    uint8_t digest[STORED_LOG_SHA384_BYTES];
    assert_ok(sha384(view_text(log), digest));
    IN_BATCH(f, assert_ok(stored_log_put(f->db, "00000001-0000-4000-8000-000000000000", kind, digest,
                                        view_text(log), FIXTURE_NOW_MS)));
}

static void event_logs_are_kept_one_of_each_kind(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) log = NULL;
    uint8_t digest[STORED_LOG_SHA384_BYTES];
    uint8_t expected[STORED_LOG_SHA384_BYTES];
    const char *id = "00000001-0000-4000-8000-000000000000";
    fixture_insert_machine(f, 1);
    assert_ok(buf_new(STORED_LOG_MAX_BYTES, &log));
    assert_err(stored_log_get(f->db, id, STORED_LOG_LAST, log), NOT_FOUND);
    put_log(f, STORED_LOG_LAST, "old");
    put_log(f, STORED_LOG_ACCEPTED, "accepted");
    put_log(f, STORED_LOG_LAST, "new");
    put_log(f, STORED_LOG_LAST, "new");
    assert_ok(stored_log_get(f->db, id, STORED_LOG_LAST, log));
    assert_ok(stored_log_get(f->db, id, STORED_LOG_ACCEPTED, log));
    assert_int_equal(log->len, 11);
    assert_memory_equal(log->data, "newaccepted", 11);
    assert_ok(sha384(view_text("new"), expected));
    assert_ok(stored_log_digest(f->db, id, STORED_LOG_LAST, digest));
    assert_memory_equal(digest, expected, sizeof digest);
}

static void event_log_of_nobody_or_over_the_limit_is_refused_and_goes_with_its_machine(void **state)
{
    struct fixture *f = *state;
    static uint8_t big[STORED_LOG_MAX_BYTES + 1];
    const uint8_t digest[STORED_LOG_SHA384_BYTES] = {0};
    const char *id = "00000001-0000-4000-8000-000000000000";
    AUTO(buf) log = NULL;
    assert_ok(buf_new(STORED_LOG_MAX_BYTES, &log));
    IN_BATCH(f, {
        assert_err(stored_log_put(f->db, id, STORED_LOG_LAST, digest, view_text("x"), 1), MACHINE_UNKNOWN);
        assert_err(stored_log_put(f->db, id, STORED_LOG_LAST, digest, view_of(big, sizeof big), 1), TOO_LONG);
    });
    fixture_insert_machine(f, 1);
    put_log(f, STORED_LOG_LAST, "log");
    IN_BATCH(f, assert_ok(machine_delete(f->db, id)));
    assert_err(stored_log_get(f->db, id, STORED_LOG_LAST, log), NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(policy_reads_back_with_its_text),
        TEST(same_text_again_is_refused_and_named),
        TEST(nothing_is_in_force_before_the_first_activation),
        TEST(last_activation_is_in_force_and_the_one_before_is_kept),
        TEST(policies_are_listed_newest_first_in_pages),
        TEST(stored_policies_and_activations_are_never_changed),
        TEST(one_shot_exception_is_spent_by_one_machine_until_it_expires),
        TEST(event_logs_are_kept_one_of_each_kind),
        TEST(event_log_of_nobody_or_over_the_limit_is_refused_and_goes_with_its_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
