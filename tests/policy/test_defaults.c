/* The shipped documents, each against machines it should and should not let in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "policy/diff.h"
#include "policy/fixture.h"

#include <stdio.h>
#include <string.h>

static struct policy *shipped(const char *name)
{
    char path[512];
    AUTO(buf) text = NULL;
    snprintf(path, sizeof path, ITL_SOURCE_DIR "/policy/%s", name);
    assert_true(IS_OK(fd_read_file(path, POLICY_FILE_MAX_BYTES, &text)));
    assert_true(IS_OK(buf_put_u8(text, '\0')));
    return accepted((const char *)text->data);
}

static const char *const names[] = {
    "defaults/identity-and-quote.yaml", "defaults/identity-only.yaml", "defaults/talos-plain.yaml",
    "defaults/talos-secureboot-uki.yaml", "defaults/secure-boot-linux.yaml"};

static void no_default_asks_for_pcr_1(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        AUTO(policy) p = shipped(names[i]);
        for (size_t b = 0; b < p->pcr_selection_count; b++) {
            assert_int_equal(p->pcr_selection[b].mask & 2u, 0);
        }
        assert_int_equal(p->must_replay & 2u, 0);
    }
}

static void every_default_admits_a_healthy_machine_and_no_stranger(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        AUTO(policy) p = shipped(names[i]);
        struct policy_facts f = good_facts();
        struct policy_verdict v = evaluated(p, &f);
        if (v.result != POLICY_RESULT_PASS) {
            fail_msg("%s: %s: %s, is %s", names[i], v.failures[0].rule, v.failures[0].expected,
                     v.failures[0].actual);
        }
        f.ek_chain_trusted = false;
        assert_int_equal(evaluated(p, &f).result, POLICY_RESULT_FAIL);
        f = good_facts();
        f.ak_key = NULL;
        assert_int_equal(evaluated(p, &f).result, POLICY_RESULT_FAIL);
    }
}

static void all_but_identity_only_hold_in_high_assurance_mode(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        AUTO(policy) p = shipped(names[i]);
        bool identity_only = strstr(names[i], "identity-only") != NULL;
        assert_int_equal(policy_high_assurance_violation(p) != NULL, identity_only);
        struct policy_facts f = good_facts();
        f.quoted = false;
        f.event_log = POLICY_LOG_ABSENT;
        assert_int_equal(evaluated(p, &f).result,
                         identity_only ? POLICY_RESULT_PASS : POLICY_RESULT_FAIL);
    }
}

/* One claim of the healthy machine, changed or left out (value NULL). */
static struct policy_facts spoiled(const char *name, const char *value)
{
    static struct policy_claim claims[32];
    struct policy_facts f = good_facts();
    size_t count = 0;
    for (size_t i = 0; i < f.claim_count; i++) {
        claims[count] = f.claims[i];
        if (strcmp(f.claims[i].name, name) != 0) {
            count++;
        } else if (value) {
            claims[count++].value = view_text(value);
        }
    }
    f.claims = claims;
    f.claim_count = count;
    return f;
}

static void with_claim(struct policy_facts *f, const char *name, const char *value, uint32_t pcrs)
{
    static struct policy_claim claims[32];
    memcpy(claims, f->claims, f->claim_count * sizeof *claims);
    claims[f->claim_count] = (struct policy_claim){name, view_text(value), pcrs};
    f->claims = claims;
    f->claim_count++;
}

static void assert_refused_by(const char *name, const struct policy_facts *f, const char *rule)
{
    AUTO(policy) p = shipped(name);
    struct policy_verdict v = evaluated(p, f);
    assert_int_equal(v.result, POLICY_RESULT_FAIL);
    const struct policy_failure *failure = failure_of(&v, rule);
    assert_non_null(failure);
    assert_false(failure->telemetry);
}

static void assert_admitted(const char *name, const struct policy_facts *f, const char *telemetry)
{
    AUTO(policy) p = shipped(name);
    struct policy_verdict v = evaluated(p, f);
    assert_int_equal(v.result, telemetry ? POLICY_RESULT_TELEMETRY : POLICY_RESULT_PASS);
    if (telemetry) {
        assert_true(failure_of(&v, telemetry)->telemetry);
    }
}

static void talos_with_secure_boot_wants_it_on_and_the_image_measured(void **state)
{
    (void)state;
    static const char name[] = "defaults/talos-secureboot-uki.yaml";
    struct policy_facts f = spoiled("secure_boot.enabled", "false");
    assert_refused_by(name, &f, "secure-boot");
    f = spoiled("secure_boot.enabled", NULL);
    assert_refused_by(name, &f, "secure-boot");
    f = spoiled("secure_boot.pk", NULL);
    assert_refused_by(name, &f, "platform-key");
    f = spoiled("boot.application", NULL);
    assert_refused_by(name, &f, "image-measured");
    f = good_facts();
    with_claim(&f, "firmware.debug_mode", "true", 1u << 7);
    assert_refused_by(name, &f, "no-firmware-debugger");
    f = good_facts();
    with_claim(&f, "firmware.dma_protection", "disabled", 1u << 7);
    assert_admitted(name, &f, "dma-protection");
    f = good_facts();
    f.log_replays &= ~(1u << 11 | 1u << 14); /* boot phases come after the log */
    f.log_differs = 1u << 11;
    assert_admitted(name, &f, NULL);
    f = good_facts();
    f.log_replays &= ~(1u << 4);
    assert_refused_by(name, &f, "event_log.replay");
    f = good_facts();
    f.event_log = POLICY_LOG_ABSENT;
    assert_refused_by(name, &f, "event_log.required");
}

static void plain_talos_needs_no_secure_boot(void **state)
{
    (void)state;
    static const char name[] = "defaults/talos-plain.yaml";
    struct policy_facts f = spoiled("secure_boot.enabled", "false");
    f.log_replays = 1u << 4 | 1u << 7; /* firmware whose log does not explain PCR 0 */
    f.log_differs = 1u << 0;
    assert_admitted(name, &f, NULL);
    f = spoiled("boot.application", NULL);
    assert_refused_by(name, &f, "boot-loader-measured");
    f = good_facts();
    with_claim(&f, "firmware.debug_mode", "true", 1u << 7);
    assert_refused_by(name, &f, "no-firmware-debugger");
}

static void linux_with_shim_wants_revocations_and_verification(void **state)
{
    (void)state;
    static const char name[] = "defaults/secure-boot-linux.yaml";
    struct policy_facts f = spoiled("secure_boot.dbx", NULL);
    assert_refused_by(name, &f, "revocations");
    f = spoiled("secure_boot.enabled", "false");
    assert_refused_by(name, &f, "secure-boot");
    f = good_facts();
    with_claim(&f, "secure_boot.mok_sb_state", "1", 1u << 14);
    assert_refused_by(name, &f, "shim-verifies");
    f = good_facts();
    with_claim(&f, "secure_boot.mok_list", "x509:sha256:" C32, 1u << 14);
    assert_admitted(name, &f, "no-own-mok");
}

static void the_reference_shows_every_key(void **state)
{
    (void)state;
    AUTO(policy) p = shipped("reference.yaml");
    assert_int_equal(p->scope.roles.count + p->scope.clusters.count, 3);
    assert_int_equal(p->scope.manufacturers.count + p->scope.models.count, 4);
    assert_non_null(p->ek_roots);
    assert_non_null(p->ek_intermediates);
    assert_int_equal(p->ek_allowed_hash_count, 1);
    assert_int_equal(p->manufacturers.count, 3);
    assert_int_equal(p->firmware_count, 2);
    assert_int_equal(p->ak_keys_count, 3);
    assert_int_equal(p->pcr_values_count, 2);
    assert_int_equal(p->must_replay, 0x95);
    assert_int_equal(p->baseline_count, 2);
    assert_int_equal(p->exception_count, 1);
    assert_true(p->exceptions[0].once);
    assert_int_equal(p->gate_count, 4);
    assert_true(p->max_age_ms == 24 * HOUR_MS && p->reattest_every_ms == 6 * HOUR_MS);
    bool seen[POLICY_OP_AT_LEAST + 1] = {false};
    for (size_t i = 0; i < p->rules.count; i++) {
        seen[p->rules.rule[i].op] = true;
    }
    for (size_t op = POLICY_OP_EQUALS; op <= POLICY_OP_AT_LEAST; op++) {
        assert_true(seen[op]);
    }
}

static void the_reference_states_the_defaults_it_names(void **state)
{
    (void)state;
    AUTO(policy) p = shipped("defaults/identity-and-quote.yaml");
    AUTO(policy) built_in = NULL;
    AUTO(buf) lines = NULL;
    assert_true(IS_OK(policy_new(&built_in)));
    assert_true(IS_OK(buf_new(4096, &lines)));
    assert_true(IS_OK(policy_diff(built_in, p, lines)));
    assert_int_equal(lines->len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_default_asks_for_pcr_1),
        cmocka_unit_test(every_default_admits_a_healthy_machine_and_no_stranger),
        cmocka_unit_test(all_but_identity_only_hold_in_high_assurance_mode),
        cmocka_unit_test(talos_with_secure_boot_wants_it_on_and_the_image_measured),
        cmocka_unit_test(plain_talos_needs_no_secure_boot),
        cmocka_unit_test(linux_with_shim_wants_revocations_and_verification),
        cmocka_unit_test(the_reference_shows_every_key),
        cmocka_unit_test(the_reference_states_the_defaults_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
