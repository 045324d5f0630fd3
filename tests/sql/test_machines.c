#include "fixture.h"

#include <stdio.h>
#include <string.h>

static void stored_machine_reads_back_in_every_field(void **state)
{
    struct fixture *f = *state;
    struct machine m = sample_machine(1);
    struct ek_record ek = sample_ek(1);
    struct machine found;
    strcpy(m.role, "controlplane");
    m.status = MACHINE_LOCKED;
    m.status_before_lock = MACHINE_ATTESTED;
    strcpy(m.hostname, "node-1.example");
    strcpy(m.assigned_ip, "192.0.2.10/24");
    strcpy(m.assurance, "quote");
    m.attested_at = FIXTURE_NOW_MS + 1;
    m.locked_at = FIXTURE_NOW_MS + 2;
    m.revoked_at = FIXTURE_NOW_MS + 3;
    m.wipe_pending = true;
    IN_BATCH(f, assert_ok(machine_insert(f->db, &m, &ek)));
    memset(&found, 0xff, sizeof found);
    assert_ok(machine_by_id(f->db, m.machine_id, &found));
    assert_memory_equal(&found, &m, sizeof m);
    memset(&found, 0xff, sizeof found);
    assert_ok(machine_by_ek(f->db, m.ek_fingerprint, &found));
    assert_memory_equal(&found, &m, sizeof m);
}

static void longest_texts_are_stored(void **state)
{
    struct fixture *f = *state;
    struct machine m = sample_machine(1);
    struct ek_record ek = sample_ek(1);
    struct machine found;
    memset(m.hostname, 'h', sizeof m.hostname - 1);
    memset(m.hw_serial, 's', sizeof m.hw_serial - 1);
    memset(m.ek_anchor, 'a', sizeof m.ek_anchor - 1);
    m.evidence_at = 5;
    m.evidence_until = INT64_MAX;
    m.gates = UINT32_MAX;
    IN_BATCH(f, assert_ok(machine_insert(f->db, &m, &ek)));
    assert_ok(machine_by_id(f->db, m.machine_id, &found));
    assert_memory_equal(&found, &m, sizeof m);
}

static void unknown_machine_is_reported(void **state)
{
    struct fixture *f = *state;
    struct machine m = sample_machine(1);
    assert_err(machine_by_id(f->db, m.machine_id, &m), MACHINE_UNKNOWN);
    assert_err(machine_by_ek(f->db, m.ek_fingerprint, &m), MACHINE_UNKNOWN);
    assert_err(machine_by_ek(f->db, "not hexadecimal", &m), FIELD_INVALID);
    IN_BATCH(f, {
        assert_err(machine_update(f->db, &m), MACHINE_UNKNOWN);
        assert_err(machine_delete(f->db, m.machine_id), MACHINE_UNKNOWN);
    });
}

static void machine_with_a_known_ek_is_refused_whole(void **state)
{
    struct fixture *f = *state;
    struct machine m = sample_machine(2);
    struct ek_record ek = sample_ek(1);
    fixture_insert_machine(f, 1);
    memcpy(m.ek_fingerprint, ek.fingerprint, sizeof m.ek_fingerprint);
    IN_BATCH(f, assert_err(machine_insert(f->db, &m, &ek), DB_CONFLICT));
    assert_err(machine_by_id(f->db, m.machine_id, &m), MACHINE_UNKNOWN);
    uint64_t pending = 0;
    assert_ok(machine_count_pending(f->db, &pending));
    assert_int_equal(pending, 1);
}

static void machine_whose_ek_is_not_its_own_is_a_bug(void **state)
{
    struct fixture *f = *state;
    struct machine m = sample_machine(1);
    struct ek_record ek = sample_ek(2);
    IN_BATCH(f, assert_err(machine_insert(f->db, &m, &ek), BUG));
}

static void update_changes_the_one_machine(void **state)
{
    struct fixture *f = *state;
    struct machine m = sample_machine(1);
    struct machine found;
    fixture_insert_machine(f, 1);
    fixture_insert_machine(f, 2);
    m.status = MACHINE_REGISTERED;
    strcpy(m.role, "worker-infra");
    m.wipe_pending = true;
    IN_BATCH(f, assert_ok(machine_update(f->db, &m)));
    assert_ok(machine_by_id(f->db, m.machine_id, &found));
    assert_memory_equal(&found, &m, sizeof m);
    struct machine other = sample_machine(2);
    assert_ok(machine_by_id(f->db, other.machine_id, &found));
    assert_memory_equal(&found, &other, sizeof other);
}

static void update_to_a_status_that_does_not_exist_is_refused(void **state)
{
    struct fixture *f = *state;
    struct machine m = sample_machine(1);
    fixture_insert_machine(f, 1);
    m.status = MACHINE_NONE;
    IN_BATCH(f, assert_err(machine_update(f->db, &m), DB_CONFLICT));
    m.status = MACHINE_REJECTED + 1;
    IN_BATCH(f, assert_err(machine_update(f->db, &m), DB_CONFLICT));
}

static void machine_goes_by_its_own_eks_only(void **state)
{
    struct fixture *f = *state;
    struct machine m = sample_machine(1);
    struct ek_record second = sample_ek(3);
    struct machine found;
    fixture_insert_machine(f, 1);
    fixture_insert_machine(f, 2);
    struct machine stolen = m;
    memcpy(stolen.ek_fingerprint, sample_machine(2).ek_fingerprint, MACHINE_EK_SIZE);
    IN_BATCH(f, assert_err(machine_update(f->db, &stolen), DB_CONFLICT));
    memcpy(second.machine_id, m.machine_id, sizeof second.machine_id);
    memcpy(m.ek_fingerprint, second.fingerprint, sizeof m.ek_fingerprint);
    IN_BATCH(f, {
        assert_ok(ek_put(f->db, &second));
        assert_ok(machine_update(f->db, &m));
    });
    assert_ok(machine_by_ek(f->db, second.fingerprint, &found));
    assert_string_equal(found.machine_id, m.machine_id);
    assert_ok(machine_by_ek(f->db, sample_ek(1).fingerprint, &found));
    assert_string_equal(found.machine_id, m.machine_id);
    assert_string_equal(found.ek_fingerprint, second.fingerprint);
}

static void ek_of_another_machine_is_refused(void **state)
{
    struct fixture *f = *state;
    struct ek_record ek = sample_ek(2);
    fixture_insert_machine(f, 1);
    fixture_insert_machine(f, 2);
    memcpy(ek.machine_id, sample_machine(1).machine_id, sizeof ek.machine_id);
    IN_BATCH(f, assert_err(ek_put(f->db, &ek), DB_CONFLICT));
    struct ek_record orphan = sample_ek(9);
    IN_BATCH(f, assert_err(ek_put(f->db, &orphan), MACHINE_UNKNOWN));
}

static void ek_material_reads_back_as_it_was_sent(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) storage = NULL;
    static uint8_t certificate[EK_RECORD_MAX_BYTES + 1];
    struct ek_record ek = sample_ek(1);
    struct ek_record found;
    fixture_insert_machine(f, 1);
    sample_bytes(certificate, sizeof certificate, 5);
    ek.certificate = view_of(certificate, EK_RECORD_MAX_BYTES);
    ek.spki = view_of(certificate + 1, EK_RECORD_MAX_BYTES);
    ek.public_area = view_of(certificate, 1);
    ek.source = 2;
    ek.key_type = 4;
    IN_BATCH(f, assert_ok(ek_put(f->db, &ek)));
    assert_ok(buf_new(3 * EK_RECORD_MAX_BYTES, &storage));
    assert_ok(ek_get(f->db, ek.fingerprint, storage, &found));
    assert_string_equal(found.machine_id, ek.machine_id);
    assert_string_equal(found.fingerprint, ek.fingerprint);
    assert_int_equal(found.source, 2);
    assert_int_equal(found.key_type, 4);
    assert_true(view_equal(found.certificate, ek.certificate));
    assert_true(view_equal(found.spki, ek.spki));
    assert_true(view_equal(found.public_area, ek.public_area));
    ek.certificate.len = EK_RECORD_MAX_BYTES + 1;
    IN_BATCH(f, assert_err(ek_put(f->db, &ek), TOO_LONG));
}

/* EK number n for machine 1, that came n milliseconds after the first. */
static void add_ek(struct fixture *f, unsigned n)
{
    struct ek_record ek = sample_ek(n);
    memcpy(ek.machine_id, sample_machine(1).machine_id, sizeof ek.machine_id);
    ek.since_ms = FIXTURE_NOW_MS + n;
    ek.key_type = (int)n;
    IN_BATCH(f, assert_ok(ek_put(f->db, &ek)));
}

static void eks_of_a_machine_are_listed_the_oldest_first(void **state)
{
    struct fixture *f = *state;
    struct ek_summary eks[MACHINE_EKS_MAX];
    size_t count = 9;
    assert_ok(ek_list(f->db, sample_machine(1).machine_id, eks, &count));
    assert_int_equal(count, 0);
    fixture_insert_machine(f, 1);
    fixture_insert_machine(f, 2);
    add_ek(f, 5);
    add_ek(f, 4);
    add_ek(f, 6);
    assert_ok(ek_list(f->db, sample_machine(1).machine_id, eks, &count));
    assert_int_equal(count, MACHINE_EKS_MAX);
    for (unsigned i = 1; i < MACHINE_EKS_MAX; i++) {
        assert_string_equal(eks[i].fingerprint, sample_ek(i + 3).fingerprint);
        assert_int_equal(eks[i].since_ms, FIXTURE_NOW_MS + i + 3);
        assert_int_equal(eks[i].key_type, i + 3);
        assert_int_equal(eks[i].source, 1);
    }
    add_ek(f, 7);
    assert_ok(ek_list(f->db, sample_machine(1).machine_id, eks, &count));
    assert_int_equal(count, MACHINE_EKS_MAX);
}

static void material_that_comes_again_leaves_the_date_of_the_ek(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) storage = NULL;
    struct ek_record ek = sample_ek(1);
    fixture_insert_machine(f, 1);
    add_ek(f, 4);
    ek = sample_ek(4);
    memcpy(ek.machine_id, sample_machine(1).machine_id, sizeof ek.machine_id);
    ek.since_ms = FIXTURE_NOW_MS + 1000;
    ek.spki = view_text("the same, sent again");
    IN_BATCH(f, assert_ok(ek_put(f->db, &ek)));
    assert_ok(buf_new(3 * EK_RECORD_MAX_BYTES, &storage));
    assert_ok(ek_get(f->db, ek.fingerprint, storage, &ek));
    assert_int_equal(ek.since_ms, FIXTURE_NOW_MS + 4);
    assert_true(view_is(ek.spki, "the same, sent again"));
}

static void ek_without_certificate_reads_back_empty(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) storage = NULL;
    AUTO(buf) tiny = NULL;
    struct machine m = sample_machine(1);
    struct ek_record ek = sample_ek(1);
    ek.certificate = VIEW_EMPTY;
    IN_BATCH(f, assert_ok(machine_insert(f->db, &m, &ek)));
    assert_ok(buf_new(3 * EK_RECORD_MAX_BYTES, &storage));
    assert_ok(ek_get(f->db, ek.fingerprint, storage, &ek));
    assert_int_equal(ek.certificate.len, 0);
    assert_true(view_is(ek.spki, "subject public key info"));
    assert_ok(buf_new(4, &tiny));
    assert_err(ek_get(f->db, ek.fingerprint, tiny, &ek), TOO_LONG);
    assert_err(ek_get(f->db, sample_ek(2).fingerprint, storage, &ek), MACHINE_UNKNOWN);
}

static void deleted_machine_leaves_only_its_audit_rows(void **state)
{
    struct fixture *f = *state;
    AUTO(buf) storage = NULL;
    struct machine m = sample_machine(0);
    struct ek_record ek = sample_ek(0);
    struct ak_record ak = {.key_name = "P-384", .activated_ms = FIXTURE_NOW_MS};
    struct evidence_record evidence = {.time_ms = FIXTURE_NOW_MS};
    struct vote vote = {.issuer = "i", .subject = "s", .expires_ms = FIXTURE_NOW_MS * 2};
    struct vote votes[VOTES_LISTED_MAX];
    struct config_token_found token;
    uint8_t token_hash[TOKEN_HASH_BYTES] = {1};
    size_t count = 9;
    memcpy(ak.ek_fingerprint, ek.fingerprint, sizeof ak.ek_fingerprint);
    memcpy(ak.machine_id, m.machine_id, sizeof ak.machine_id);
    memcpy(evidence.machine_id, m.machine_id, sizeof evidence.machine_id);
    memcpy(vote.machine_id, m.machine_id, sizeof vote.machine_id);
    fixture_insert_machine(f, 0);
    fixture_append_audit(f, 3);
    IN_BATCH(f, {
        assert_ok(ak_activate(f->db, &ak));
        assert_ok(evidence_put(f->db, &evidence));
        assert_ok(vote_put(f->db, &vote));
        assert_ok(
            config_token_put(f->db, m.machine_id, ek.fingerprint, token_hash, FIXTURE_NOW_MS * 2));
    });
    IN_BATCH(f, assert_ok(machine_delete(f->db, m.machine_id)));
    assert_ok(buf_new(3 * EK_RECORD_MAX_BYTES, &storage));
    assert_err(machine_by_ek(f->db, ek.fingerprint, &m), MACHINE_UNKNOWN);
    assert_err(ek_get(f->db, ek.fingerprint, storage, &ek), MACHINE_UNKNOWN);
    assert_err(ak_get(f->db, ak.ek_fingerprint, &ak), AK_UNKNOWN);
    assert_err(evidence_get(f->db, evidence.machine_id, 0, storage, &evidence), NOT_FOUND);
    assert_err(config_token_find(f->db, token_hash, FIXTURE_NOW_MS, &token), TOKEN_UNKNOWN);
    assert_ok(vote_history(f->db, vote.machine_id, votes, &count));
    assert_int_equal(count, 0);
    struct audit_verdict verdict;
    assert_ok(audit_verify(f->db, 1, 100, &verdict));
    assert_true(verdict.valid);
    assert_int_equal(verdict.rows, 3);
    assert_ok(db_check(f->db));
}

struct listed {
    unsigned count;
    char ids[32][MACHINE_ID_SIZE];
};

static err_t collect(void *context, const struct machine *machine)
{
    struct listed *listed = context;
    memcpy(listed->ids[listed->count++], machine->machine_id, MACHINE_ID_SIZE);
    return OK;
}

static struct listed list(struct fixture *f, int status, const char *role, const char *after,
                          uint32_t limit)
{
    struct listed listed = {0};
    struct machine_filter filter = {status, role};
    assert_ok(machine_list(f->db, &filter, after, limit, collect, &listed));
    return listed;
}

static void assert_listed(const struct listed *listed, unsigned count, const unsigned *numbers)
{
    assert_int_equal(listed->count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_string_equal(listed->ids[i], sample_machine(numbers[i]).machine_id);
    }
}

/* Inserted as 5, 4, 3, 2, 1, 0: the order is not that of the ids. Odd ones are attested, 4 and 5
 * are controlplane. */
static void fill(struct fixture *f)
{
    for (unsigned n = 6; n-- > 0;) {
        struct machine m = sample_machine(n);
        fixture_insert_machine(f, n);
        m.status = n % 2 ? MACHINE_ATTESTED : MACHINE_PENDING_APPROVAL;
        strcpy(m.role, n >= 4 ? "controlplane" : "worker-app");
        IN_BATCH(f, assert_ok(machine_update(f->db, &m)));
    }
}

static void listing_follows_insertion_and_filters(void **state)
{
    struct fixture *f = *state;
    fill(f);
    struct listed all = list(f, MACHINE_NONE, "", "", 32);
    assert_listed(&all, 6, (const unsigned[]){5, 4, 3, 2, 1, 0});
    struct listed attested = list(f, MACHINE_ATTESTED, NULL, "", 32);
    assert_listed(&attested, 3, (const unsigned[]){5, 3, 1});
    struct listed workers = list(f, MACHINE_NONE, "worker-app", "", 32);
    assert_listed(&workers, 4, (const unsigned[]){3, 2, 1, 0});
    struct listed both = list(f, MACHINE_ATTESTED, "controlplane", "", 32);
    assert_listed(&both, 1, (const unsigned[]){5});
    struct listed none = list(f, MACHINE_REVOKED, "", "", 32);
    assert_int_equal(none.count, 0);
}

static void pages_do_not_shift_when_machines_change_in_between(void **state)
{
    struct fixture *f = *state;
    fill(f);
    struct listed first = list(f, MACHINE_NONE, "", "", 2);
    assert_listed(&first, 2, (const unsigned[]){5, 4});
    struct machine m = sample_machine(5);
    m.status = MACHINE_REVOKED;
    IN_BATCH(f, {
        assert_ok(machine_update(f->db, &m));
        assert_ok(machine_delete(f->db, sample_machine(3).machine_id));
    });
    fixture_insert_machine(f, 7);
    struct listed second = list(f, MACHINE_NONE, "", first.ids[1], 2);
    assert_listed(&second, 2, (const unsigned[]){2, 1});
    struct listed third = list(f, MACHINE_NONE, "", second.ids[1], 2);
    assert_listed(&third, 2, (const unsigned[]){0, 7});
    struct listed end = list(f, MACHINE_NONE, "", third.ids[1], 2);
    assert_int_equal(end.count, 0);
}

static void listing_behind_an_unknown_machine_is_refused(void **state)
{
    struct fixture *f = *state;
    struct listed listed = {0};
    struct machine_filter any = {MACHINE_NONE, NULL};
    fill(f);
    assert_err(machine_list(f->db, &any, sample_machine(99).machine_id, 2, collect, &listed),
               MACHINE_UNKNOWN);
    assert_int_equal(listed.count, 0);
}

static err_t refuse(void *context, const struct machine *machine)
{
    (void)machine;
    ++*(int *)context;
    return E(TOO_LONG);
}

static void error_of_the_callback_ends_the_listing(void **state)
{
    struct fixture *f = *state;
    struct machine_filter any = {MACHINE_NONE, NULL};
    int calls = 0;
    fill(f);
    assert_err(machine_list(f->db, &any, "", 32, refuse, &calls), TOO_LONG);
    assert_int_equal(calls, 1);
    struct listed all = list(f, MACHINE_NONE, "", "", 32);
    assert_int_equal(all.count, 6);
}

static void counts_follow_every_change(void **state)
{
    struct fixture *f = *state;
    uint64_t count = 0;
    fill(f);
    assert_ok(machine_count_pending(f->db, &count));
    assert_int_equal(count, 3);
    assert_ok(machine_count(f->db, MACHINE_ATTESTED, &count));
    assert_int_equal(count, 3);
    IN_BATCH(f, assert_ok(machine_delete(f->db, sample_machine(2).machine_id)));
    assert_ok(machine_count_pending(f->db, &count));
    assert_int_equal(count, 2);
    assert_ok(machine_count(f->db, MACHINE_REVOKED, &count));
    assert_int_equal(count, 0);
}

int main(void)
{
#define TEST(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(stored_machine_reads_back_in_every_field),
        TEST(longest_texts_are_stored),
        TEST(unknown_machine_is_reported),
        TEST(machine_with_a_known_ek_is_refused_whole),
        TEST(machine_whose_ek_is_not_its_own_is_a_bug),
        TEST(update_changes_the_one_machine),
        TEST(update_to_a_status_that_does_not_exist_is_refused),
        TEST(machine_goes_by_its_own_eks_only),
        TEST(ek_of_another_machine_is_refused),
        TEST(ek_material_reads_back_as_it_was_sent),
        TEST(eks_of_a_machine_are_listed_the_oldest_first),
        TEST(material_that_comes_again_leaves_the_date_of_the_ek),
        TEST(ek_without_certificate_reads_back_empty),
        TEST(deleted_machine_leaves_only_its_audit_rows),
        TEST(listing_follows_insertion_and_filters),
        TEST(pages_do_not_shift_when_machines_change_in_between),
        TEST(listing_behind_an_unknown_machine_is_refused),
        TEST(error_of_the_callback_ends_the_listing),
        TEST(counts_follow_every_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
