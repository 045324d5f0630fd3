#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/schedule.h"

enum { S = 1000, MIN = 60 * S, HOUR = 60 * MIN };
static const uint64_t DAY = 24 * (uint64_t)HOUR;
static const uint64_t NOW = 1800000000000; /* in utc */
static const uint64_t UP = 5 * (uint64_t)MIN;

static struct schedule_clock at(uint64_t after_ms)
{
    return (struct schedule_clock){.elapsed_ms = UP + after_ms, .utc_ms = NOW + after_ms};
}

/* Obtained at at(0), with a life of an hour and the latest of all times. */
static struct schedule_certificate svid(void)
{
    return (struct schedule_certificate){
        .held = true, .from_ms = NOW, .until_ms = NOW + HOUR, .since_ms = UP, .dice = 1023};
}

/* Attested at at(0), to attest again after six hours. */
static struct schedule_facts standing(struct schedule_clock now)
{
    return (struct schedule_facts){.now = now,
                                   .attested = true,
                                   .attest_at_ms = UP + 6 * (uint64_t)HOUR,
                                   .count = 1,
                                   .certificates = {svid()}};
}

static void assert_about(uint64_t value, uint64_t expected)
{
    assert_in_range(value, expected - 5 * S, expected + 5 * S);
}

/* -- one certificate --------------------------------------------------------------------------- */

static void certificate_is_due_at_two_thirds_of_its_life(void **state)
{
    (void)state;
    struct schedule_certificate c = svid();
    assert_about(schedule_renewal_ms(&c, at(0)), 40 * MIN);
    assert_about(schedule_renewal_ms(&c, at(30 * MIN)), 10 * MIN);
    assert_int_equal(schedule_renewal_ms(&c, at(40 * MIN)), 0);
    assert_int_equal(schedule_renewal_ms(&c, at(2 * HOUR)), 0);
}

static void jitter_is_only_ever_early_and_never_much(void **state)
{
    (void)state;
    struct schedule_certificate c = svid();
    c.dice = 0;
    assert_about(schedule_renewal_ms(&c, at(0)), 35 * MIN);
    for (uint32_t dice = 0; dice < 5000; dice++) {
        c.dice = dice * 7919;
        assert_in_range(schedule_renewal_ms(&c, at(0)), 35 * MIN, 40 * MIN);
    }
}

static void missing_or_senseless_certificate_is_due_at_once(void **state)
{
    (void)state;
    struct schedule_certificate none = {0};
    struct schedule_certificate reversed = svid();
    reversed.until_ms = reversed.from_ms - 1;
    assert_int_equal(schedule_renewal_ms(&none, at(0)), 0);
    assert_int_equal(schedule_renewal_ms(&reversed, at(0)), 0);
}

static void clock_that_steps_ahead_makes_it_due(void **state)
{
    (void)state;
    struct schedule_certificate c = svid();
    struct schedule_clock now = at(MIN);
    now.utc_ms += HOUR;
    assert_int_equal(schedule_renewal_ms(&c, now), 0);
}

static void clock_that_steps_back_does_not_make_it_sleep_past_the_end(void **state)
{
    (void)state;
    struct schedule_certificate c = svid();
    struct schedule_clock now = at(10 * MIN);
    now.utc_ms -= 365 * DAY; /* before the beginning: says nothing */
    assert_about(schedule_renewal_ms(&c, now), 30 * MIN);
    now = at(30 * MIN);
    now.utc_ms -= 29 * MIN; /* within the life: age says more */
    assert_about(schedule_renewal_ms(&c, now), 10 * MIN);
    now = at(40 * MIN);
    now.utc_ms -= 365 * DAY;
    assert_int_equal(schedule_renewal_ms(&c, now), 0);
}

static void suspended_machine_finds_it_due_when_it_wakes(void **state)
{
    (void)state;
    struct schedule_certificate c = svid();
    assert_int_equal(schedule_renewal_ms(&c, at(8 * (uint64_t)HOUR)), 0);
}

static void clock_that_was_wrong_when_it_was_issued_does_not_make_it_due_for_ever(void **state)
{
    (void)state;
    struct schedule_certificate c = svid();
    c.clock_doubted = true;
    struct schedule_clock now = at(0);
    now.utc_ms += 365 * DAY; /* a year ahead: every certificate looks ended */
    assert_about(schedule_renewal_ms(&c, now), 40 * MIN);
    now = at(45 * MIN);
    now.utc_ms += 365 * DAY;
    assert_int_equal(schedule_renewal_ms(&c, now), 0);
    assert_about(schedule_renewal_ms(&c, at(20 * MIN)), 20 * MIN); /* set right meanwhile */
}

static void certificate_found_after_a_restart_is_as_old_as_it_was(void **state)
{
    (void)state;
    struct schedule_certificate c = svid();
    struct schedule_clock back = at(30 * MIN);
    back.utc_ms -= 365 * DAY;
    c.since_ms = UP + 30 * MIN;
    c.age_ms = 30 * MIN;
    assert_about(schedule_renewal_ms(&c, at(30 * MIN)), 10 * MIN);
    assert_about(schedule_renewal_ms(&c, back), 10 * MIN);
    c.age_ms = HOUR; /* nobody knows */
    assert_int_equal(schedule_renewal_ms(&c, back), 0);
}

/* -- what is next ------------------------------------------------------------------------------ */

static void fresh_agent_attests_at_once(void **state)
{
    (void)state;
    struct schedule_facts facts = {.now = at(0), .count = 2};
    assert_int_equal(schedule_next(&facts).action, SCHEDULE_ATTEST);
}

static void each_clock_is_its_own_and_the_first_one_due_runs(void **state)
{
    (void)state;
    struct schedule_facts facts = standing(at(0));
    struct schedule_step step = schedule_next(&facts);
    assert_int_equal(step.action, SCHEDULE_WAIT);
    assert_about(step.wait_ms, 40 * MIN);
    facts.now = at(41 * MIN);
    assert_int_equal(schedule_next(&facts).action, SCHEDULE_RENEW);
    facts.attest_at_ms = UP + 10 * MIN;
    facts.now = at(0);
    assert_int_equal(schedule_next(&facts).wait_ms, 10 * MIN);
    facts.now = at(41 * MIN);
    assert_int_equal(schedule_next(&facts).action, SCHEDULE_ATTEST); /* which renews as well */
}

static void shorter_life_decides(void **state)
{
    (void)state;
    struct schedule_facts facts = standing(at(0));
    facts.attest_at_ms = UP + 365 * DAY;
    facts.count = 2;
    facts.certificates[1] = svid();
    facts.certificates[0].until_ms = NOW + 30 * DAY;
    assert_about(schedule_next(&facts).wait_ms, 40 * MIN);
    facts.count = 1; /* no SVID wanted */
    assert_in_range(schedule_next(&facts).wait_ms, 20 * DAY - HOUR, 20 * DAY);
}

static void agent_without_certificates_only_attests(void **state)
{
    (void)state;
    struct schedule_facts facts = standing(at(0));
    facts.count = 0;
    assert_int_equal(schedule_next(&facts).wait_ms, 6 * (uint64_t)HOUR);
}

static void renewal_never_comes_before_its_least_interval(void **state)
{
    (void)state;
    struct schedule_facts facts = standing(at(0));
    facts.certificates[0].held = false;
    facts.renew_at_ms = UP + MIN;
    struct schedule_step step = schedule_next(&facts);
    assert_int_equal(step.action, SCHEDULE_WAIT);
    assert_int_equal(step.wait_ms, MIN);
    facts.now = at(MIN);
    assert_int_equal(schedule_next(&facts).action, SCHEDULE_RENEW);
}

static void certificates_wait_while_attesting_fails(void **state)
{
    (void)state;
    struct schedule_facts facts = standing(at(2 * HOUR));
    facts.attested = false;
    struct schedule_step step = schedule_next(&facts);
    assert_int_equal(step.action, SCHEDULE_WAIT);
    assert_int_equal(step.wait_ms, 4 * (uint64_t)HOUR);
}

/* A day with a clock that jumps about and requests that fail: what is asked for stays bounded, and
 * by the true clock no certificate ends. */
static void steps_of_the_clock_neither_spin_nor_let_certificates_end(void **state)
{
    (void)state;
    static const int64_t offsets[] = {0, 3 * HOUR,        -3 * HOUR, 400 * 86400000LL,
                                      0, -90 * 86400000LL};
    struct schedule_facts facts = standing(at(0));
    facts.attest_at_ms = UP + 2 * DAY;
    unsigned renewals = 0;
    uint64_t issued = 0;
    for (uint64_t t = 0; t < DAY; t += 10 * S) {
        uint64_t utc = NOW + t + (uint64_t)offsets[t / (4 * (uint64_t)HOUR) % 6];
        facts.now = (struct schedule_clock){.elapsed_ms = UP + t, .utc_ms = utc};
        assert_true(t - issued < HOUR);
        if (schedule_next(&facts).action == SCHEDULE_RENEW) {
            issued = t;
            facts.certificates[0] = svid();
            facts.certificates[0].from_ms = NOW + t;
            facts.certificates[0].until_ms = NOW + t + HOUR;
            facts.certificates[0].since_ms = UP + t;
            facts.certificates[0].clock_doubted = utc < NOW + t || utc >= NOW + t + HOUR;
            facts.renew_at_ms = UP + t + MIN;
            renewals++;
        }
    }
    assert_in_range(renewals, 35, 35 + 6); /* one more for each step, at most */
}

/* -- pauses ------------------------------------------------------------------------------------ */

static void pauses_double_are_jittered_and_end_at_ten_minutes(void **state)
{
    (void)state;
    for (uint32_t dice = 0; dice < 1024; dice++) {
        assert_in_range(schedule_pause_ms(60, 0, 0, dice), 45 * S, 75 * S);
        assert_in_range(schedule_pause_ms(60, 2, 0, dice), 180 * S, 300 * S);
        assert_in_range(schedule_pause_ms(60, 4000, 0, dice), 450 * S, 750 * S);
    }
    assert_true(schedule_pause_ms(60, 0, 0, 0) != schedule_pause_ms(60, 0, 0, 512));
    assert_int_equal(schedule_pause_ms(3600, 9, 0, 512), 3600 * S); /* slower when asked to be */
}

static void pause_is_never_shorter_than_the_appliance_asked_for(void **state)
{
    (void)state;
    for (uint32_t dice = 0; dice < 1024; dice++) {
        assert_in_range(schedule_pause_ms(60, 0, 900, dice), 900 * S, 901 * S);
    }
    assert_in_range(schedule_pause_ms(60, 0, 1, 0), 45 * S, 75 * S);
}

static void attestation_comes_before_its_interval_is_over(void **state)
{
    (void)state;
    for (uint32_t dice = 0; dice < 1024; dice++) {
        assert_in_range(schedule_reattest_ms(6 * 3600, dice), 4 * HOUR + HOUR / 2,
                        6 * (uint64_t)HOUR);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_is_due_at_two_thirds_of_its_life),
        cmocka_unit_test(jitter_is_only_ever_early_and_never_much),
        cmocka_unit_test(missing_or_senseless_certificate_is_due_at_once),
        cmocka_unit_test(clock_that_steps_ahead_makes_it_due),
        cmocka_unit_test(clock_that_steps_back_does_not_make_it_sleep_past_the_end),
        cmocka_unit_test(suspended_machine_finds_it_due_when_it_wakes),
        cmocka_unit_test(clock_that_was_wrong_when_it_was_issued_does_not_make_it_due_for_ever),
        cmocka_unit_test(certificate_found_after_a_restart_is_as_old_as_it_was),
        cmocka_unit_test(fresh_agent_attests_at_once),
        cmocka_unit_test(each_clock_is_its_own_and_the_first_one_due_runs),
        cmocka_unit_test(shorter_life_decides),
        cmocka_unit_test(agent_without_certificates_only_attests),
        cmocka_unit_test(renewal_never_comes_before_its_least_interval),
        cmocka_unit_test(certificates_wait_while_attesting_fails),
        cmocka_unit_test(steps_of_the_clock_neither_spin_nor_let_certificates_end),
        cmocka_unit_test(pauses_double_are_jittered_and_end_at_ten_minutes),
        cmocka_unit_test(pause_is_never_shorter_than_the_appliance_asked_for),
        cmocka_unit_test(attestation_comes_before_its_interval_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
