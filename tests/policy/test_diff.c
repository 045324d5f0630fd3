/* What a new version changes, in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/diff.h"
#include "policy/fixture.h"

#include <stdio.h>
#include <string.h>

#define B(state) "baselines: [{name: b, state: " state ", pcr_values: {sha256: {4: [" D32 "]}}}]\n"
#define X(more) \
    "exceptions: [{machine: " MACHINE ", rule: ek.expired, reason: why, expires: " more "}]\n"
#define RULE(text) "event_log: {rules: [{name: r, " text "}]}\n"

static void assert_says(const char *from, const char *to, const char *expected)
{
    char old[2048];
    char new[2048];
    AUTO(buf) lines = NULL;
    assert_true(IS_OK(buf_new(64 * 1024, &lines)));
    snprintf(old, sizeof old, HEAD "%s", from);
    snprintf(new, sizeof new, HEAD "%s", to);
    AUTO(policy) a = accepted(old);
    AUTO(policy) b = accepted(new);
    assert_true(IS_OK(policy_diff(a, b, lines)));
    if (!view_is(buf_view(lines), expected)) {
        fail_msg("expected: %s\nsaid: %.*s", expected, (int)lines->len, (const char *)lines->data);
    }
}

static void policies_that_mean_the_same_say_nothing(void **state)
{
    (void)state;
    assert_says("", "", "");
    assert_says("mode: enforce\n", "", "");
    assert_says("ak: {keys: [P-256, P-384]}\n", "ak: {keys: [P-384, P-256]}\n", "");
    assert_says("quote: {pcr_selection: {sha256: [7, 0], sha384: [4]}}\n",
                "quote: {pcr_selection: {sha384: [4], sha256: [0, 7]}}\n", "");
    assert_says("gates: {secrets: {disk: enforce}}\n", "", "");
    assert_says(RULE("claim: secure_boot.pk, one_of: [a, b]"),
                RULE("claim: secure_boot.pk, one_of: [b, a]"), "");
}

static void each_change_has_its_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *said;
    } rows[] = {
        {"", "scope: {roles: [a]}\n", "scope.roles: a added\n"},
        {"scope: {roles: [a]}\n", "", "scope.roles: a removed\nscope.roles now covers all\n"},
        {"", "ek: {trust: hash}\n", "ek.trust goes from chain_or_hash to hash\n"},
        {"", "ek: {certificateless: pending}\n",
         "an EK without a certificate is now left to an operator\n"},
        {"", "ek: {expired: refuse}\n", "an expired EK certificate is now refused\n"},
        {"ek: {allowed_hashes: [" D32 ", " E32 "]}\n", "ek: {allowed_hashes: [" E32 ", " C32 "]}\n",
         "ek.allowed_hashes: 1 added\nek.allowed_hashes: 1 removed\n"},
        {"ek: {firmware: [{min: 7.1}]}\n", "ek: {firmware: [{min: 7.2}]}\n",
         "ek.firmware: any from 7.2.0.0 to 65535.65535.65535.65535 added\n"
         "ek.firmware: any from 7.1.0.0 to 65535.65535.65535.65535 removed\n"},
        {"ek: {manufacturers: [a]}\n", "",
         "ek.manufacturers: a removed\nek.manufacturers: any is accepted now\n"},
        {"ak: {keys: [P-384]}\n", "ak: {keys: [P-256]}\n",
         "ak.keys: P-256 added\nak.keys: P-384 removed\n"},
        {"", "quote: {required: false}\n", "a quote is optional now\n"},
        {"", "quote: {pcr_selection: {sha256: [0, 2, 7, 11]}}\n",
         "quote.pcr_selection: PCR 11 of sha256 added\n"
         "quote.pcr_selection: PCR 4 of sha256 removed\n"},
        {"", "quote: {pcr_values: {sha256: {4: [" D32 "]}}}\n",
         "quote.pcr_values: PCR 4 of sha256: " D32 " added\n"},
        {"", "event_log: {required: true, must_replay: [4, 7]}\n",
         "an event log is required now\nthe event log must now replay to PCR 4, 7\n"},
        {"", RULE("claim: secure_boot.pk, at_least: 1"), "event_log: rule r added\n"},
        {RULE("claim: secure_boot.pk, at_least: 1"), "", "event_log: rule r removed\n"},
        {RULE("claim: secure_boot.pk, at_least: 1"), RULE("claim: secure_boot.kek, at_least: 2"),
         "event_log: rule r is about secure_boot.kek instead of secure_boot.pk\n"
         "event_log: rule r asks for 2 values instead of 1\n"},
        {RULE("claim: secure_boot.pk, one_of: [a]"), RULE("claim: secure_boot.pk, excludes: [b]"),
         "event_log: rule r compares by excludes instead of one_of\n"
         "event_log: rule r: b added\nevent_log: rule r: a removed\n"},
        {RULE("claim: secure_boot.pk, at_least: 1"),
         RULE("claim: secure_boot.pk, at_least: 1, severity: telemetry, gate: config"),
         "event_log: rule r concerns config instead of all gates\n"
         "event_log: rule r is now telemetry: it refuses nothing more\n"},
        {RULE("claim: secure_boot.pk, at_least: 1"),
         RULE("claim: secure_boot.pk, at_least: 1, pcrs: [4, 7]"),
         "event_log: rule r is proved by other PCRs: PCR 4, 7\n"},
        {"", B("active"), "baseline b added, active\n"},
        {B("pending"), B("active"), "baseline b goes from pending to active\n"},
        {B("active"), B("revoked"),
         "baseline b goes from active to revoked\n"
         "no baseline is in force any more: the rules alone decide\n"},
        {B("retired"), "", "baseline b removed; it was retired\n"},
        {"baselines: [{name: b, state: active, pcr_values: {sha256: {4: [" D32 "]}}}]\n",
         "baselines: [{name: b, state: active, until: 2027-01-01T00:00:00Z, pcr_values: {sha256: "
         "{4: "
         "[" E32 "]}}}]\n",
         "baseline b: until is now 2027-01-01T00:00:00.000Z\n"
         "baseline b: PCR 4 of sha256: " E32 " added\n"
         "baseline b: PCR 4 of sha256: " D32 " removed\n"},
        {"", X("2027-01-01T00:00:00Z"),
         "exception added: " MACHINE " is let off ek.expired: why\n"},
        {X("2027-01-01T00:00:00Z"), X("2027-01-01T00:00:00Z, once: true"),
         "exception of " MACHINE " from ek.expired holds once only\n"},
        {X("2027-01-01T00:00:00Z"), "",
         "exception removed: " MACHINE " is no longer let off ek.expired\n"},
        {"", "mode: telemetry\n",
         "gate config goes from enforce to telemetry\n"
         "gate certificates goes from enforce to telemetry\n"
         "gate secrets goes from enforce to telemetry\n"},
        {"", "gates: {secrets: {disk: telemetry}}\n",
         "gate secrets.disk goes from enforce to telemetry\n"},
        {"gates: {secrets: {disk: telemetry}}\n", "",
         "gate secrets.disk goes from telemetry to enforce\n"},
        {"", "evidence: {max_age: 1h, reattest_every: 6m}\n",
         "evidence.max_age goes from 86400 to 3600 seconds\n"
         "evidence.reattest_every goes from 21600 to 360 seconds\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_says(rows[i].from, rows[i].to, rows[i].said);
    }
}

static void of_a_long_list_the_first_are_named_and_the_rest_counted(void **state)
{
    (void)state;
    assert_says(RULE("claim: secure_boot.dbx, contains_all: [a]"),
                RULE("claim: secure_boot.dbx, contains_all: [a, b, c, d, e, f, g]"),
                "event_log: rule r: b added\nevent_log: rule r: c added\n"
                "event_log: rule r: d added\nevent_log: rule r: e added\n"
                "event_log: rule r: 2 more added\n");
}

static void a_buffer_that_is_too_small_is_an_error(void **state)
{
    (void)state;
    AUTO(policy) a = accepted(HEAD);
    AUTO(policy) b = accepted(HEAD "mode: telemetry\n");
    AUTO(buf) lines = NULL;
    assert_true(IS_OK(buf_new(16, &lines)));
    assert_true(IS_E(policy_diff(a, b, lines), TOO_LONG));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_that_mean_the_same_say_nothing),
        cmocka_unit_test(each_change_has_its_sentence),
        cmocka_unit_test(of_a_long_list_the_first_are_named_and_the_rest_counted),
        cmocka_unit_test(a_buffer_that_is_too_small_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
