#include "cmocka_all.h"
#include "issue.h"
#include "trust_world.h"

#include <stdio.h>
#include <string.h>

/* -- which CA it was --------------------------------------------------------------------------- */

static void ca_of_the_same_name_with_another_key_is_never_trusted(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    EVP_PKEY *other = issue_ec("P-256");
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", other);
    assert_invalid(world_judge(trust, &spec), TRUST_FINDING_SIGNATURE);

    /* The forger's own CA certificate, sent along, does not help. */
    struct issue_spec forged = issue_intermediate("Inter", other, "Root", other);
    X509 *cert = issue_certificate(&forged);
    AUTO(buf) der = issue_der(cert);
    struct view node[] = {buf_view(der)};
    AUTO(ek) ek = world_ek(&spec);
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, node, 1, world_now_ms, &verdict));
    assert_invalid(verdict, TRUST_FINDING_SIGNATURE);
    X509_free(cert);
    EVP_PKEY_free(other);
}

static void right_ca_is_found_among_several_of_the_same_name(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    for (size_t i = 0; i < 5; i++) {
        EVP_PKEY *other = issue_ec("P-256");
        struct issue_spec namesake = issue_root("Root", other);
        world_add(trust, &namesake, true);
        EVP_PKEY_free(other);
    }
    struct issue_spec root = issue_root("Root", w->root_key);
    world_add(trust, &root, true);
    struct issue_spec spec = issue_ek(w->ek_key, "Root", w->root_key);
    assert_trusted(world_judge(trust, &spec));
}

static void finding_is_that_of_the_ca_that_did_sign(void **state)
{
    struct trust_world *w = *state;
    EVP_PKEY *other = issue_ec("P-256");
    struct issue_spec namesake = issue_root("Root", other);
    struct issue_spec past = issue_root("Root", w->root_key);
    past.until = Y2015;
    struct issue_spec spec = issue_ek(w->ek_key, "Root", w->root_key);
    for (int i = 0; i < 2; i++) {
        AUTO(trust) trust = NULL;
        assert_ok(trust_new(&trust));
        world_add(trust, i ? &past : &namesake, true);
        world_add(trust, i ? &namesake : &past, true);
        assert_invalid(world_judge(trust, &spec), TRUST_FINDING_ISSUER_NOT_VALID);
    }
    EVP_PKEY_free(other);
}

static void signature_of_a_ca_that_is_not_named_counts_for_nothing(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Somebody else", w->inter_key);
    struct trust_verdict verdict = world_judge(trust, &spec);
    assert_int_equal(verdict.chain, TRUST_CHAIN_UNTRUSTED);
    assert_int_equal(verdict.finding, TRUST_FINDING_ISSUER_UNKNOWN);
}

/* Each candidate costs a signature check; there is an end to them. */
static void candidates_of_one_name_are_tried_up_to_a_bound(void **state)
{
    struct trust_world *w = *state;
    EVP_PKEY *other = issue_ec("P-256");
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec namesake = issue_root("Root", other);
    for (size_t i = 0; i < 64; i++) {
        world_add(trust, &namesake, true);
    }
    struct issue_spec root = issue_root("Root", w->root_key);
    world_add(trust, &root, true);
    struct issue_spec spec = issue_ek(w->ek_key, "Root", w->root_key);
    assert_invalid(world_judge(trust, &spec), TRUST_FINDING_SIGNATURE);
    EVP_PKEY_free(other);
}

static void names_are_compared_regardless_of_case_and_white_space(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Vendor  Root", w->root_key);
    world_add(trust, &root, true);
    struct issue_spec spec = issue_ek(w->ek_key, "vendor root", w->root_key);
    assert_trusted(world_judge(trust, &spec));
}

/* -- how far it is ----------------------------------------------------------------------------- */

/* A chain of `count` intermediates below the root, named "1", "2" and so on. */
static struct trust_verdict judge_depth(struct trust_world *w, size_t count,
                                        const char *root_constraints)
{
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("0", w->root_key);
    root.basic_constraints = root_constraints;
    world_add(trust, &root, true);
    char issuer[8] = "0";
    EVP_PKEY *signer = w->root_key;
    for (size_t i = 1; i <= count; i++) {
        char name[8];
        snprintf(name, sizeof name, "%zu", i);
        struct issue_spec inter = issue_intermediate(name, w->inter_key, issuer, signer);
        world_add(trust, &inter, false);
        memcpy(issuer, name, sizeof issuer);
        signer = w->inter_key;
    }
    struct issue_spec spec = issue_ek(w->ek_key, issuer, signer);
    return world_judge(trust, &spec);
}

static void path_length_is_honoured(void **state)
{
    struct trust_world *w = *state;
    assert_trusted(judge_depth(w, 0, "critical,CA:TRUE,pathlen:0"));
    assert_invalid(judge_depth(w, 1, "critical,CA:TRUE,pathlen:0"), TRUST_FINDING_PATH_LENGTH);
    assert_trusted(judge_depth(w, 1, "critical,CA:TRUE,pathlen:1"));
    assert_invalid(judge_depth(w, 3, "critical,CA:TRUE,pathlen:2"), TRUST_FINDING_PATH_LENGTH);
    assert_trusted(judge_depth(w, TRUST_DEPTH_MAX, "critical,CA:TRUE"));
    assert_invalid(judge_depth(w, TRUST_DEPTH_MAX + 1, "critical,CA:TRUE"),
                   TRUST_FINDING_PATH_LENGTH);
}

static void self_issued_cas_do_not_count_for_the_path_length(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    root.basic_constraints = "critical,CA:TRUE,pathlen:0";
    struct issue_spec rollover = issue_intermediate("Root", w->inter_key, "Root", w->root_key);
    struct issue_spec below = issue_intermediate("Below", w->second_key, "Root", w->root_key);
    world_add_mixed(trust, &root);
    world_add_mixed(trust, &rollover);
    world_add_mixed(trust, &below);
    struct issue_spec ek = issue_ek(w->ek_key, "Root", w->inter_key);
    assert_finding(world_judge(trust, &ek), TRUST_FINDING_NONE);
    ek = issue_ek(w->ek_key, "Below", w->second_key);
    assert_finding(world_judge(trust, &ek), TRUST_FINDING_PATH_LENGTH);
}

static void intermediates_that_sign_each_other_do_not_loop(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec a = issue_intermediate("A", w->inter_key, "B", w->root_key);
    struct issue_spec b = issue_intermediate("B", w->root_key, "A", w->inter_key);
    world_add(trust, &a, false);
    world_add(trust, &b, false);
    struct issue_spec spec = issue_ek(w->ek_key, "A", w->inter_key);
    struct trust_verdict verdict = world_judge(trust, &spec);
    assert_int_equal(verdict.chain, TRUST_CHAIN_UNTRUSTED);
}

/* -- which names it may have ------------------------------------------------------------------- */

static void name_constraints_are_honoured(void **state)
{
    struct trust_world *w = *state;
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    inter.name_constraints = "critical,permitted;DNS:example.com";
    assert_trusted(world_judge_below(w, &inter)); /* no DNS name, nothing to constrain */
    inter.name_constraints = NULL;
    inter.permitted_directory = "Another vendor";
    assert_invalid(world_judge_below(w, &inter), TRUST_FINDING_NAME_CONSTRAINT);
}

/* -- rules ------------------------------------------------------------------------------------- */

static void constraints_hold_for_cas_further_down_too(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    struct issue_spec first = issue_intermediate("First", w->inter_key, "Root", w->root_key);
    first.permitted_directory = "Second";
    struct issue_spec second = issue_intermediate("Second", w->second_key, "First", w->inter_key);
    world_add_mixed(trust, &root);
    world_add_mixed(trust, &first);
    world_add_mixed(trust, &second);
    struct issue_spec ek = issue_ek(w->ek_key, "Second", w->second_key);
    ek.tpm_san = false; /* no name of its own that the constraint would meet */
    assert_finding(world_judge(trust, &ek), TRUST_FINDING_NONE);

    AUTO(trust) other = NULL;
    assert_ok(trust_new(&other));
    first.permitted_directory = "Elsewhere";
    world_add_mixed(other, &root);
    world_add_mixed(other, &first);
    world_add_mixed(other, &second);
    assert_finding(world_judge(other, &ek), TRUST_FINDING_NAME_CONSTRAINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ca_of_the_same_name_with_another_key_is_never_trusted),
        cmocka_unit_test(right_ca_is_found_among_several_of_the_same_name),
        cmocka_unit_test(finding_is_that_of_the_ca_that_did_sign),
        cmocka_unit_test(signature_of_a_ca_that_is_not_named_counts_for_nothing),
        cmocka_unit_test(candidates_of_one_name_are_tried_up_to_a_bound),
        cmocka_unit_test(names_are_compared_regardless_of_case_and_white_space),
        cmocka_unit_test(path_length_is_honoured),
        cmocka_unit_test(self_issued_cas_do_not_count_for_the_path_length),
        cmocka_unit_test(intermediates_that_sign_each_other_do_not_loop),
        cmocka_unit_test(name_constraints_are_honoured),
        cmocka_unit_test(constraints_hold_for_cas_further_down_too),
    };
    return cmocka_run_group_tests(tests, world_make, world_end);
}
