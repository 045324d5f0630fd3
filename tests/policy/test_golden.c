/* Capture proposes what policy_parse accepts and the same machine matches; predict says what it
 * replaced and dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/fixture.h"
#include "policy/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SELECTION "quote: {pcr_selection: {sha256: [0, 1, 2, 4, 7, 11, 14]}}\n"

enum { OUT_MAX = 256 * 1024 };

static struct buf *new_buf(void)
{
    struct buf *b = NULL;
    assert_true(IS_OK(buf_new(OUT_MAX, &b)));
    return b;
}

static void end_text(struct buf *b)
{
    assert_true(IS_OK(buf_put_u8(b, '\0')));
}

static struct buf *captured(const struct policy_facts *f)
{
    struct buf *out = new_buf();
    assert_true(IS_OK(policy_capture(f, "talos-1.12.1", out)));
    end_text(out);
    return out;
}

/* A document with these baselines, made active. */
static struct policy *with_baselines(const char *items)
{
    static char yaml[OUT_MAX];
    snprintf(yaml, sizeof yaml, HEAD SELECTION "event_log: {required: true}\nbaselines:\n%s",
             items);
    char *state = yaml;
    while ((state = strstr(state, "state: pending"))) {
        memcpy(state, "state: active ", 14);
    }
    return accepted(yaml);
}

static void a_machine_matches_what_was_captured_from_it(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    AUTO(buf) yaml = captured(&f);
    AUTO(policy) p = with_baselines((const char *)yaml->data);
    assert_int_equal(p->baseline_count, 1);
    assert_int_equal(p->baselines[0].pcr_values_count, 6);
    assert_int_equal(p->baselines[0].rules.count, 10);
    struct policy_verdict v = evaluated(p, &f);
    assert_int_equal(v.result, POLICY_RESULT_PASS);
    assert_string_equal(v.baseline, "talos-1.12.1");
}

static void a_change_of_anything_captured_no_longer_matches(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    AUTO(buf) yaml = captured(&f);
    AUTO(policy) p = with_baselines((const char *)yaml->data);
    size_t count;
    struct policy_claim *claims = good_claims(&count);
    for (size_t i = 0; i < count; i++) {
        struct view before = claims[i].value;
        claims[i].value = view_text("something else");
        assert_int_equal(evaluated(p, &f).result, POLICY_RESULT_FAIL);
        claims[i].value = before;
    }
    for (size_t i = 0; i < f.pcr_count; i++) {
        struct policy_pcr pcrs[8];
        static const uint8_t other[32] = {1};
        memcpy(pcrs, f.pcrs, f.pcr_count * sizeof *pcrs);
        pcrs[i].digest = view_of(other, sizeof other);
        struct policy_facts changed = f;
        changed.pcrs = pcrs;
        assert_int_equal(evaluated(p, &changed).result, POLICY_RESULT_FAIL);
    }
    assert_int_equal(evaluated(p, &f).result, POLICY_RESULT_PASS);
}

static void a_longer_dbx_still_matches(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    AUTO(buf) yaml = captured(&f);
    AUTO(policy) p = with_baselines((const char *)yaml->data);
    struct policy_claim claims[32];
    memcpy(claims, f.claims, f.claim_count * sizeof *claims);
    claims[f.claim_count] =
        (struct policy_claim){"secure_boot.dbx", view_text("sha256:new"), 1u << 7};
    f.claims = claims;
    f.claim_count++;
    assert_int_equal(evaluated(p, &f).result, POLICY_RESULT_PASS);
}

static void pcr_1_is_never_captured(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    struct policy_pcr pcrs[] = {f.pcrs[0], f.pcrs[1], f.pcrs[2]};
    pcrs[1].index = 1;
    f.pcrs = pcrs;
    f.pcr_count = 3;
    AUTO(buf) yaml = captured(&f);
    assert_null(strstr((const char *)yaml->data, "      1:"));
    assert_non_null(strstr((const char *)yaml->data, "      4:"));
}

static void what_is_not_proved_is_left_out_and_named(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    f.log_replays &= ~(1u << 11);
    AUTO(buf) yaml = captured(&f);
    assert_non_null(strstr((const char *)yaml->data, "# left out: uki.section"));
    assert_null(strstr((const char *)yaml->data, "claim: \"uki.section\""));
    f.event_log = POLICY_LOG_ABSENT;
    AUTO(buf) bare = captured(&f);
    assert_null(strstr((const char *)bare->data, "\n  claims:"));
    f = good_facts();
    f.claims_truncated = true;
    AUTO(buf) cut = captured(&f);
    assert_null(strstr((const char *)cut->data, "\n  claims:"));
}

static void values_are_quoted_so_that_they_stay_values(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    struct policy_claim claims[] = {
        {"firmware.crtm_version", view_text("a\": {b} \\ # c"), 1u << 0},
        {"secure_boot.db", view_text("bad\nname: x"), 1u << 7},
        {"kernel.command_line", view_text("quiet \"x\""), 1u << 11},
        {"kernel.digest", view_text("sha256:" D32), 0},
        {"secure_boot.pk", view_text("\xc3\xa9 \xe2\x80\xa8 \xef\xbf\xbe \xf0\x9f\x98\x80"),
         1u << 7},
    };
    f.claims = claims;
    f.claim_count = 5;
    AUTO(buf) yaml = captured(&f);
    AUTO(policy) p = with_baselines((const char *)yaml->data);
    assert_true(view_is(p->baselines[0].rules.rule[0].values.items[0], "a\": {b} \\ # c"));
    assert_non_null(strstr((const char *)yaml->data, "# left out: secure_boot.db"));
    assert_non_null(strstr((const char *)yaml->data, "# left out: kernel.digest"));
    assert_int_equal(p->baselines[0].rules.rule[1].pcrs, 1u << 11);
    assert_int_equal(evaluated(p, &f).result, POLICY_RESULT_PASS);
}

static void nothing_is_captured_without_a_quote_or_a_good_name(void **state)
{
    (void)state;
    AUTO(buf) out = new_buf();
    struct policy_facts f = good_facts();
    static const char *const names[] = {"", "a b", "a\nb", "a\"", "ümlaut"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_true(IS_E(policy_capture(&f, names[i], out), FIELD_INVALID));
    }
    char long_name[POLICY_NAME_SIZE + 1];
    memset(long_name, 'a', POLICY_NAME_SIZE);
    long_name[POLICY_NAME_SIZE] = '\0';
    assert_true(IS_E(policy_capture(&f, long_name, out), FIELD_INVALID));
    f.quoted = false;
    assert_true(IS_E(policy_capture(&f, "a", out), FIELD_INVALID));
    assert_int_equal(out->len, 0);
}

static void a_buffer_that_is_too_small_is_an_error(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    for (size_t max = 1; max < 2000; max += 97) {
        AUTO(buf) out = NULL;
        assert_true(IS_OK(buf_new(max, &out)));
        assert_true(IS_E(policy_capture(&f, "a", out), TOO_LONG));
    }
}

struct predicted {
    struct buf *yaml;
    struct buf *said;
};

static struct predicted predict(const struct policy *p, const struct policy_update *update)
{
    struct predicted r = {new_buf(), new_buf()};
    err_t e = policy_predict(p, &p->baselines[0], update, "talos-1.13.0", r.yaml, r.said);
    assert_string_equal(err_reason(e), "ok");
    end_text(r.yaml);
    end_text(r.said);
    return r;
}

static void a_new_kernel_replaces_what_is_given_and_drops_the_rest(void **state)
{
    (void)state;
    struct policy_facts f = good_facts();
    AUTO(buf) captured_yaml = captured(&f);
    AUTO(policy) p = with_baselines((const char *)captured_yaml->data);
    static const uint8_t pcr_11[32] = {0x11};
    const struct policy_pcr pcrs[] = {{"sha256", 11, {pcr_11, 32}}};
    const struct policy_claim claims[] = {{"uki.section", view_text(".linux:sha256:" C32), 0}};
    struct policy_update update = {pcrs, 1, claims, 1};
    struct predicted r = predict(p, &update);
    AUTO(policy) next = with_baselines((const char *)r.yaml->data);
    const char *said = (const char *)r.said->data;
    assert_non_null(strstr(said, "PCR 4 of sha256 was dropped"));
    assert_non_null(strstr(said, "PCR 11 of sha256 was replaced"));
    assert_non_null(strstr(said, "rule boot-application was dropped"));
    assert_non_null(strstr(said, "rule uki-section got the value given"));
    assert_null(strstr(said, "PCR 7"));

    struct policy_claim seen[32];
    struct policy_pcr quoted[8];
    memcpy(seen, f.claims, f.claim_count * sizeof *seen);
    memcpy(quoted, f.pcrs, f.pcr_count * sizeof *quoted);
    for (size_t i = 0; i < f.claim_count; i++) {
        if (view_is(seen[i].value, ".linux:sha256:" D32)) {
            seen[i].value = view_text(".linux:sha256:" C32);
        }
    }
    quoted[2].digest = view_of(pcr_11, 32); /* PCR 4 is what it is */
    quoted[4].digest = view_of(pcr_11, 32);
    struct policy_facts upgraded = f;
    upgraded.claims = seen;
    upgraded.pcrs = quoted;
    assert_int_equal(evaluated(next, &upgraded).result, POLICY_RESULT_PASS);
    assert_int_equal(evaluated(next, &f).result, POLICY_RESULT_FAIL);
    buf_free(r.yaml);
    buf_free(r.said);
}

static void what_the_baseline_does_not_pin_is_said_to_be_unused(void **state)
{
    (void)state;
    AUTO(policy)
    p = accepted(HEAD "baselines: [{name: a, state: active, scope: {roles: [worker-app]}, "
                      "pcr_values: {sha256: {7: [" D32 "]}}}]\n");
    static const uint8_t value[32] = {1};
    const struct policy_pcr pcrs[] = {{"sha256", 11, {value, 32}}};
    const struct policy_claim claims[] = {{"kernel.digest", view_text("sha256:" C32), 0}};
    struct policy_update update = {pcrs, 1, claims, 1};
    struct predicted r = predict(p, &update);
    assert_non_null(strstr((const char *)r.said->data, "kernel.digest was not used"));
    assert_non_null(strstr((const char *)r.said->data, "PCR 11 of sha256 was not used"));
    AUTO(policy) next = with_baselines((const char *)r.yaml->data);
    assert_int_equal(next->baselines[0].scope.roles.count, 1);
    buf_free(r.yaml);
    buf_free(r.said);
}

static void every_kind_of_rule_survives_prediction(void **state)
{
    (void)state;
    AUTO(policy)
    p = accepted(HEAD "gates: {secrets: {disk: enforce}}\n"
                      "baselines:\n  - name: a\n    state: active\n    claims:\n"
                      "      - {name: a, claim: secure_boot.enabled, equals: 'true'}\n"
                      "      - {name: b, claim: secure_boot.pk, one_of: [x, y]}\n"
                      "      - {name: c, claim: secure_boot.dbx, contains_all: [x, y]}\n"
                      "      - {name: d, claim: secure_boot.db, subset_of: [x, y]}\n"
                      "      - {name: e, claim: boot.application, excludes: [x, y]}\n"
                      "      - {name: f, claim: firmware.debug_mode, absent: true}\n"
                      "      - {name: g, claim: firmware.crtm_version, matches: 'N3*'}\n"
                      "      - {name: h, claim: secure_boot.dbx, at_least: 7, gate: config}\n"
                      "      - {name: i, claim: tpm_ek.model, matches: 'N*', severity: telemetry}\n"
                      "      - {name: j, claim: kernel.digest, equals: old, pcrs: [4, 7]}\n");
    const struct policy_claim claims[] = {{"kernel.digest", view_text("new"), 0},
                                          {"kernel.digest", view_text("newer"), 0}};
    struct policy_update update = {.claims = claims, .claim_count = 2};
    struct predicted r = predict(p, &update);
    AUTO(policy) next = with_baselines((const char *)r.yaml->data);
    const struct policy_rules *old = &p->baselines[0].rules;
    const struct policy_rules *new = &next->baselines[0].rules;
    assert_int_equal(new->count, old->count);
    for (size_t i = 0; i < old->count; i++) {
        const struct policy_rule *a = &old->rule[i];
        const struct policy_rule *b = &new->rule[i];
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->pcrs, b->pcrs);
        assert_int_equal(a->count, b->count);
        assert_int_equal(a->gate, b->gate);
        assert_int_equal(a->telemetry, b->telemetry);
        if (i + 1 < old->count) {
            assert_int_equal(a->op, b->op);
            assert_int_equal(a->values.count, b->values.count);
        }
    }
    assert_int_equal(new->rule[9].op, POLICY_OP_ONE_OF);
    assert_true(view_is(new->rule[9].values.items[0], "new"));
    buf_free(r.yaml);
    buf_free(r.said);
}

static void a_prediction_that_keeps_nothing_is_refused(void **state)
{
    (void)state;
    AUTO(policy)
    p = accepted(HEAD "baselines: [{name: a, state: active, pcr_values: {sha256: {4: [" D32
                      "]}}}]\n");
    AUTO(buf) yaml = new_buf();
    AUTO(buf) said = new_buf();
    const struct policy_claim claims[] = {{"kernel.digest", view_text("new"), 0}};
    struct policy_update update = {.claims = claims, .claim_count = 1};
    assert_true(IS_E(policy_predict(p, p->baselines, &update, "b", yaml, said), FIELD_INVALID));
    update.claim_count = 0;
    assert_true(IS_E(policy_predict(p, p->baselines, &update, "b", yaml, said), FIELD_INVALID));
    AUTO(policy)
    q = accepted(
        HEAD "baselines: [{name: a, state: active, pcr_values: {sha256: {4: [" D32 "]}}, "
             "claims: [{name: n, claim: secure_boot.dbx, at_least: 9, severity: telemetry}]}]\n");
    update.claim_count = 1;
    assert_true(IS_E(policy_predict(q, q->baselines, &update, "b", yaml, said), FIELD_INVALID));
    update.claim_count = 0;
    static const uint8_t value[20] = {1};
    const struct policy_pcr pcrs[] = {{"sha256", 4, {value, 20}}};
    update = (struct policy_update){.pcrs = pcrs, .pcr_count = 1};
    assert_true(IS_E(policy_predict(p, p->baselines, &update, "b", yaml, said), FIELD_INVALID));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_matches_what_was_captured_from_it),
        cmocka_unit_test(a_change_of_anything_captured_no_longer_matches),
        cmocka_unit_test(a_longer_dbx_still_matches),
        cmocka_unit_test(pcr_1_is_never_captured),
        cmocka_unit_test(what_is_not_proved_is_left_out_and_named),
        cmocka_unit_test(values_are_quoted_so_that_they_stay_values),
        cmocka_unit_test(nothing_is_captured_without_a_quote_or_a_good_name),
        cmocka_unit_test(a_buffer_that_is_too_small_is_an_error),
        cmocka_unit_test(a_new_kernel_replaces_what_is_given_and_drops_the_rest),
        cmocka_unit_test(what_the_baseline_does_not_pin_is_said_to_be_unused),
        cmocka_unit_test(every_kind_of_rule_survives_prediction),
        cmocka_unit_test(a_prediction_that_keeps_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
