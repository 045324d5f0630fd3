#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"

enum { TTL_MS = 30 * 60 * 1000 };

static const uint8_t TOKEN[TOKEN_HASH_BYTES] = {1, 2, 3};
static const uint8_t NEXT_TOKEN[TOKEN_HASH_BYTES] = {4, 5, 6};

static void put_token(struct fixture *f, const uint8_t *token)
{
    struct machine m = sample_machine(1);
    IN_BATCH(f, assert_ok(config_token_put(f->db, m.machine_id, sample_ek(2).fingerprint, token,
                                           FIXTURE_NOW_MS + TTL_MS)));
}

static void config_token_names_its_machine_and_the_ek_that_attested(void **state)
{
    struct fixture *f = *state;
    struct config_token_found found;
    fixture_insert_machine(f, 1);
    put_token(f, TOKEN);
    assert_ok(config_token_find(f->db, TOKEN, FIXTURE_NOW_MS, &found));
    assert_string_equal(found.machine_id, sample_machine(1).machine_id);
    assert_string_equal(found.ek_fingerprint, sample_ek(2).fingerprint);
    assert_int_equal(found.fetched_ms, 0);
    assert_int_equal(found.expires_ms, FIXTURE_NOW_MS + TTL_MS);
}

static void config_token_of_an_older_release_names_no_ek(void **state)
{
    struct fixture *f = *state;
    struct config_token_found found;
    fixture_insert_machine(f, 1);
    put_token(f, TOKEN);
    fixture_close(f);
    fixture_tamper(f, "UPDATE config_token SET ek_fingerprint = x''");
    fixture_open(f);
    assert_ok(config_token_find(f->db, TOKEN, FIXTURE_NOW_MS, &found));
    assert_string_equal(found.ek_fingerprint, "");
}

static void unknown_and_expired_config_tokens_are_the_same(void **state)
{
    struct fixture *f = *state;
    struct config_token_found found;
    uint64_t end = FIXTURE_NOW_MS + TTL_MS;
    fixture_insert_machine(f, 1);
    put_token(f, TOKEN);
    assert_err(config_token_find(f->db, NEXT_TOKEN, FIXTURE_NOW_MS, &found), TOKEN_UNKNOWN);
    assert_err(config_token_find(f->db, TOKEN, end, &found), TOKEN_UNKNOWN);
    assert_ok(config_token_find(f->db, TOKEN, end - 1, &found));
    IN_BATCH(
        f, assert_err(config_token_mark_fetched(f->db, NEXT_TOKEN, FIXTURE_NOW_MS), TOKEN_UNKNOWN));
}

static void config_token_dies_after_its_grace_period(void **state)
{
    struct fixture *f = *state;
    struct config_token_found found;
    uint64_t first = FIXTURE_NOW_MS + 10;
    fixture_insert_machine(f, 1);
    put_token(f, TOKEN);
    IN_BATCH(f, assert_ok(config_token_mark_fetched(f->db, TOKEN, first)));
    /* A second fetch does not start the period again. */
    IN_BATCH(f, assert_ok(config_token_mark_fetched(f->db, TOKEN, first + 1000)));
    uint64_t end = first + CONFIG_TOKEN_GRACE_MS;
    assert_ok(config_token_find(f->db, TOKEN, end - 1, &found));
    assert_int_equal(found.fetched_ms, first);
    assert_err(config_token_find(f->db, TOKEN, end, &found), TOKEN_UNKNOWN);
    IN_BATCH(f, assert_err(config_token_mark_fetched(f->db, TOKEN, end), TOKEN_UNKNOWN));
}

static void machine_has_one_live_config_token(void **state)
{
    struct fixture *f = *state;
    struct config_token_found found;
    fixture_insert_machine(f, 1);
    put_token(f, TOKEN);
    IN_BATCH(f, assert_ok(config_token_mark_fetched(f->db, TOKEN, FIXTURE_NOW_MS)));
    put_token(f, NEXT_TOKEN);
    assert_err(config_token_find(f->db, TOKEN, FIXTURE_NOW_MS, &found), TOKEN_UNKNOWN);
    assert_ok(config_token_find(f->db, NEXT_TOKEN, FIXTURE_NOW_MS, &found));
    assert_int_equal(found.fetched_ms, 0);
}

static void killed_config_token_is_unknown(void **state)
{
    struct fixture *f = *state;
    struct config_token_found found;
    fixture_insert_machine(f, 1);
    put_token(f, TOKEN);
    IN_BATCH(f, {
        assert_ok(config_token_kill(f->db, sample_machine(1).machine_id));
        assert_ok(config_token_kill(f->db, sample_machine(1).machine_id));
    });
    assert_err(config_token_find(f->db, TOKEN, FIXTURE_NOW_MS, &found), TOKEN_UNKNOWN);
}

static void config_token_of_nobody_is_refused(void **state)
{
    struct fixture *f = *state;
    struct machine m = sample_machine(1);
    IN_BATCH(f, assert_err(config_token_put(f->db, m.machine_id, m.ek_fingerprint, TOKEN,
                                            FIXTURE_NOW_MS + TTL_MS),
                           MACHINE_UNKNOWN));
}

static struct vote sample_vote(const char *subject)
{
    struct vote v = {
        .issuer = "https://idp.example",
        .role = "controlplane",
        .hostname = "cp-1",
        .assigned_ip = "192.0.2.1/24",
        .cluster_id = "prod",
        .created_ms = FIXTURE_NOW_MS,
        .expires_ms = FIXTURE_NOW_MS + TTL_MS,
    };
    struct machine m = sample_machine(1);
    memcpy(v.machine_id, m.machine_id, sizeof v.machine_id);
    snprintf(v.subject, sizeof v.subject, "%s", subject);
    return v;
}

static size_t live_votes(struct fixture *f, uint64_t now_ms, struct vote *votes)
{
    size_t count = 99;
    assert_ok(vote_list(f->db, sample_machine(1).machine_id, now_ms, votes, &count));
    return count;
}

static void votes_of_different_people_are_listed_as_cast(void **state)
{
    struct fixture *f = *state;
    struct vote votes[VOTES_LISTED_MAX];
    struct vote alice = sample_vote("alice");
    struct vote bob = sample_vote("bob");
    bob.created_ms++;
    fixture_insert_machine(f, 1);
    IN_BATCH(f, {
        assert_ok(vote_put(f->db, &bob));
        assert_ok(vote_put(f->db, &alice));
    });
    assert_int_equal(live_votes(f, FIXTURE_NOW_MS, votes), 2);
    assert_memory_equal(&votes[0], &alice, sizeof alice);
    assert_memory_equal(&votes[1], &bob, sizeof bob);
}

static void one_identity_votes_once(void **state)
{
    struct fixture *f = *state;
    struct vote votes[VOTES_LISTED_MAX];
    struct vote alice = sample_vote("alice");
    fixture_insert_machine(f, 1);
    IN_BATCH(f, assert_ok(vote_put(f->db, &alice)));
    struct vote again = alice;
    strcpy(again.role, "worker-app");
    again.created_ms++;
    IN_BATCH(f, assert_err(vote_put(f->db, &again), DB_CONFLICT));
    assert_int_equal(live_votes(f, FIXTURE_NOW_MS, votes), 1);
    assert_string_equal(votes[0].role, "controlplane");
    /* The same name at another issuer is another person. */
    strcpy(again.issuer, "https://other.example");
    IN_BATCH(f, assert_ok(vote_put(f->db, &again)));
    assert_int_equal(live_votes(f, FIXTURE_NOW_MS, votes), 2);
}

static void expired_vote_is_not_counted_and_can_be_cast_again(void **state)
{
    struct fixture *f = *state;
    struct vote votes[VOTES_LISTED_MAX];
    struct vote alice = sample_vote("alice");
    fixture_insert_machine(f, 1);
    IN_BATCH(f, assert_ok(vote_put(f->db, &alice)));
    assert_int_equal(live_votes(f, alice.expires_ms - 1, votes), 1);
    assert_int_equal(live_votes(f, alice.expires_ms, votes), 0);
    struct vote again = alice;
    again.created_ms = alice.expires_ms;
    again.expires_ms = alice.expires_ms + TTL_MS;
    IN_BATCH(f, assert_ok(vote_put(f->db, &again)));
    assert_int_equal(live_votes(f, alice.expires_ms, votes), 1);
}

static void consumed_votes_are_history(void **state)
{
    struct fixture *f = *state;
    struct vote votes[VOTES_LISTED_MAX];
    struct vote alice = sample_vote("alice");
    size_t count = 0;
    fixture_insert_machine(f, 1);
    IN_BATCH(f, {
        assert_ok(vote_put(f->db, &alice));
        assert_ok(vote_consume(f->db, alice.machine_id, FIXTURE_NOW_MS + 5));
    });
    assert_int_equal(live_votes(f, FIXTURE_NOW_MS, votes), 0);
    assert_ok(vote_history(f->db, alice.machine_id, votes, &count));
    assert_int_equal(count, 1);
    assert_int_equal(votes[0].consumed_ms, FIXTURE_NOW_MS + 5);
    alice.created_ms += 6;
    IN_BATCH(f, assert_ok(vote_put(f->db, &alice)));
    assert_int_equal(live_votes(f, alice.created_ms, votes), 1);
}

static void killed_votes_are_gone(void **state)
{
    struct fixture *f = *state;
    struct vote votes[VOTES_LISTED_MAX];
    struct vote alice = sample_vote("alice");
    size_t count = 9;
    fixture_insert_machine(f, 1);
    IN_BATCH(f, {
        assert_ok(vote_put(f->db, &alice));
        assert_ok(vote_kill(f->db, alice.machine_id));
    });
    assert_int_equal(live_votes(f, FIXTURE_NOW_MS, votes), 0);
    assert_ok(vote_history(f->db, alice.machine_id, votes, &count));
    assert_int_equal(count, 0);
}

static void votes_are_listed_up_to_their_limit(void **state)
{
    struct fixture *f = *state;
    struct vote votes[VOTES_LISTED_MAX];
    fixture_insert_machine(f, 1);
    assert_ok(db_begin(f->db));
    for (int i = 0; i < VOTES_LISTED_MAX + 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "p%d", i);
        struct vote v = sample_vote(name);
        assert_ok(vote_put(f->db, &v));
    }
    assert_ok(db_commit(f->db));
    assert_int_equal(live_votes(f, FIXTURE_NOW_MS, votes), VOTES_LISTED_MAX);
    struct vote orphan = sample_vote("alice");
    memcpy(orphan.machine_id, sample_machine(9).machine_id, sizeof orphan.machine_id);
    IN_BATCH(f, assert_err(vote_put(f->db, &orphan), MACHINE_UNKNOWN));
}

static struct operator_credential sample_credential(uint8_t n)
{
    struct operator_credential c = {
        .kind = OPERATOR_CREDENTIAL_BREAK_GLASS,
        .token_sha384 = {n},
        .public_key = {n, 2, 3},
        .public_key_len = 120,
        .subject = "SYSTEM",
        .reason = "IdP is down",
        .opened_ms = FIXTURE_NOW_MS,
        .expires_ms = FIXTURE_NOW_MS + TTL_MS + n,
    };
    snprintf(c.id, sizeof c.id, "%08x-0000-4000-8000-000000000000", n);
    assert_ok(sha256(view_of(c.public_key, c.public_key_len), c.key_id));
    return c;
}

static void operator_credential_is_found_by_token_and_by_key(void **state)
{
    struct fixture *f = *state;
    struct operator_credential c = sample_credential(1);
    struct operator_credential found;
    IN_BATCH(f, assert_ok(operator_credential_put(f->db, &c)));
    memset(&found, 0xff, sizeof found);
    assert_ok(operator_credential_by_token(f->db, c.token_sha384, FIXTURE_NOW_MS, &found));
    assert_memory_equal(&found, &c, sizeof c);
    assert_ok(operator_credential_by_key_id(f->db, c.key_id, FIXTURE_NOW_MS, &found));
    assert_memory_equal(&found, &c, sizeof c);
}

static void unknown_expired_and_closed_credentials_are_refused(void **state)
{
    struct fixture *f = *state;
    struct operator_credential c = sample_credential(1);
    struct operator_credential other = sample_credential(2);
    struct operator_credential found;
    uint64_t closed = 0;
    IN_BATCH(f, assert_ok(operator_credential_put(f->db, &c)));
    assert_err(operator_credential_by_token(f->db, other.token_sha384, FIXTURE_NOW_MS, &found),
               AUTH_INVALID);
    assert_err(operator_credential_by_key_id(f->db, other.key_id, FIXTURE_NOW_MS, &found),
               AUTH_INVALID);
    assert_err(operator_credential_by_token(f->db, c.token_sha384, c.expires_ms, &found),
               AUTH_INVALID);
    IN_BATCH(f, assert_ok(operator_credential_close_all(f->db, FIXTURE_NOW_MS + 1, &closed)));
    assert_int_equal(closed, 1);
    assert_err(operator_credential_by_token(f->db, c.token_sha384, FIXTURE_NOW_MS, &found),
               AUTH_INVALID);
    assert_err(operator_credential_by_key_id(f->db, c.key_id, FIXTURE_NOW_MS, &found),
               AUTH_INVALID);
    IN_BATCH(f, assert_ok(operator_credential_close_all(f->db, FIXTURE_NOW_MS + 2, &closed)));
    assert_int_equal(closed, 0);
}

static void two_tokens_without_keys_live_side_by_side(void **state)
{
    struct fixture *f = *state;
    struct operator_credential a = sample_credential(1);
    struct operator_credential b = sample_credential(2);
    struct operator_credential found;
    uint8_t empty_id[KEY_ID_BYTES];
    a.public_key_len = b.public_key_len = 0;
    IN_BATCH(f, {
        assert_ok(operator_credential_put(f->db, &a));
        assert_ok(operator_credential_put(f->db, &b));
        assert_err(operator_credential_put(f->db, &b), DB_CONFLICT);
    });
    assert_ok(operator_credential_by_token(f->db, b.token_sha384, FIXTURE_NOW_MS, &found));
    assert_int_equal(found.public_key_len, 0);
    /* The hash of no key at all names nobody. */
    assert_ok(sha256(VIEW_EMPTY, empty_id));
    assert_err(operator_credential_by_key_id(f->db, empty_id, FIXTURE_NOW_MS, &found),
               AUTH_INVALID);
}

static void open_credentials_are_listed(void **state)
{
    struct fixture *f = *state;
    struct operator_credential list[OPERATOR_CREDENTIALS_LISTED_MAX];
    size_t count = 0;
    assert_ok(db_begin(f->db));
    for (uint8_t n = 1; n <= 3; n++) {
        struct operator_credential c = sample_credential(n);
        assert_ok(operator_credential_put(f->db, &c));
    }
    assert_ok(db_commit(f->db));
    assert_ok(operator_credential_list_open(f->db, FIXTURE_NOW_MS, list, &count));
    assert_int_equal(count, 3);
    assert_string_equal(list[0].id, sample_credential(3).id);
    uint64_t first_gone = sample_credential(1).expires_ms;
    assert_ok(operator_credential_list_open(f->db, first_gone, list, &count));
    assert_int_equal(count, 2);
}

static void replayed_signature_is_refused_until_it_expires(void **state)
{
    struct fixture *f = *state;
    uint8_t key_id[KEY_ID_BYTES] = {1};
    uint8_t other_key[KEY_ID_BYTES] = {2};
    struct view nonce = view_text("b3k2pp5k7z-50gnwp.yemd");
    uint64_t removed = 0;
    uint64_t end = FIXTURE_NOW_MS + 1000;
    IN_BATCH(f, assert_ok(request_signature_seen(f->db, key_id, nonce, end)));
    IN_BATCH(f, assert_err(request_signature_seen(f->db, key_id, nonce, end), SIGNATURE_REPLAYED));
    IN_BATCH(f, assert_ok(request_signature_seen(f->db, other_key, nonce, end)));
    IN_BATCH(f, assert_ok(request_signature_seen(f->db, key_id, view_text("another"), end)));
    IN_BATCH(f, assert_ok(expire_old(f->db, end - 1, 100, &removed)));
    assert_int_equal(removed, 0);
    IN_BATCH(f, assert_err(request_signature_seen(f->db, key_id, nonce, end), SIGNATURE_REPLAYED));
    IN_BATCH(f, assert_ok(expire_old(f->db, end, 100, &removed)));
    assert_int_equal(removed, 3);
}

static void too_long_signature_nonce_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t key_id[KEY_ID_BYTES] = {1};
    uint8_t nonce[SIGNATURE_NONCE_MAX_BYTES + 1] = {0};
    IN_BATCH(f, {
        assert_err(request_signature_seen(f->db, key_id, view_of(nonce, sizeof nonce), 1),
                   TOO_LONG);
        assert_ok(request_signature_seen(f->db, key_id, view_of(nonce, sizeof nonce - 1), 1));
    });
}

int main(void)
{
#define TEST(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(config_token_names_its_machine_and_the_ek_that_attested),
        TEST(config_token_of_an_older_release_names_no_ek),
        TEST(unknown_and_expired_config_tokens_are_the_same),
        TEST(config_token_dies_after_its_grace_period),
        TEST(machine_has_one_live_config_token),
        TEST(killed_config_token_is_unknown),
        TEST(config_token_of_nobody_is_refused),
        TEST(votes_of_different_people_are_listed_as_cast),
        TEST(one_identity_votes_once),
        TEST(expired_vote_is_not_counted_and_can_be_cast_again),
        TEST(consumed_votes_are_history),
        TEST(killed_votes_are_gone),
        TEST(votes_are_listed_up_to_their_limit),
        TEST(operator_credential_is_found_by_token_and_by_key),
        TEST(unknown_expired_and_closed_credentials_are_refused),
        TEST(two_tokens_without_keys_live_side_by_side),
        TEST(open_credentials_are_listed),
        TEST(replayed_signature_is_refused_until_it_expires),
        TEST(too_long_signature_nonce_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
