/* The inventory of certificates, the revocation list and wipe tokens. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "sql/certificates.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static struct certificate sample_certificate(unsigned n, unsigned machine)
{
    struct certificate c = {.kind = CERTIFICATE_ENROLLMENT,
                            .not_before_ms = FIXTURE_NOW_MS,
                            .not_after_ms = FIXTURE_NOW_MS + DAY_MS};
    sample_bytes(c.serial, sizeof c.serial, n);
    sample_bytes(c.sha256, sizeof c.sha256, n + 1000);
    struct machine m = sample_machine(machine);
    memcpy(c.machine_id, m.machine_id, sizeof c.machine_id);
    snprintf(c.name, sizeof c.name, "urn:itl:ek:%s", m.ek_fingerprint);
    snprintf(c.role, sizeof c.role, "worker-app");
    return c;
}

static void put(struct fixture *f, unsigned n, unsigned machine, enum certificate_kind kind)
{
    struct certificate c = sample_certificate(n, machine);
    c.kind = kind;
    IN_BATCH(f, assert_ok(certificate_put(f->db, &c)));
}

static err_t count_row(void *context, const struct certificate *certificate)
{
    (void)certificate;
    ++*(unsigned *)context;
    return OK;
}

static unsigned count_revoked(struct fixture *f, uint64_t since_ms)
{
    unsigned count = 0;
    assert_ok(certificate_list_revoked(f->db, since_ms, 100, count_row, &count));
    return count;
}

static struct certificate stored(struct fixture *f, unsigned n)
{
    struct certificate found;
    struct certificate wanted = sample_certificate(n, 1);
    assert_ok(certificate_get(f->db, wanted.serial, &found));
    return found;
}

static void stored_certificate_comes_back_as_it_was(void **state)
{
    struct fixture *f = *state;
    put(f, 1, 1, CERTIFICATE_SVID);
    struct certificate wanted = sample_certificate(1, 1);
    struct certificate found = stored(f, 1);
    assert_memory_equal(found.sha256, wanted.sha256, sizeof found.sha256);
    assert_string_equal(found.name, wanted.name);
    assert_int_equal(found.kind, CERTIFICATE_SVID);
    assert_int_equal(found.not_after_ms, wanted.not_after_ms);
    assert_int_equal(found.revoked_ms, 0);
    sample_bytes(wanted.serial, sizeof wanted.serial, 77);
    assert_err(certificate_get(f->db, wanted.serial, &found), CERTIFICATE_UNKNOWN);
}

static void serial_is_given_once(void **state)
{
    struct fixture *f = *state;
    put(f, 1, 1, CERTIFICATE_ENROLLMENT);
    struct certificate again = sample_certificate(1, 2);
    IN_BATCH(f, assert_err(certificate_put(f->db, &again), DB_CONFLICT));
}

static void revoking_a_machine_takes_its_certificates_and_no_others(void **state)
{
    struct fixture *f = *state;
    put(f, 1, 1, CERTIFICATE_ENROLLMENT);
    put(f, 2, 1, CERTIFICATE_SVID);
    put(f, 3, 2, CERTIFICATE_ENROLLMENT);
    IN_BATCH(f, assert_ok(certificate_revoke_machine(f->db, sample_machine(1).machine_id,
                                                     FIXTURE_NOW_MS + 1,
                                                     CERTIFICATE_REASON_PRIVILEGE_WITHDRAWN)));
    assert_int_equal(count_revoked(f, FIXTURE_NOW_MS), 2);
    assert_int_equal(stored(f, 1).revoked_reason, CERTIFICATE_REASON_PRIVILEGE_WITHDRAWN);
    assert_int_equal(stored(f, 3).revoked_ms, 0);
    /* Those that ended are on no list any more. */
    assert_int_equal(count_revoked(f, FIXTURE_NOW_MS + 2 * (uint64_t)DAY_MS), 0);
}

static void hold_ends_with_the_lock_and_revocation_never_does(void **state)
{
    struct fixture *f = *state;
    char machine_id[MACHINE_ID_SIZE];
    memcpy(machine_id, sample_machine(1).machine_id, sizeof machine_id);
    put(f, 1, 1, CERTIFICATE_ENROLLMENT);
    put(f, 2, 1, CERTIFICATE_ENROLLMENT);
    struct certificate first = sample_certificate(1, 1);
    IN_BATCH(f, assert_ok(certificate_revoke(f->db, first.serial, FIXTURE_NOW_MS,
                                             CERTIFICATE_REASON_UNSPECIFIED));
             assert_err(certificate_revoke(f->db, first.serial, FIXTURE_NOW_MS,
                                           CERTIFICATE_REASON_UNSPECIFIED),
                        CERTIFICATE_REVOKED);
             assert_ok(certificate_revoke_machine(f->db, machine_id, FIXTURE_NOW_MS,
                                                  CERTIFICATE_REASON_HOLD)));
    assert_int_equal(count_revoked(f, FIXTURE_NOW_MS), 2);
    IN_BATCH(f, assert_ok(certificate_release_machine(f->db, machine_id)));
    assert_int_equal(count_revoked(f, FIXTURE_NOW_MS), 1);
    assert_int_not_equal(stored(f, 1).revoked_ms, 0);
    /* From hold to revoked for good. */
    IN_BATCH(f, assert_ok(certificate_revoke_machine(f->db, machine_id, FIXTURE_NOW_MS,
                                                     CERTIFICATE_REASON_HOLD));
             assert_ok(certificate_revoke_machine(f->db, machine_id, FIXTURE_NOW_MS,
                                                  CERTIFICATE_REASON_PRIVILEGE_WITHDRAWN));
             assert_ok(certificate_release_machine(f->db, machine_id)));
    assert_int_equal(count_revoked(f, FIXTURE_NOW_MS), 2);
}

static void every_change_of_a_revocation_is_counted(void **state)
{
    struct fixture *f = *state;
    uint64_t before;
    uint64_t after;
    put(f, 1, 1, CERTIFICATE_ENROLLMENT);
    assert_ok(certificate_count_revocations(f->db, &before));
    IN_BATCH(f, assert_ok(certificate_revoke_machine(f->db, sample_machine(1).machine_id,
                                                     FIXTURE_NOW_MS, CERTIFICATE_REASON_HOLD)));
    IN_BATCH(f, assert_ok(certificate_release_machine(f->db, sample_machine(1).machine_id)));
    assert_ok(certificate_count_revocations(f->db, &after));
    assert_int_equal(after, before + 2);
}

static void deleted_machine_leaves_its_certificates_revoked(void **state)
{
    struct fixture *f = *state;
    fixture_insert_machine(f, 1);
    put(f, 1, 1, CERTIFICATE_ENROLLMENT);
    IN_BATCH(
        f, assert_ok(certificate_revoke_machine(f->db, sample_machine(1).machine_id, FIXTURE_NOW_MS,
                                                CERTIFICATE_REASON_PRIVILEGE_WITHDRAWN));
        assert_ok(machine_delete(f->db, sample_machine(1).machine_id)));
    assert_int_equal(count_revoked(f, FIXTURE_NOW_MS), 1);
}

static void expired_certificates_leave_the_inventory_after_a_week(void **state)
{
    struct fixture *f = *state;
    uint64_t removed;
    put(f, 1, 1, CERTIFICATE_ENROLLMENT);
    uint64_t end = sample_certificate(1, 1).not_after_ms;
    IN_BATCH(f, assert_ok(expire_old(f->db, end + CERTIFICATE_KEPT_MS - 1, 100, &removed)));
    assert_int_equal(removed, 0);
    IN_BATCH(f, assert_ok(expire_old(f->db, end + CERTIFICATE_KEPT_MS, 100, &removed)));
    assert_int_equal(removed, 1);
}

static void list_pages_through_one_machine(void **state)
{
    struct fixture *f = *state;
    unsigned count = 0;
    for (unsigned i = 1; i <= 6; i++) {
        put(f, i, i % 2, CERTIFICATE_ENROLLMENT);
    }
    struct certificate first = sample_certificate(1, 1);
    const char *machine_id = first.machine_id;
    assert_ok(certificate_list(f->db, machine_id, NULL, 100, count_row, &count));
    assert_int_equal(count, 3);
    assert_ok(certificate_list(f->db, machine_id, first.serial, 100, count_row, &count));
    assert_int_equal(count, 5);
    assert_ok(certificate_list(f->db, NULL, first.serial, 2, count_row, &count));
    assert_int_equal(count, 7);
    sample_bytes(first.serial, sizeof first.serial, 99);
    assert_err(certificate_list(f->db, NULL, first.serial, 2, count_row, &count),
               CERTIFICATE_UNKNOWN);
}

static void live_certificates_are_counted_by_kind(void **state)
{
    struct fixture *f = *state;
    uint64_t count;
    put(f, 1, 1, CERTIFICATE_ENROLLMENT);
    put(f, 2, 1, CERTIFICATE_SVID);
    put(f, 3, 1, CERTIFICATE_SVID);
    struct certificate third = sample_certificate(3, 1);
    assert_ok(
        certificate_count_live(f->db, third.machine_id, CERTIFICATE_SVID, FIXTURE_NOW_MS, &count));
    assert_int_equal(count, 2);
    IN_BATCH(f, assert_ok(certificate_revoke(f->db, third.serial, FIXTURE_NOW_MS,
                                             CERTIFICATE_REASON_UNSPECIFIED)));
    assert_ok(
        certificate_count_live(f->db, third.machine_id, CERTIFICATE_SVID, FIXTURE_NOW_MS, &count));
    assert_int_equal(count, 1);
    assert_ok(certificate_count_live(f->db, third.machine_id, CERTIFICATE_SVID, third.not_after_ms,
                                     &count));
    assert_int_equal(count, 0);
}

static void number_of_the_revocation_list_only_grows(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) storage = NULL;
    struct revocation_list list = {
        .number = 2, .made_ms = 1, .next_ms = 9, .revocations = 4, .der = view_text("first")};
    struct revocation_list found;
    assert_ok(buf_new(REVOCATION_LIST_MAX_BYTES, &storage));
    assert_err(revocation_list_get(f->db, storage, &found), NOT_FOUND);
    IN_BATCH(f, assert_ok(revocation_list_put(f->db, &list)));
    list.der = view_text("second");
    IN_BATCH(f, assert_err(revocation_list_put(f->db, &list), DB_CONFLICT));
    list.number = 3;
    IN_BATCH(f, assert_ok(revocation_list_put(f->db, &list)));
    assert_ok(revocation_list_get(f->db, storage, &found));
    assert_true(view_is(found.der, "second"));
    assert_int_equal(found.number, 3);
    assert_int_equal(found.revocations, 4);
}

static void wipe_token_is_taken_once_in_time_and_by_its_machine(void **state)
{
    struct fixture *f = *state;
    uint8_t token[TOKEN_HASH_BYTES];
    fixture_insert_machine(f, 1);
    fixture_insert_machine(f, 2);
    const struct machine mine = sample_machine(1);
    const struct machine other = sample_machine(2);
    sample_bytes(token, sizeof token, 5);
    IN_BATCH(
        f, assert_ok(wipe_token_put(f->db, mine.machine_id, token, FIXTURE_NOW_MS + 10));
        assert_err(wipe_token_take(f->db, other.machine_id, token, FIXTURE_NOW_MS), WIPE_TOKEN);
        assert_err(wipe_token_take(f->db, mine.machine_id, token, FIXTURE_NOW_MS + 10), WIPE_TOKEN);
        assert_ok(wipe_token_take(f->db, mine.machine_id, token, FIXTURE_NOW_MS + 9));
        assert_err(wipe_token_take(f->db, mine.machine_id, token, FIXTURE_NOW_MS + 9), WIPE_TOKEN);
        assert_ok(wipe_token_put(f->db, mine.machine_id, token, FIXTURE_NOW_MS + 10));
        assert_ok(wipe_token_kill(f->db, mine.machine_id));
        assert_err(wipe_token_take(f->db, mine.machine_id, token, FIXTURE_NOW_MS), WIPE_TOKEN));
}

int main(void)
{
#define TEST(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(stored_certificate_comes_back_as_it_was),
        TEST(serial_is_given_once),
        TEST(revoking_a_machine_takes_its_certificates_and_no_others),
        TEST(hold_ends_with_the_lock_and_revocation_never_does),
        TEST(every_change_of_a_revocation_is_counted),
        TEST(deleted_machine_leaves_its_certificates_revoked),
        TEST(expired_certificates_leave_the_inventory_after_a_week),
        TEST(list_pages_through_one_machine),
        TEST(live_certificates_are_counted_by_kind),
        TEST(number_of_the_revocation_list_only_grows),
        TEST(wipe_token_is_taken_once_in_time_and_by_its_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
