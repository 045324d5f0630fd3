/* Which machine an EK belongs to after a proof. EKs are keys in memory that policy trusts by hash, or does not; that a credential was opened
 * is taken for granted here. */
#include "signer/join.h"

#include "tests/sql/fixture.h"
#include "tests/tpm/area.h"
#include "tests/tpm/issue.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tpm/ek.h"

enum { OLD = 1, NEW = 2, THIRD = 3, KEYS = 6 };

static EVP_PKEY *keys[KEYS]; /* of EKs, by number */
static EVP_PKEY *ak_key;

struct bench {
    struct fixture *fixture;
    struct signer signer;
    struct call call;
    struct possession possession;
    struct ek *ek; /* shown in this call */
};

static int make_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++) {
        keys[i] = issue_ec("P-256");
    }
    ak_key = issue_ec("P-256");
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++) {
        EVP_PKEY_free(keys[i]);
    }
    EVP_PKEY_free(ak_key);
    return 0;
}

static struct ek *make_ek(unsigned n)
{
    AUTO(buf) spki = issue_spki(keys[n]);
    struct ek *ek;
    assert_ok(ek_parse(buf_view(spki), EK_SOURCE_PUB, &ek));
    return ek;
}

static void trust_ek(struct bench *b, unsigned n)
{
    char hex[MACHINE_EK_SIZE];
    AUTO(ek) ek = make_ek(n);
    hex_encode(view_of(ek->spki_sha384, SHA384_BYTES), hex);
    assert_ok(trust_allow_hash(b->signer.trust, view_text(hex)));
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    void *fixture = NULL;
    assert_int_equal(fixture_setup(&fixture), 0);
    b->fixture = fixture;
    assert_ok(trust_new(&b->signer.trust));
    assert_ok(policy_new(&b->signer.policy));
    b->signer.policy->trust = POLICY_TRUST_CHAIN_OR_HASH;
    b->signer.db = b->fixture->db;
    b->call = (struct call){.signer = &b->signer, .now_ms = FIXTURE_NOW_MS + 5, .name = "attest"};
    AUTO(buf) area = NULL;
    const struct area_spec spec = area_ak(ak_key, TPM_ALG_ECDSA, TPM_ALG_SHA256);
    area = area_tpm2b(&spec);
    assert_ok(ak_parse(buf_view(area), &b->possession.ak));
    b->possession.ak_is_new = true;
    assert_ok(db_begin(b->fixture->db));
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    void *fixture = b->fixture;
    db_rollback(b->fixture->db);
    possession_clear(&b->possession);
    ek_free(b->ek);
    trust_free(b->signer.trust);
    policy_free(b->signer.policy);
    assert_int_equal(fixture_teardown(&fixture), 0);
    free(b);
    return 0;
}

/* Machine n with EK n, as it registered itself, in the state. */
static struct machine put_machine(struct bench *b, unsigned n, enum machine_status status)
{
    AUTO(ek) ek = make_ek(n);
    struct machine m = sample_machine(n);
    hex_encode(view_of(ek->spki_sha384, SHA384_BYTES), m.ek_fingerprint);
    m.status = (int)status;
    m.ek_source = EK_SOURCE_PUB;
    struct ek_record record = {.source = EK_SOURCE_PUB, .key_type = (int)ek->key_type, .spki = buf_view(ek->spki), .since_ms = FIXTURE_NOW_MS};
    memcpy(record.fingerprint, m.ek_fingerprint, sizeof record.fingerprint);
    assert_ok(machine_insert(b->fixture->db, &m, &record));
    return m;
}

/* From here on the calls show EK n. */
static void show(struct bench *b, unsigned n)
{
    ek_free(b->ek);
    b->ek = make_ek(n);
    hex_encode(view_of(b->ek->spki_sha384, SHA384_BYTES), b->call.ek_fingerprint);
}

/* The one AK there is was proved to sit beside EK n. */
static void activate(struct bench *b, unsigned n, const struct machine *machine)
{
    show(b, n);
    assert_ok(possession_store(&b->call, machine, b->ek, &b->possession));
}

/* Machine OLD, attested with the AK, and machine NEW that waits, whose EK is shown; both EKs are trusted. */
static struct machine put_both(struct bench *b, enum machine_status old_status, enum machine_status new_status)
{
    struct machine old = put_machine(b, OLD, old_status);
    struct machine new = put_machine(b, NEW, new_status);
    trust_ek(b, OLD);
    trust_ek(b, NEW);
    activate(b, OLD, &old);
    show(b, NEW);
    memcpy(b->call.machine_id, new.machine_id, sizeof b->call.machine_id);
    return new;
}

static err_t count_row(void *context, const struct audit_entry *entry)
{
    (void)entry;
    size_t *count = context;
    ++*count;
    return OK;
}

/* Audit rows of an action, of this machine unless that is NULL. */
static size_t rows_of(struct bench *b, const char *action, const char *machine_id)
{
    size_t count = 0;
    const struct audit_filter filter = {.action = action, .machine_id = machine_id};
    assert_ok(audit_list(b->fixture->db, &filter, 0, 100, count_row, &count));
    return count;
}

static bool leads_nowhere(struct bench *b, const struct machine *own)
{
    struct join join;
    assert_ok(join_find(&b->call, b->ek, &b->possession, own, &join));
    return !join.needed && rows_of(b, "ek_conflict", NULL) == 0;
}

static void ek_with_the_ak_of_a_trusted_ek_joins_its_machine(void **state)
{
    struct bench *b = *state;
    struct ek_summary eks[MACHINE_EKS_MAX];
    struct ak_record ak;
    size_t count = 0;
    struct machine m = put_both(b, MACHINE_ATTESTED, MACHINE_PENDING_APPROVAL);
    assert_ok(join_machine(&b->call, b->ek, &b->possession, &m));
    assert_string_equal(m.machine_id, sample_machine(OLD).machine_id);
    assert_string_equal(b->call.machine_id, m.machine_id);
    assert_string_not_equal(m.ek_fingerprint, b->call.ek_fingerprint); /* the approved EK names it */
    assert_ok(machine_by_ek(b->fixture->db, b->call.ek_fingerprint, &m));
    assert_string_equal(m.machine_id, sample_machine(OLD).machine_id);
    assert_int_equal(m.status, MACHINE_ATTESTED);
    assert_ok(ek_list(b->fixture->db, m.machine_id, eks, &count));
    assert_int_equal(count, 2);
    assert_string_equal(eks[1].fingerprint, b->call.ek_fingerprint);
    assert_int_equal(eks[1].since_ms, b->call.now_ms);
    assert_ok(ak_get(b->fixture->db, b->call.ek_fingerprint, &ak));
    assert_true(view_equal(view_of(ak.name, ak.name_len), ak_name(b->possession.ak)));
}

static void record_that_waited_is_gone_and_both_sides_are_told(void **state)
{
    struct bench *b = *state;
    struct machine m = put_both(b, MACHINE_ATTESTED, MACHINE_PENDING_APPROVAL);
    assert_ok(join_machine(&b->call, b->ek, &b->possession, &m));
    assert_err(machine_by_id(b->fixture->db, sample_machine(NEW).machine_id, &m), MACHINE_UNKNOWN);
    assert_int_equal(rows_of(b, "machine_absorbed", sample_machine(NEW).machine_id), 1);
    assert_int_equal(rows_of(b, "ek_joined", sample_machine(OLD).machine_id), 1);
}

static void machine_that_is_joined_keeps_its_state(void **state)
{
    struct bench *b = *state;
    struct machine m = put_both(b, MACHINE_REVOKED, MACHINE_PENDING_APPROVAL);
    assert_ok(join_machine(&b->call, b->ek, &b->possession, &m));
    assert_int_equal(m.status, MACHINE_REVOKED);
    assert_ok(machine_by_ek(b->fixture->db, b->call.ek_fingerprint, &m));
    assert_int_equal(m.status, MACHINE_REVOKED);
}

static void ak_that_is_only_known_joins_nothing(void **state)
{
    struct bench *b = *state;
    struct machine m = put_both(b, MACHINE_ATTESTED, MACHINE_PENDING_APPROVAL);
    b->possession.ak_is_new = false;
    assert_true(leads_nowhere(b, &m));
}

static void ek_that_policy_does_not_trust_joins_nothing(void **state)
{
    struct bench *b = *state;
    struct machine old = put_machine(b, OLD, MACHINE_ATTESTED);
    struct machine m = put_machine(b, NEW, MACHINE_PENDING_APPROVAL);
    trust_ek(b, OLD);
    activate(b, OLD, &old);
    show(b, NEW);
    assert_true(leads_nowhere(b, &m));
}

static void ak_beside_an_ek_that_policy_does_not_trust_is_nobodys(void **state)
{
    struct bench *b = *state;
    struct machine old = put_machine(b, OLD, MACHINE_ATTESTED);
    struct machine m = put_machine(b, NEW, MACHINE_REGISTERED);
    trust_ek(b, NEW);
    activate(b, OLD, &old);
    show(b, NEW);
    assert_true(leads_nowhere(b, &m));
}

static void policy_that_trusts_nothing_joins_nothing(void **state)
{
    struct bench *b = *state;
    struct machine m = put_both(b, MACHINE_ATTESTED, MACHINE_PENDING_APPROVAL);
    b->signer.policy->trust = POLICY_TRUST_CHAIN_AND_HASH;
    assert_true(leads_nowhere(b, &m));
    b->signer.policy->trust = POLICY_TRUST_NONE;
    assert_true(leads_nowhere(b, &m));
}

static void ak_of_the_machine_itself_joins_nothing(void **state)
{
    struct bench *b = *state;
    struct machine m = put_machine(b, OLD, MACHINE_ATTESTED);
    trust_ek(b, OLD);
    activate(b, OLD, &m);
    assert_true(leads_nowhere(b, &m));
}

static void machine_that_was_decided_on_is_never_absorbed(void **state)
{
    struct bench *b = *state;
    static const enum machine_status decided[] = {MACHINE_REGISTERED, MACHINE_ATTESTED, MACHINE_LOCKED, MACHINE_REJECTED};
    struct machine m = put_both(b, MACHINE_ATTESTED, MACHINE_PENDING_APPROVAL);
    for (size_t i = 0; i < sizeof decided / sizeof decided[0]; i++) {
        struct machine found;
        m.status = (int)decided[i];
        assert_ok(machine_update(b->fixture->db, &m));
        assert_err(join_machine(&b->call, b->ek, &b->possession, &m), EK_OF_ANOTHER_MACHINE);
        assert_ok(machine_by_ek(b->fixture->db, b->call.ek_fingerprint, &found));
        assert_memory_equal(&found, &m, sizeof m);
        assert_int_equal(rows_of(b, "ek_conflict", m.machine_id), i + 1);
    }
    assert_int_equal(rows_of(b, "ek_joined", NULL), 0);
}

static void revoked_machine_is_answered_as_such_by_its_own_ek(void **state)
{
    struct bench *b = *state;
    struct machine m = put_both(b, MACHINE_ATTESTED, MACHINE_REVOKED);
    assert_true(leads_nowhere(b, &m));
}

/* As a database may hold it from before joins were looked for. */
static void ak_of_two_machines_is_a_conflict(void **state)
{
    struct bench *b = *state;
    struct machine m = put_both(b, MACHINE_ATTESTED, MACHINE_PENDING_APPROVAL);
    struct machine third = put_machine(b, THIRD, MACHINE_ATTESTED);
    trust_ek(b, THIRD);
    activate(b, THIRD, &third);
    show(b, NEW);
    assert_err(join_machine(&b->call, b->ek, &b->possession, &m), EK_OF_ANOTHER_MACHINE);
    assert_ok(machine_by_ek(b->fixture->db, b->call.ek_fingerprint, &m));
    assert_string_equal(m.machine_id, sample_machine(NEW).machine_id);
}

static void two_eks_of_one_machine_are_no_conflict(void **state)
{
    struct bench *b = *state;
    struct machine m = put_both(b, MACHINE_ATTESTED, MACHINE_PENDING_APPROVAL);
    assert_ok(join_machine(&b->call, b->ek, &b->possession, &m));
    struct machine third = put_machine(b, THIRD, MACHINE_PENDING_APPROVAL);
    trust_ek(b, THIRD);
    show(b, THIRD);
    assert_ok(join_machine(&b->call, b->ek, &b->possession, &third));
    assert_string_equal(third.machine_id, m.machine_id);
}

static void fifth_ek_is_refused_and_waits_on(void **state)
{
    struct bench *b = *state;
    struct machine old = put_machine(b, 0, MACHINE_ATTESTED);
    trust_ek(b, 0);
    activate(b, 0, &old);
    for (unsigned n = 1; n <= MACHINE_EKS_MAX; n++) {
        struct machine m = put_machine(b, n, MACHINE_PENDING_APPROVAL);
        trust_ek(b, n);
        show(b, n);
        err_t joined = join_machine(&b->call, b->ek, &b->possession, &m);
        if (n < MACHINE_EKS_MAX) {
            assert_ok(joined);
        } else {
            assert_err(joined, MACHINE_EKS);
            assert_ok(machine_by_id(b->fixture->db, sample_machine(n).machine_id, &m));
            assert_int_equal(m.status, MACHINE_PENDING_APPROVAL);
        }
    }
}

int main(void)
{
#define TEST(test_) cmocka_unit_test_setup_teardown(test_, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(ek_with_the_ak_of_a_trusted_ek_joins_its_machine),
        TEST(record_that_waited_is_gone_and_both_sides_are_told),
        TEST(machine_that_is_joined_keeps_its_state),
        TEST(ak_that_is_only_known_joins_nothing),
        TEST(ek_that_policy_does_not_trust_joins_nothing),
        TEST(ak_beside_an_ek_that_policy_does_not_trust_is_nobodys),
        TEST(policy_that_trusts_nothing_joins_nothing),
        TEST(ak_of_the_machine_itself_joins_nothing),
        TEST(machine_that_was_decided_on_is_never_absorbed),
        TEST(revoked_machine_is_answered_as_such_by_its_own_ek),
        TEST(ak_of_two_machines_is_a_conflict),
        TEST(two_eks_of_one_machine_are_no_conflict),
        TEST(fifth_ek_is_refused_and_waits_on),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
