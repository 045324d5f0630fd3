#include "cmocka_all.h"
#include "issue.h"
#include "trust_world.h"

static void issuer_must_have_been_valid_at_issue_or_be_valid_now(void **state)
{
    struct trust_world *w = *state;
    struct {
        int64_t from;
        int64_t until;
        bool good;
    } cases[] = {
        {Y2015, Y2025 - 86400, true}, /* expired since */
        {Y2025 - 86400, Y2030, true}, /* renewed with the same key */
        {Y2010, Y2015, false},        /* expired before the EK was made */
        {Y2030, Y2040, false},        /* not yet valid at all */
        {Y2020 + 86400, Y2025 - 86400, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(trust) trust = NULL;
        assert_ok(trust_new(&trust));
        struct issue_spec root = issue_root("Root", w->root_key);
        root.from = cases[i].from;
        root.until = cases[i].until;
        world_add(trust, &root, true);
        struct issue_spec spec = issue_ek(w->ek_key, "Root", w->root_key);
        struct trust_verdict verdict = world_judge(trust, &spec);
        if (cases[i].good) {
            assert_trusted(verdict);
        } else {
            assert_invalid(verdict, TRUST_FINDING_ISSUER_NOT_VALID);
        }
    }
}

static void issuer_that_is_no_ca_is_refused(void **state)
{
    struct trust_world *w = *state;
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    inter.basic_constraints = "critical,CA:FALSE";
    inter.key_usage = "critical,digitalSignature";
    assert_invalid(world_judge_below(w, &inter), TRUST_FINDING_ISSUER_NOT_CA);
    inter.basic_constraints = NULL;
    inter.key_usage = NULL;
    assert_invalid(world_judge_below(w, &inter), TRUST_FINDING_ISSUER_NOT_CA);
    inter.basic_constraints = "critical,CA:TRUE";
    inter.key_usage = "critical,cRLSign";
    assert_invalid(world_judge_below(w, &inter), TRUST_FINDING_ISSUER_NOT_CA);
    inter.key_usage = NULL;
    assert_trusted(world_judge_below(w, &inter));
}

static void root_may_lack_basic_constraints_and_an_intermediate_may_not(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    struct issue_spec inter = issue_intermediate("First", w->inter_key, "Root", w->root_key);
    root.basic_constraints = NULL;
    inter.basic_constraints = NULL;
    world_add_mixed(trust, &root);
    world_add_mixed(trust, &inter);
    struct issue_spec ek = issue_ek(w->ek_key, "Root", w->root_key);
    assert_finding(world_judge(trust, &ek), TRUST_FINDING_NONE);
    ek = issue_ek(w->ek_key, "First", w->inter_key);
    assert_finding(world_judge(trust, &ek), TRUST_FINDING_ISSUER_NOT_CA);
}

static void intermediate_of_an_older_version_is_no_ca(void **state)
{
    struct trust_world *w = *state;
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    for (inter.version = 1; inter.version <= 2; inter.version++) {
        assert_invalid(world_judge_below(w, &inter), TRUST_FINDING_ISSUER_NOT_CA);
    }
}

static void ek_of_a_tpm_cannot_issue_another_ek(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    struct issue_spec first = issue_ek(w->inter_key, "Inter", w->inter_key);
    first.subject = "TPM";
    world_add(trust, &first, false);
    struct issue_spec spec = issue_ek(w->ek_key, "TPM", w->inter_key);
    assert_invalid(world_judge(trust, &spec), TRUST_FINDING_ISSUER_NOT_CA);
}

static void issuer_with_unknown_critical_extension_is_refused(void **state)
{
    struct trust_world *w = *state;
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    inter.unknown_critical = true;
    assert_invalid(world_judge_below(w, &inter), TRUST_FINDING_ISSUER_EXTENSION);
    AUTO(trust) trust = world_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    spec.unknown_critical = true;
    assert_invalid(world_judge(trust, &spec), TRUST_FINDING_EK_EXTENSION);
}

static void extension_that_occurs_twice_is_refused(void **state)
{
    struct trust_world *w = *state;
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    inter.extra_oid = "1.3.6.1.4.1.55555.2";
    assert_trusted(world_judge_below(w, &inter));
    inter.extra_twice = true;
    assert_invalid(world_judge_below(w, &inter), TRUST_FINDING_ISSUER_EXTENSION);
    AUTO(trust) trust = world_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    spec.extra_oid = "1.3.6.1.4.1.55555.2";
    assert_trusted(world_judge(trust, &spec));
    spec.extra_twice = true;
    assert_invalid(world_judge(trust, &spec), TRUST_FINDING_EK_EXTENSION);
}

static void weak_signatures_are_refused(void **state)
{
    struct trust_world *w = *state;
    EVP_PKEY *rsa_root = issue_rsa(2048);
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", rsa_root);
    root.hash = EVP_sha1(); /* its own signature is not looked at */
    world_add(trust, &root, true);
    struct issue_spec spec = issue_ek(w->ek_key, "Root", rsa_root);
    assert_trusted(world_judge(trust, &spec));
    spec.hash = EVP_sha384();
    assert_trusted(world_judge(trust, &spec));
    spec.hash = EVP_sha512();
    assert_trusted(world_judge(trust, &spec));
    spec.hash = EVP_sha1();
    assert_invalid(world_judge(trust, &spec), TRUST_FINDING_WEAK_SIGNATURE);
    spec.hash = EVP_md5();
    assert_invalid(world_judge(trust, &spec), TRUST_FINDING_WEAK_SIGNATURE);
    EVP_PKEY_free(rsa_root);

    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    inter.hash = EVP_sha1();
    assert_invalid(world_judge_below(w, &inter), TRUST_FINDING_WEAK_SIGNATURE);
}

static void issuer_with_a_small_key_is_refused(void **state)
{
    struct trust_world *w = *state;
    EVP_PKEY *small = issue_rsa(1024);
    struct issue_spec inter = issue_intermediate("Inter", small, "Root", w->root_key);
    assert_invalid(world_judge_below(w, &inter), TRUST_FINDING_ISSUER_KEY);
    EVP_PKEY_free(small);
    small = issue_ec("P-224");
    inter = issue_intermediate("Inter", small, "Root", w->root_key);
    assert_invalid(world_judge_below(w, &inter), TRUST_FINDING_ISSUER_KEY);
    EVP_PKEY_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issuer_must_have_been_valid_at_issue_or_be_valid_now),
        cmocka_unit_test(issuer_that_is_no_ca_is_refused),
        cmocka_unit_test(root_may_lack_basic_constraints_and_an_intermediate_may_not),
        cmocka_unit_test(intermediate_of_an_older_version_is_no_ca),
        cmocka_unit_test(ek_of_a_tpm_cannot_issue_another_ek),
        cmocka_unit_test(issuer_with_unknown_critical_extension_is_refused),
        cmocka_unit_test(extension_that_occurs_twice_is_refused),
        cmocka_unit_test(weak_signatures_are_refused),
        cmocka_unit_test(issuer_with_a_small_key_is_refused),
    };
    return cmocka_run_group_tests(tests, world_make, world_end);
}
