/* SPIFFE IDs: what a template may say, and what values can't do to it. */
#include "pki/software_ca.h"

#include <string.h>

#include "pki/spiffe.h"

#define TEMPLATE "/agents/tpm/{{tpm_ek.manufacturer}}/{{tpm_ek.public_hash}}"

static struct spiffe_facts sample(void)
{
    return (struct spiffe_facts){.public_hash = "a3f1c82b",
                                 .serial_number = "1f",
                                 .manufacturer = "id:4E544300",
                                 .model = "NPCT75x",
                                 .version = "id:00070002",
                                 .machine_id = "0b7c5b1e-1111-4222-8333-444455556666",
                                 .role = "worker-app",
                                 .cluster = "default",
                                 .hostname = "node-1.example.org"};
}

static void default_template_gives_manufacturer_and_hash(void **state)
{
    (void)state;
    struct spiffe_facts facts = sample();
    char id[SPIFFE_ID_SIZE];
    assert_ok(spiffe_id_make("example.org", TEMPLATE, &facts, id));
    assert_string_equal(id, "spiffe://example.org/agents/tpm/4E544300/a3f1c82b");
}

static void every_variable_is_known(void **state)
{
    (void)state;
    struct spiffe_facts facts = sample();
    char id[SPIFFE_ID_SIZE];
    assert_ok(spiffe_id_make("td", "/{{tpm_ek.serial_number}}/{{tpm_ek.model}}-{{tpm_ek.version}}/{{machine_id}}/{{role}}/{{cluster}}/{{hostname}}",
                             &facts, id));
    assert_string_equal(id, "spiffe://td/1f/NPCT75x-00070002/0b7c5b1e-1111-4222-8333-444455556666/worker-app/default/node-1.example.org");
}

static void value_can_not_add_a_segment_or_any_other_character(void **state)
{
    (void)state;
    static const char *const hostile[] = {"a/b",  "..",  ".",      "../x", "a b", "a%2fb", "a?b",  "a#b", "ü",
                                          "{{role}}", "a:b", "id:a:b", "",     "@",   "a\\b",  "a\tb", "/",   "a/"};
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        struct spiffe_facts facts = sample();
        char id[SPIFFE_ID_SIZE] = "untouched";
        facts.model = hostile[i];
        assert_err(spiffe_id_make("td", "/x/{{tpm_ek.model}}/{{machine_id}}", &facts, id), SPIFFE_ID);
        assert_string_equal(id, "untouched");
        facts = sample();
        facts.hostname = hostile[i];
        assert_err(spiffe_id_make("td", "/{{hostname}}", &facts, id), SPIFFE_ID);
    }
}

static void dots_that_two_values_make_together_are_refused(void **state)
{
    (void)state;
    struct spiffe_facts facts = sample();
    char id[SPIFFE_ID_SIZE];
    facts.hostname = ".";
    facts.model = ".";
    assert_err(spiffe_id_make("td", "/{{hostname}}{{tpm_ek.model}}", &facts, id), SPIFFE_ID);
}

static void only_the_tcgs_prefix_is_left_out_and_only_where_it_belongs(void **state)
{
    (void)state;
    struct spiffe_facts facts = sample();
    char id[SPIFFE_ID_SIZE];
    facts.manufacturer = "id:";
    assert_err(spiffe_id_make("td", TEMPLATE, &facts, id), SPIFFE_ID);
    facts.manufacturer = "id:id:4E";
    assert_err(spiffe_id_make("td", TEMPLATE, &facts, id), SPIFFE_ID);
    facts = sample();
    facts.hostname = "id:4E";
    assert_err(spiffe_id_make("td", "/{{hostname}}", &facts, id), SPIFFE_ID);
}

static void id_that_is_too_long_is_refused_whole(void **state)
{
    (void)state;
    static char name[SPIFFE_ID_SIZE];
    struct spiffe_facts facts = sample();
    char id[SPIFFE_ID_SIZE];
    facts.hostname = name;
    memset(name, 'a', SPIFFE_ID_SIZE - 1 - strlen("spiffe://td/"));
    assert_ok(spiffe_id_make("td", "/{{hostname}}", &facts, id));
    assert_int_equal(strlen(id), SPIFFE_ID_SIZE - 1);
    name[strlen(name)] = 'a';
    assert_err(spiffe_id_make("td", "/{{hostname}}", &facts, id), SPIFFE_ID);
}

static void templates_are_paths_that_name_one_machine(void **state)
{
    (void)state;
    static const char *const good[] = {TEMPLATE, "/{{machine_id}}", "/a.b_c-D/{{hostname}}", "/x{{tpm_ek.serial_number}}y"};
    static const char *const bad[] = {"",
                                      "/",
                                      "{{machine_id}}",
                                      "/{{machine_id}}/",
                                      "//{{machine_id}}",
                                      "/../{{machine_id}}",
                                      "/./{{machine_id}}",
                                      "/{{machine_id}}?x",
                                      "/{{machine_id}} ",
                                      "/a%20/{{machine_id}}",
                                      "/{{ machine_id }}",
                                      "/{{machine_id}",
                                      "/{machine_id}",
                                      "/{{serial}}/{{machine_id}}",
                                      "/{{tpm_ek.manufacturer}}/{{role}}", /* the same for many machines */
                                      "spiffe://td/{{machine_id}}"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(spiffe_template_valid(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (spiffe_template_valid(bad[i])) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    char longest[SPIFFE_TEMPLATE_SIZE + 1] = "/{{role}}{{machine_id}}";
    memset(longest + strlen(longest), 'a', sizeof longest - 1 - strlen(longest));
    longest[sizeof longest - 1] = '\0';
    assert_false(spiffe_template_valid(longest));
}

static void trust_domain_is_a_lower_case_name(void **state)
{
    (void)state;
    assert_true(spiffe_trust_domain_valid("prod.example-1_a.org"));
    static const char *const bad[] = {"", "Example.org", "a/b", "a:1", "a b", "ä", "spiffe://a", "a%41"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(spiffe_trust_domain_valid(bad[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_template_gives_manufacturer_and_hash),
        cmocka_unit_test(every_variable_is_known),
        cmocka_unit_test(value_can_not_add_a_segment_or_any_other_character),
        cmocka_unit_test(dots_that_two_values_make_together_are_refused),
        cmocka_unit_test(only_the_tcgs_prefix_is_left_out_and_only_where_it_belongs),
        cmocka_unit_test(id_that_is_too_long_is_refused_whole),
        cmocka_unit_test(templates_are_paths_that_name_one_machine),
        cmocka_unit_test(trust_domain_is_a_lower_case_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
