#include "fixture.h"

#include <string.h>

static const uint8_t ID[PROOF_ID_BYTES] = {1, 2, 3};
static const uint8_t OTHER_ID[PROOF_ID_BYTES] = {9};
static const uint8_t NONCE[PROOF_NONCE_BYTES] = {4, 5, 6};

enum { TTL_MS = 60 * 1000 };

static void nonce_is_taken_once(void **state)
{
    struct fixture *f = *state;
    uint8_t nonce[PROOF_NONCE_BYTES] = {0};
    IN_BATCH(f, assert_ok(nonce_put(f->db, ID, NONCE, FIXTURE_NOW_MS + TTL_MS)));
    IN_BATCH(f, assert_ok(nonce_take(f->db, ID, FIXTURE_NOW_MS, nonce)));
    assert_memory_equal(nonce, NONCE, sizeof nonce);
    IN_BATCH(f, assert_err(nonce_take(f->db, ID, FIXTURE_NOW_MS, nonce), NONCE_USED));
    fixture_close(f);
    fixture_open(f);
    IN_BATCH(f, assert_err(nonce_take(f->db, ID, FIXTURE_NOW_MS, nonce), NONCE_USED));
}

static void nonce_is_taken_once_within_one_batch(void **state)
{
    struct fixture *f = *state;
    uint8_t nonce[PROOF_NONCE_BYTES];
    IN_BATCH(f, assert_ok(nonce_put(f->db, ID, NONCE, FIXTURE_NOW_MS + TTL_MS)));
    IN_BATCH(f, {
        assert_ok(nonce_take(f->db, ID, FIXTURE_NOW_MS, nonce));
        assert_err(nonce_take(f->db, ID, FIXTURE_NOW_MS, nonce), NONCE_USED);
    });
}

static void expired_nonce_is_refused_to_the_millisecond(void **state)
{
    struct fixture *f = *state;
    uint8_t nonce[PROOF_NONCE_BYTES];
    uint64_t end = FIXTURE_NOW_MS + TTL_MS;
    IN_BATCH(f, assert_ok(nonce_put(f->db, ID, NONCE, end)));
    IN_BATCH(f, assert_err(nonce_take(f->db, ID, end, nonce), NONCE_EXPIRED));
    IN_BATCH(f, assert_ok(nonce_take(f->db, ID, end - 1, nonce)));
}

static void unknown_nonce_is_refused_and_ids_are_unique(void **state)
{
    struct fixture *f = *state;
    uint8_t nonce[PROOF_NONCE_BYTES];
    IN_BATCH(f, assert_err(nonce_take(f->db, OTHER_ID, FIXTURE_NOW_MS, nonce), NONCE_UNKNOWN));
    IN_BATCH(f, {
        assert_ok(nonce_put(f->db, ID, NONCE, FIXTURE_NOW_MS + TTL_MS));
        assert_err(nonce_put(f->db, ID, NONCE, FIXTURE_NOW_MS + TTL_MS), DB_CONFLICT);
    });
}

static void taking_a_nonce_counts_even_when_the_request_is_refused_later(void **state)
{
    struct fixture *f = *state;
    uint8_t nonce[PROOF_NONCE_BYTES];
    IN_BATCH(f, assert_ok(nonce_put(f->db, ID, NONCE, FIXTURE_NOW_MS + TTL_MS)));
    IN_BATCH(f, {
        assert_ok(db_savepoint(f->db));
        assert_ok(nonce_take(f->db, ID, FIXTURE_NOW_MS, nonce));
        assert_ok(db_release(f->db));
    });
    IN_BATCH(f, assert_err(nonce_take(f->db, ID, FIXTURE_NOW_MS, nonce), NONCE_USED));
}

static struct session sample_session(unsigned n)
{
    struct session s = {
        .ak_name_len = 34,
        .ak_public_len = 90,
        .ek_public_len = 316,
        .created_ms = FIXTURE_NOW_MS,
        .expires_ms = FIXTURE_NOW_MS + 5 * TTL_MS,
        .source_ip = "2001:db8::1",
    };
    sample_bytes(s.id, sizeof s.id, n);
    sample_bytes(s.nonce_id, sizeof s.nonce_id, n + 1);
    sample_bytes(s.nonce, sizeof s.nonce, n + 2);
    sample_bytes(s.ak_name, s.ak_name_len, n + 3);
    sample_bytes(s.ak_public, s.ak_public_len, n + 4);
    sample_bytes(s.ek_public, s.ek_public_len, n + 6);
    sample_bytes(s.secret_sha384, sizeof s.secret_sha384, n + 5);
    struct machine m = sample_machine(n);
    memcpy(s.ek_fingerprint, m.ek_fingerprint, sizeof s.ek_fingerprint);
    return s;
}

static void session_is_taken_once_as_it_was_put(void **state)
{
    struct fixture *f = *state;
    struct session s = sample_session(1);
    struct session found;
    IN_BATCH(f, assert_ok(session_put(f->db, &s)));
    memset(&found, 0xff, sizeof found);
    IN_BATCH(f, assert_ok(session_take(f->db, s.id, FIXTURE_NOW_MS, &found)));
    assert_memory_equal(&found, &s, sizeof s);
    IN_BATCH(f, assert_err(session_take(f->db, s.id, FIXTURE_NOW_MS, &found), SESSION_USED));
}

static void expired_session_is_unknown(void **state)
{
    struct fixture *f = *state;
    struct session s = sample_session(1);
    IN_BATCH(f, assert_ok(session_put(f->db, &s)));
    IN_BATCH(f, assert_err(session_take(f->db, s.id, s.expires_ms, &s), SESSION_UNKNOWN));
    IN_BATCH(f, assert_err(session_take(f->db, OTHER_ID, FIXTURE_NOW_MS, &s), SESSION_UNKNOWN));
    IN_BATCH(f, assert_ok(session_take(f->db, s.id, s.expires_ms - 1, &s)));
    IN_BATCH(f, assert_err(session_take(f->db, s.id, s.expires_ms, &s), SESSION_UNKNOWN));
}

static void new_session_replaces_the_outstanding_one_of_the_same_ek(void **state)
{
    struct fixture *f = *state;
    struct session first = sample_session(1);
    struct session second = sample_session(2);
    struct session other = sample_session(3);
    struct session found;
    uint64_t count = 0;
    memcpy(second.ek_fingerprint, first.ek_fingerprint, sizeof second.ek_fingerprint);
    second.created_ms++;
    IN_BATCH(f, {
        assert_ok(session_put(f->db, &first));
        assert_ok(session_put(f->db, &other));
        assert_ok(session_put(f->db, &second));
    });
    assert_ok(session_count(f->db, &count));
    assert_int_equal(count, 2);
    IN_BATCH(f, {
        assert_err(session_take(f->db, first.id, FIXTURE_NOW_MS, &found), SESSION_UNKNOWN);
        assert_ok(session_take(f->db, second.id, FIXTURE_NOW_MS, &found));
        assert_ok(session_take(f->db, other.id, FIXTURE_NOW_MS, &found));
    });
}

static void used_session_is_replaced_by_a_fresh_one(void **state)
{
    struct fixture *f = *state;
    struct session first = sample_session(1);
    struct session second = sample_session(2);
    memcpy(second.ek_fingerprint, first.ek_fingerprint, sizeof second.ek_fingerprint);
    IN_BATCH(f, {
        assert_ok(session_put(f->db, &first));
        assert_ok(session_take(f->db, first.id, FIXTURE_NOW_MS, &first));
        assert_ok(session_put(f->db, &second));
        assert_ok(session_take(f->db, second.id, FIXTURE_NOW_MS, &second));
    });
}

static void last_session_of_an_ek_is_dated(void **state)
{
    struct fixture *f = *state;
    struct session s = sample_session(1);
    uint64_t created = 7;
    assert_ok(session_last_created(f->db, s.ek_fingerprint, &created));
    assert_int_equal(created, 0);
    IN_BATCH(f, assert_ok(session_put(f->db, &s)));
    assert_ok(session_last_created(f->db, s.ek_fingerprint, &created));
    assert_int_equal(created, FIXTURE_NOW_MS);
    assert_err(session_last_created(f->db, "zz", &created), FIELD_INVALID);
}

static void session_parts_beyond_their_limits_are_refused(void **state)
{
    struct fixture *f = *state;
    struct session s = sample_session(1);
    s.ak_name_len = sizeof s.ak_name + 1;
    IN_BATCH(f, assert_err(session_put(f->db, &s), TOO_LONG));
    s = sample_session(1);
    s.ak_public_len = sizeof s.ak_public + 1;
    IN_BATCH(f, assert_err(session_put(f->db, &s), TOO_LONG));
}

static struct ak_record sample_ak(unsigned n)
{
    struct ak_record ak = {
        .name_len = 50, .public_len = 120, .key_name = "P-384", .activated_ms = FIXTURE_NOW_MS};
    struct machine m = sample_machine(n);
    memcpy(ak.ek_fingerprint, m.ek_fingerprint, sizeof ak.ek_fingerprint);
    memcpy(ak.machine_id, m.machine_id, sizeof ak.machine_id);
    sample_bytes(ak.name, ak.name_len, n);
    sample_bytes(ak.public_area, ak.public_len, n);
    return ak;
}

static void activated_ak_reads_back_and_is_replaced(void **state)
{
    struct fixture *f = *state;
    struct ak_record ak = sample_ak(1);
    struct ak_record found;
    fixture_insert_machine(f, 1);
    assert_err(ak_get(f->db, ak.ek_fingerprint, &found), AK_UNKNOWN);
    IN_BATCH(f, assert_ok(ak_activate(f->db, &ak)));
    memset(&found, 0xff, sizeof found);
    assert_ok(ak_get(f->db, ak.ek_fingerprint, &found));
    assert_memory_equal(&found, &ak, sizeof ak);
    sample_bytes(ak.name, ak.name_len, 77);
    IN_BATCH(f, assert_ok(ak_activate(f->db, &ak)));
    assert_ok(ak_get(f->db, ak.ek_fingerprint, &found));
    assert_memory_equal(&found, &ak, sizeof ak);
}

static void ak_of_an_unknown_or_foreign_ek_is_refused(void **state)
{
    struct fixture *f = *state;
    struct ak_record ak = sample_ak(1);
    IN_BATCH(f, assert_err(ak_activate(f->db, &ak), MACHINE_UNKNOWN));
    fixture_insert_machine(f, 1);
    fixture_insert_machine(f, 2);
    memcpy(ak.machine_id, sample_machine(2).machine_id, sizeof ak.machine_id);
    IN_BATCH(f, assert_err(ak_activate(f->db, &ak), MACHINE_UNKNOWN));
    assert_err(ak_get(f->db, ak.ek_fingerprint, &ak), AK_UNKNOWN);
}

static void ak_activated_again_is_dated_anew(void **state)
{
    struct fixture *f = *state;
    struct ak_record ak = sample_ak(1);
    struct ak_record found;
    fixture_insert_machine(f, 1);
    fixture_insert_machine(f, 2);
    IN_BATCH(f, assert_ok(ak_activate(f->db, &ak)));
    ak.activated_ms += 5;
    IN_BATCH(f, assert_ok(ak_activate(f->db, &ak)));
    assert_ok(ak_get(f->db, ak.ek_fingerprint, &found));
    assert_memory_equal(&found, &ak, sizeof ak);
    struct ak_record foreign = ak;
    memcpy(foreign.machine_id, sample_machine(2).machine_id, sizeof foreign.machine_id);
    IN_BATCH(f, assert_err(ak_activate(f->db, &foreign), MACHINE_UNKNOWN));
}

static void ak_is_found_by_its_name_under_every_ek(void **state)
{
    struct fixture *f = *state;
    struct ak_record ak = sample_ak(1);
    struct ak_record other = sample_ak(2);
    struct ak_record same = sample_ak(3);
    struct ak_holder holders[AK_HOLDERS_MAX];
    size_t count = 9;
    struct view name = view_of(ak.name, ak.name_len);
    for (unsigned n = 1; n <= 3; n++) {
        fixture_insert_machine(f, n);
    }
    memcpy(same.name, ak.name, sizeof same.name);
    assert_ok(ak_holders(f->db, name, holders, &count));
    assert_int_equal(count, 0);
    IN_BATCH(f, {
        assert_ok(ak_activate(f->db, &ak));
        assert_ok(ak_activate(f->db, &other));
        assert_ok(ak_activate(f->db, &same));
    });
    assert_ok(ak_holders(f->db, name, holders, &count));
    assert_int_equal(count, 2);
    bool in_order = strcmp(ak.ek_fingerprint, same.ek_fingerprint) < 0;
    assert_string_equal(holders[in_order ? 0 : 1].machine_id, ak.machine_id);
    assert_string_equal(holders[in_order ? 1 : 0].ek_fingerprint, same.ek_fingerprint);
    /* The next AK of an EK takes the place of the last. */
    sample_bytes(ak.name, ak.name_len, 77);
    IN_BATCH(f, assert_ok(ak_activate(f->db, &ak)));
    assert_ok(ak_holders(f->db, view_of(same.name, same.name_len), holders, &count));
    assert_int_equal(count, 1);
    assert_string_equal(holders[0].machine_id, same.machine_id);
    uint8_t long_name[PROOF_AK_NAME_MAX_BYTES + 1] = {0};
    assert_err(ak_holders(f->db, view_of(long_name, sizeof long_name), holders, &count), TOO_LONG);
}

static struct evidence_record sample_evidence(unsigned n)
{
    struct evidence_record e = {
        .time_ms = FIXTURE_NOW_MS + n,
        .quote = view_text("quote"),
        .signature = view_text("signature"),
        .pcr_values = view_text("values"),
        .clock = UINT64_MAX - n, /* TPMs count as they like */
        .reset_count = UINT32_MAX,
        .restart_count = n,
        .firmware_version = UINT64_C(0xfedcba9876543210),
        .verdict = 2,
        .chain = 1,
        .replay = 3,
        .policy_number = 7,
        .event_log_sha384 = view_text("log digest"),
        .ek_fingerprint = view_text("fingerprint"),
        .reason = "pcr_policy_mismatch",
    };
    struct machine m = sample_machine(1);
    memcpy(e.machine_id, m.machine_id, sizeof e.machine_id);
    return e;
}

static void evidence_reads_back_with_all_sixty_four_bits(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) storage = NULL;
    struct evidence_record e = sample_evidence(1);
    struct evidence_record found;
    fixture_insert_machine(f, 1);
    assert_ok(buf_new(EVIDENCE_STORAGE_BYTES, &storage));
    assert_err(evidence_get(f->db, e.machine_id, 0, storage, &found), NOT_FOUND);
    IN_BATCH(f, assert_ok(evidence_put(f->db, &e)));
    assert_ok(evidence_get(f->db, e.machine_id, 0, storage, &found));
    assert_true(view_is(found.quote, "quote"));
    assert_true(view_is(found.signature, "signature"));
    assert_true(view_is(found.pcr_values, "values"));
    assert_true(found.clock == e.clock);
    assert_true(found.firmware_version == e.firmware_version);
    assert_int_equal(found.reset_count, UINT32_MAX);
    assert_int_equal(found.restart_count, 1);
    assert_int_equal(found.verdict, 2);
    assert_string_equal(found.reason, "pcr_policy_mismatch");
    assert_int_equal(found.time_ms, e.time_ms);
    assert_int_equal(found.chain, 1);
    assert_int_equal(found.replay, 3);
    assert_int_equal(found.policy_number, 7);
    assert_true(view_is(found.event_log_sha384, "log digest"));
    assert_true(view_is(found.ek_fingerprint, "fingerprint"));
}

static void evidence_is_found_from_the_latest_back(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) storage = NULL;
    const char *id = "00000001-0000-4000-8000-000000000000";
    struct evidence_record found;
    fixture_insert_machine(f, 1);
    assert_ok(buf_new(EVIDENCE_STORAGE_BYTES, &storage));
    for (unsigned n = 1; n <= 5; n++) {
        struct evidence_record e = sample_evidence(n);
        IN_BATCH(f, assert_ok(evidence_put(f->db, &e)));
    }
    for (unsigned back = 0; back < 5; back++) {
        assert_ok(evidence_get(f->db, id, back, storage, &found));
        assert_int_equal(found.restart_count, 5 - back);
    }
    assert_err(evidence_get(f->db, id, 5, storage, &found), NOT_FOUND);
    for (unsigned n = 6; n <= EVIDENCE_KEPT + 9; n++) {
        struct evidence_record e = sample_evidence(n);
        IN_BATCH(f, assert_ok(evidence_put(f->db, &e)));
    }
    assert_ok(evidence_get(f->db, id, EVIDENCE_KEPT - 1, storage, &found));
    assert_int_equal(found.restart_count, 10);
    assert_err(evidence_get(f->db, id, EVIDENCE_KEPT, storage, &found), NOT_FOUND);
}

static void evidence_of_a_machine_is_bounded_and_the_last_one_counts(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) storage = NULL;
    struct evidence_record found;
    fixture_insert_machine(f, 1);
    for (unsigned n = 1; n <= 3 * EVIDENCE_KEPT; n++) {
        struct evidence_record e = sample_evidence(n);
        IN_BATCH(f, assert_ok(evidence_put(f->db, &e)));
    }
    assert_ok(buf_new(EVIDENCE_STORAGE_BYTES, &storage));
    assert_ok(evidence_get(f->db, sample_machine(1).machine_id, 0, storage, &found));
    assert_int_equal(found.restart_count, 3 * EVIDENCE_KEPT);
    fixture_close(f);
    /* Fails when there is any other number of rows. */
    fixture_tamper(f, "CREATE TEMP TABLE proof (n INTEGER CHECK (n = 16));"
                      "INSERT INTO proof SELECT COUNT(*) FROM evidence;");
    fixture_open(f);
}

static void evidence_of_nobody_and_too_long_evidence_are_refused(void **state)
{
    struct fixture *f = *state;
    struct evidence_record e = sample_evidence(1);
    static const uint8_t big[EVIDENCE_PART_MAX_BYTES + 1];
    IN_BATCH(f, assert_err(evidence_put(f->db, &e), MACHINE_UNKNOWN));
    fixture_insert_machine(f, 1);
    e.pcr_values = view_of(big, sizeof big);
    IN_BATCH(f, assert_err(evidence_put(f->db, &e), TOO_LONG));
}

static void expiry_removes_old_rows_in_slices_and_keeps_the_rest(void **state)
{
    struct fixture *f = *state;
    uint8_t id[PROOF_ID_BYTES] = {0};
    uint8_t nonce[PROOF_NONCE_BYTES];
    uint64_t removed = 0;
    uint64_t count = 0;
    assert_ok(db_begin(f->db));
    for (uint8_t n = 0; n < 10; n++) {
        id[0] = n;
        assert_ok(nonce_put(f->db, id, NONCE, FIXTURE_NOW_MS + n));
        struct session s = sample_session(n);
        s.expires_ms = FIXTURE_NOW_MS + n;
        assert_ok(session_put(f->db, &s));
    }
    assert_ok(db_commit(f->db));
    uint64_t now = FIXTURE_NOW_MS + EXPIRED_KEPT_MS + 5; /* 0 to 5 are old enough */
    IN_BATCH(f, assert_ok(expire_old(f->db, now, 4, &removed)));
    assert_int_equal(removed, 8);
    IN_BATCH(f, assert_ok(expire_old(f->db, now, 4, &removed)));
    assert_int_equal(removed, 4);
    IN_BATCH(f, assert_ok(expire_old(f->db, now, 4, &removed)));
    assert_int_equal(removed, 0);
    assert_ok(nonce_count(f->db, &count));
    assert_int_equal(count, 4);
    assert_ok(session_count(f->db, &count));
    assert_int_equal(count, 4);
    id[0] = 5;
    IN_BATCH(f, assert_err(nonce_take(f->db, id, FIXTURE_NOW_MS, nonce), NONCE_UNKNOWN));
    id[0] = 6;
    IN_BATCH(f, assert_ok(nonce_take(f->db, id, FIXTURE_NOW_MS, nonce)));
}

int main(void)
{
#define TEST(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(nonce_is_taken_once),
        TEST(nonce_is_taken_once_within_one_batch),
        TEST(expired_nonce_is_refused_to_the_millisecond),
        TEST(unknown_nonce_is_refused_and_ids_are_unique),
        TEST(taking_a_nonce_counts_even_when_the_request_is_refused_later),
        TEST(session_is_taken_once_as_it_was_put),
        TEST(expired_session_is_unknown),
        TEST(new_session_replaces_the_outstanding_one_of_the_same_ek),
        TEST(used_session_is_replaced_by_a_fresh_one),
        TEST(last_session_of_an_ek_is_dated),
        TEST(session_parts_beyond_their_limits_are_refused),
        TEST(activated_ak_reads_back_and_is_replaced),
        TEST(ak_of_an_unknown_or_foreign_ek_is_refused),
        TEST(ak_activated_again_is_dated_anew),
        TEST(ak_is_found_by_its_name_under_every_ek),
        TEST(evidence_reads_back_with_all_sixty_four_bits),
        TEST(evidence_is_found_from_the_latest_back),
        TEST(evidence_of_a_machine_is_bounded_and_the_last_one_counts),
        TEST(evidence_of_nobody_and_too_long_evidence_are_refused),
        TEST(expiry_removes_old_rows_in_slices_and_keeps_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
