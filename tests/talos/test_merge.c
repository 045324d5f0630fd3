/* Bases as administrators write them: what is changed to the byte, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "talos/machine_config.h"

#include <stdio.h>
#include <string.h>

#define ID "6f1c1b9e-1d7e-4d8e-9d55-0123456789ab"
#define EK                                                                                         \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab" \
    "cdef"

static struct machine_config_facts worker(void)
{
    return (struct machine_config_facts){.machine_id = ID,
                                         .role = "worker-app",
                                         .hostname = "",
                                         .assigned_ip = "",
                                         .ek_fingerprint = EK,
                                         .cluster_id = "c1",
                                         .installer_image = ""};
}

/* The merged text, terminated, in a static buffer. */
static const char *merged_with(const char *base, const struct machine_config_facts *facts)
{
    static char text[65536];
    AUTO(buf) out = NULL;
    assert_true(IS_OK(buf_new(sizeof text - 1, &out)));
    err_t e = machine_config_merge(view_text(base), facts, out);
    if (!IS_OK(e)) {
        fail_msg("%s:\n%s", err_reason(e), base);
    }
    memcpy(text, out->data, out->len);
    text[out->len] = '\0';
    return text;
}

static err_t refusal_with(const char *base, const struct machine_config_facts *facts)
{
    AUTO(buf) out = NULL;
    assert_true(IS_OK(buf_new(65536, &out)));
    err_t e = machine_config_merge(view_text(base), facts, out);
    assert_int_equal(out->len, 0);
    return e;
}

static void assert_refused(const char *base)
{
    struct machine_config_facts facts = worker();
    facts.hostname = "n1";
    facts.assigned_ip = "10.0.0.7/24";
    facts.installer_image = "x:1";
    if (!IS_E(refusal_with(base, &facts), BASE_CONFIG_INVALID)) {
        fail_msg("accepted: %s", base);
    }
}

#define NOTES_BLOCK                            \
    "    nodeAnnotations:\n"                   \
    "        itl.io/tpm-ek-full: \"" EK "\"\n" \
    "        itl.io/machine-id: \"" ID "\"\n"
#define LABELS_BLOCK                          \
    "    nodeLabels:\n"                       \
    "        itl.io/machine-id: \"" ID "\"\n" \
    "        itl.io/attested: \"true\"\n"     \
    "        itl.io/tpm-ek: \"0123456789abcdef\"\n"

static void labels_and_annotations_are_added_to_the_smallest_base(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    assert_string_equal(merged_with("machine:\n    type: worker\n", &facts),
                        "machine:\n    type: worker\n" NOTES_BLOCK LABELS_BLOCK);
}

static void comments_quotes_and_block_texts_stay_as_they_are(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    const char *before = "# d\xc3\xa9j\xc3\xa0 vu\nversion: v1alpha1 # why\nmachine:\n    # above "
                         "type\n    type: worker # after type\n";
    const char *after = "    # above files\n"
                        "    files:\n"
                        "        - permissions: 0444\n"
                        "          content: |\n"
                        "            a: \"b\"\n"
                        "\n"
                        "            # text\n"
                        "          op:   'create'\n"
                        "cluster: {a: [ ], \"b\": ''}   \n"
                        "# last\n"
                        "---\n"
                        "# second\n"
                        "apiVersion: v1alpha1\n"
                        "kind: ExtensionServiceConfig\n"
                        "environment: [A=B,   C=D]\n";
    char base[2048];
    char expected[4096];
    snprintf(base, sizeof base, "%s%s", before, after);
    snprintf(expected, sizeof expected, "%s%s%s", before, NOTES_BLOCK LABELS_BLOCK, after);
    assert_string_equal(merged_with(base, &facts), expected);
}

static void a_hostname_goes_into_the_machine_document_when_there_is_no_other(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    facts.hostname = "n1.example.org";
    const char *merged =
        merged_with("machine:\n  type: worker\n  network:\n    hostname: old # was\n", &facts);
    assert_non_null(strstr(merged, "  network:\n    hostname: \"n1.example.org\" # was\n"));
    merged = merged_with("machine:\n  network: {nameservers: [1.1.1.1]}\n  type: worker\n", &facts);
    assert_non_null(
        strstr(merged, "network: {hostname: \"n1.example.org\", nameservers: [1.1.1.1]}\n"));
}

static void a_hostname_replaces_auto_in_the_hostname_document(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    facts.hostname = "n1";
    const char *merged = merged_with(
        "machine:\n  type: worker\n  network:\n    hostname: old\n    nameservers: [1.1.1.1]\n"
        "---\n"
        "apiVersion: v1alpha1\nkind: HostnameConfig\nauto: stable # by machine\n",
        &facts);
    assert_non_null(strstr(merged, "  network:\n    nameservers: [1.1.1.1]\n---\n"));
    assert_non_null(strstr(merged, "kind: HostnameConfig\nhostname: \"n1\" # by machine\n"));
    assert_null(strstr(merged, "auto"));
    assert_null(strstr(merged, "old"));
}

static void the_hostname_document_may_come_first_and_hold_a_hostname(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    facts.hostname = "n1";
    const char *merged =
        merged_with("apiVersion: v1alpha1\nkind: HostnameConfig\nauto: off\nhostname: older\n---\n"
                    "machine:\n  type: worker\n  network:\n    hostname: old\n",
                    &facts);
    assert_non_null(strstr(merged, "auto: off\nhostname: \"n1\"\n---\n"));
    assert_non_null(strstr(merged, "  network:\n    {}\n"));
}

static void without_a_hostname_the_hostname_document_stays(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    const char *document = "---\napiVersion: v1alpha1\nkind: HostnameConfig\nauto: stable\n";
    char base[256];
    snprintf(base, sizeof base, "machine:\n    type: worker\n%s", document);
    const char *merged = merged_with(base, &facts);
    assert_string_equal(merged + strlen(merged) - strlen(document), document);
}

static void an_address_makes_eth0_where_there_is_no_interface(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    facts.assigned_ip = "10.0.0.7/24";
    const char *block = "    network:\n"
                        "        interfaces:\n"
                        "            - interface: eth0\n"
                        "              addresses:\n"
                        "                  - \"10.0.0.7/24\"\n"
                        "              routes: []\n";
    assert_non_null(strstr(merged_with("machine:\n    type: worker\n", &facts), block));
    assert_non_null(
        strstr(merged_with("machine:\n    type: worker\n    network: {}\n", &facts), block));
    assert_non_null(
        strstr(merged_with("machine:\n    type: worker\n    network:\n", &facts), block));
    assert_non_null(strstr(
        merged_with("machine:\n    type: worker\n    network:\n        interfaces: []\n", &facts),
        block));
}

static void an_address_joins_the_first_interface_once(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    facts.assigned_ip = "10.0.0.7/24";
    const char *head = "machine:\n  type: worker\n  network:\n    interfaces:\n";
    static const char *const cases[][2] = {
        {"    - interface: a\n      addresses:\n      - 1.1.1.1/8 # one\n    - interface: b\n",
         "      - 1.1.1.1/8 # one\n      - \"10.0.0.7/24\"\n    - interface: b\n"},
        {"    - {interface: a, addresses: [1.1.1.1/8]}\n",
         "addresses: [1.1.1.1/8, \"10.0.0.7/24\"]}\n"},
        {"    - interface: a\n      addresses: []\n",
         "      addresses:\n          - \"10.0.0.7/24\"\n"},
        {"    - interface: a\n      addresses:\n",
         "      addresses:\n          - \"10.0.0.7/24\"\n"},
        {"    - interface: a\n",
         "    - interface: a\n      addresses:\n          - \"10.0.0.7/24\"\n"},
        {"    - {interface: a}\n", "    - {addresses: [\"10.0.0.7/24\"], interface: a}\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char base[512];
        snprintf(base, sizeof base, "%s%s", head, cases[i][0]);
        const char *merged = merged_with(base, &facts);
        if (!strstr(merged, cases[i][1])) {
            fail_msg("%s\nbecame\n%s", base, merged);
        }
    }
    char base[512];
    snprintf(base, sizeof base,
             "%s    - interface: a\n      addresses: ['10.0.0.7/24', 1.1.1.1/8]\n", head);
    assert_non_null(strstr(merged_with(base, &facts), "addresses: ['10.0.0.7/24', 1.1.1.1/8]\n"));
}

static void an_installer_is_set_only_where_none_is(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    facts.installer_image = "ghcr.io/x/y:v1";
    assert_non_null(
        strstr(merged_with("machine:\n  type: worker\n  install:\n    disk: /dev/sda\n", &facts),
               "  install:\n    disk: /dev/sda\n    image: \"ghcr.io/x/y:v1\"\n"));
    assert_non_null(strstr(merged_with("machine:\n  type: worker\n", &facts),
                           "  install:\n      image: \"ghcr.io/x/y:v1\"\n"));
    assert_non_null(
        strstr(merged_with("machine:\n  type: worker\n  install: {image: ''}\n", &facts),
               "  install: {image: \"ghcr.io/x/y:v1\"}\n"));
    const char *merged =
        merged_with("machine:\n  type: worker\n  install:\n    image: mine:1\n", &facts);
    assert_non_null(strstr(merged, "    image: mine:1\n"));
    assert_null(strstr(merged, "ghcr.io"));
    merged = merged_with(
        "machine:\n  type: worker\n---\napiVersion: v1alpha1\nkind: UnattendedInstallConfig\n",
        &facts);
    assert_null(strstr(merged, "ghcr.io"));
}

static void existing_labels_of_ours_are_overwritten_and_others_kept(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    const char *merged = merged_with(
        "machine:\n  type: worker\n  nodeLabels:\n    itl.io/attested: \"false\"\n    other: x\n",
        &facts);
    assert_non_null(strstr(merged, "    itl.io/attested: \"true\"\n"));
    assert_null(strstr(merged, "false"));
    assert_non_null(strstr(merged, "    other: x\n"));
}

static void labels_go_into_a_node_document_where_there_is_one(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    const char *merged =
        merged_with("machine:\n  type: worker\n---\n"
                    "apiVersion: v1alpha1\nkind: KubeNodeConfig\nlabels:\n    a: b\n",
                    &facts);
    assert_null(strstr(merged, "nodeLabels"));
    assert_null(strstr(merged, "nodeAnnotations"));
    assert_non_null(strstr(merged, "labels:\n    a: b\n    itl.io/attested: \"true\"\n"));
    assert_non_null(strstr(merged, "annotations:\n    itl.io/tpm-ek-full: \"" EK "\"\n"));
}

static void a_base_in_json_stays_json(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    facts.hostname = "n1";
    assert_string_equal(
        merged_with("{\"machine\":{\"type\":\"worker\",\"network\":{}}}", &facts),
        "{\"machine\":{nodeAnnotations: {itl.io/machine-id: \"" ID "\", itl.io/tpm-ek-full: \"" EK
        "\"}, nodeLabels: {itl.io/attested: \"true\", itl.io/tpm-ek: \"0123456789abcdef\", "
        "itl.io/machine-id: \"" ID "\"}, \"type\":\"worker\",network: {hostname: \"n1\"}}}");
}

static void a_base_without_a_last_line_end_is_merged(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    const char *merged = merged_with("machine:\n    type: worker", &facts);
    assert_non_null(strstr(merged, "    type: worker\n    nodeAnnotations:\n"));
}

static void a_base_with_windows_line_ends_is_merged(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    facts.assigned_ip = "10.0.0.7/24";
    const char *merged =
        merged_with("machine:\r\n    type: worker\r\n    network:\r\n        a: b\r\n", &facts);
    assert_non_null(strstr(merged, "    network:\r\n        a: b\r\n        interfaces:\n"));
}

static void references_in_other_documents_are_left_alone(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    const char *other = "---\nkind: X\na: &x {b: !!str c}\nd: *x\n";
    char base[256];
    snprintf(base, sizeof base, "machine:\n    type: worker\n%s", other);
    const char *merged = merged_with(base, &facts);
    assert_string_equal(merged + strlen(merged) - strlen(other), other);
}

static void empty_documents_between_separators_are_ignored(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    assert_non_null(
        strstr(merged_with("---\n---\nmachine:\n  type: worker\n---\n# nothing\n", &facts),
               "itl.io/attested"));
}

static void roles_must_fit_the_machine_type(void **state)
{
    (void)state;
    static const struct {
        const char *role, *type;
        bool fits;
    } cases[] = {
        {"controlplane", "controlplane", true},
        {"controlplane", "init", true},
        {"controlplane", "worker", false},
        {"controlplane", "join", false},
        {"worker-infra", "worker", true},
        {"worker-infra", "join", true},
        {"worker-app", "worker", true},
        {"worker-app", "controlplane", false},
        {"worker-infra", "init", false},
        {"worker-infra", "Worker", false},
        {"worker-app", "''", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct machine_config_facts facts = worker();
        facts.role = cases[i].role;
        char base[64];
        snprintf(base, sizeof base, "machine:\n  type: %s\n", cases[i].type);
        err_t e = cases[i].fits ? OK : E(BASE_CONFIG_INVALID);
        AUTO(buf) out = NULL;
        assert_true(IS_OK(buf_new(4096, &out)));
        assert_int_equal(machine_config_merge(view_text(base), &facts, out).code, e.code);
    }
}

static void bases_that_are_not_one_machine_document_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "\n# nothing\n",
        "text\n",
        "- machine\n",
        "machine: {type: worker}\n---\nmachine: {type: worker}\n",
        "kind: HostnameConfig\napiVersion: v1alpha1\nhostname: x\n",
        "machine: {type: worker}\n---\n- list\n",
        "cluster: {}\n",
        "machine: worker\n",
        "machine:\n",
        "machine: []\n",
        "version: v1beta1\nmachine: {type: worker}\n",
        "machine: {type: worker\n",
        "machine: {type: worker, type: worker}\n",
        "machine: {type: [worker]}\n",
        "machine:\n\ttype: worker\n",
        "machine: {type: worker}\n---\n{kind: HostnameConfig}\n---\n{kind: HostnameConfig}\n",
        "\xff\xfem\0a\0",
        "machine: {type: worker} \xc3\x28\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_refused(bad[i]);
    }
}

static void references_in_documents_that_change_are_refused(void **state)
{
    (void)state;
    assert_refused("machine: {type: worker, network: &n {}}\ncluster: *n\n");
    assert_refused("machine: &m {type: worker}\n");
    assert_refused("machine: {type: !!str worker}\n");
    assert_refused("x: &x {type: worker}\nmachine:\n  <<: *x\n");
    assert_refused("machine:\n  type: worker\n  <<: {type: controlplane}\n");
    assert_refused("machine: {type: worker}\n---\nkind: HostnameConfig\nauto: &a stable\n");
}

static void surprises_in_the_way_of_a_change_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "machine: {type: worker, nodeLabels: text}\n",
        "machine: {type: worker, nodeLabels: [a]}\n",
        "machine: {type: worker, nodeLabels: {itl.io/attested: {a: b}}}\n",
        "machine: {type: worker, network: [a]}\n",
        "machine: {type: worker, network: {hostname: {a: b}}}\n",
        "machine: {type: worker, network: {interfaces: {a: b}}}\n",
        "machine: {type: worker, network: {interfaces: text}}\n",
        "machine: {type: worker, network: {interfaces: [text]}}\n",
        "machine: {type: worker, network: {interfaces: [{addresses: text}]}}\n",
        "machine: {type: worker, network: {interfaces: [{addresses: [[a]]}]}}\n",
        "machine: {type: worker, install: [a]}\n",
        "machine: {type: worker}\n---\nkind: HostnameConfig\nauto: stable\nhostname: x\n",
        "machine: {type: worker}\n---\nkind: HostnameConfig\nauto: [a]\n",
        "machine: {type: worker}\n---\nkind: HostnameConfig\nauto: |\n  stable\n",
        "machine:\n  network:\n    hostname: |\n      text\n---\n{kind: HostnameConfig, auto: stable}\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_refused(bad[i]);
    }
}

static void layouts_the_editor_does_not_understand_are_refused_not_broken(void **state)
{
    (void)state;
    assert_refused("machine:\n  ? type\n  : worker\n");
    assert_refused("machine:\n  type: worker\n  network:\n    ? - a\n    : b\n");
    assert_refused("machine:\n  type: worker\n  network:\n    ? interfaces\n    :\n");
}

static void depth_and_size_are_bounded(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    char base[256] = "machine: {type: worker}\nx: ";
    for (size_t i = 0; i < 31; i++) {
        strcat(base, "[");
    }
    char deep[512];
    snprintf(deep, sizeof deep, "%s1%.*s\n", base, 30, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    assert_true(IS_E(refusal_with(deep, &facts), BASE_CONFIG_INVALID));
    *strchr(base, '[') = ' ';
    snprintf(deep, sizeof deep, "%s1%.*s\n", base, 30, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    assert_non_null(strstr(merged_with(deep, &facts), "itl.io"));

    AUTO(buf) big = NULL;
    assert_true(IS_OK(buf_new(MACHINE_CONFIG_MAX_BYTES + 1, &big)));
    assert_true(IS_OK(buf_put_text(big, "machine: {type: worker}\n#")));
    while (big->len < MACHINE_CONFIG_MAX_BYTES - 1024) {
        assert_true(IS_OK(buf_put_u8(big, 'x')));
    }
    AUTO(buf) out = NULL;
    assert_true(IS_OK(buf_new(MACHINE_CONFIG_MAX_BYTES, &out)));
    assert_true(IS_OK(machine_config_merge(buf_view(big), &facts, out)));
    while (big->len < MACHINE_CONFIG_MAX_BYTES) { /* the merged text would be too long */
        assert_true(IS_OK(buf_put_u8(big, 'x')));
    }
    buf_truncate(out, 0);
    assert_true(IS_E(machine_config_merge(buf_view(big), &facts, out), BASE_CONFIG_INVALID));
    assert_true(IS_OK(buf_put_u8(big, 'x')));
    assert_true(IS_E(machine_config_merge(buf_view(big), &facts, out), BASE_CONFIG_INVALID));
    assert_int_equal(out->len, 0);
}

static void facts_of_the_wrong_shape_are_refused(void **state)
{
    (void)state;
    const char *base = "machine: {type: worker}\n";
    struct machine_config_facts facts = worker();
    facts.role = "worker";
    assert_true(IS_E(refusal_with(base, &facts), ROLE_UNKNOWN));
    facts = worker();
    facts.machine_id = "a\"b";
    assert_true(IS_E(refusal_with(base, &facts), FIELD_INVALID));
    facts.machine_id = "";
    assert_true(IS_E(refusal_with(base, &facts), FIELD_INVALID));
    facts.machine_id = ID ID; /* 72 characters: no label value */
    assert_true(IS_E(refusal_with(base, &facts), FIELD_INVALID));
    facts = worker();
    facts.hostname = "a\nb: c";
    assert_true(IS_E(refusal_with(base, &facts), FIELD_INVALID));
    facts = worker();
    facts.assigned_ip = "10.0.0.7";
    assert_true(IS_E(refusal_with(base, &facts), FIELD_INVALID));
    facts = worker();
    facts.ek_fingerprint = "0123456789abcdef";
    assert_true(IS_E(refusal_with(base, &facts), FIELD_INVALID));
    facts = worker();
    facts.installer_image = "a\"b";
    assert_true(IS_E(refusal_with(base, &facts), FIELD_INVALID));
}

static void a_merged_text_that_does_not_fit_the_callers_buffer_is_not_written(void **state)
{
    (void)state;
    struct machine_config_facts facts = worker();
    AUTO(buf) out = NULL;
    assert_true(IS_OK(buf_new(100, &out)));
    assert_true(
        IS_E(machine_config_merge(view_text("machine: {type: worker}\n"), &facts, out), TOO_LONG));
    assert_int_equal(out->len, 0);
}

static void the_pending_configuration_names_no_secret(void **state)
{
    (void)state;
    AUTO(buf) out = NULL;
    assert_true(IS_OK(buf_new(4096, &out)));
    assert_true(IS_OK(
        machine_config_pending("https://attest.example.org:8443", "itl-cpstack-cluster", out)));
    assert_true(IS_OK(buf_put_u8(out, 0)));
    const char *text = (const char *)out->data;
    assert_non_null(strstr(text, "itl.io/status: pending-approval\n"));
    assert_non_null(strstr(text, "ITL_REG_URL: \"https://attest.example.org:8443\"\n"));
    assert_non_null(strstr(text, "id: \"itl-cpstack-cluster\"\n"));
    assert_null(strstr(text, "secret"));
    assert_null(strstr(text, "token"));
}

static void the_pending_configuration_refuses_what_would_break_it(void **state)
{
    (void)state;
    AUTO(buf) out = NULL;
    assert_true(IS_OK(buf_new(4096, &out)));
    static const char *const urls[] = {"http://a",     "https://",    "https://a\"b",
                                       "https://a\nb", "https://a b", ""};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        assert_true(IS_E(machine_config_pending(urls[i], "c", out), FIELD_INVALID));
    }
    static const char *const clusters[] = {"", "a b", "a\"", "-a", "a: b"};
    for (size_t i = 0; i < sizeof clusters / sizeof clusters[0]; i++) {
        assert_true(IS_E(machine_config_pending("https://a", clusters[i], out), FIELD_INVALID));
    }
    assert_int_equal(out->len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_and_annotations_are_added_to_the_smallest_base),
        cmocka_unit_test(comments_quotes_and_block_texts_stay_as_they_are),
        cmocka_unit_test(a_hostname_goes_into_the_machine_document_when_there_is_no_other),
        cmocka_unit_test(a_hostname_replaces_auto_in_the_hostname_document),
        cmocka_unit_test(the_hostname_document_may_come_first_and_hold_a_hostname),
        cmocka_unit_test(without_a_hostname_the_hostname_document_stays),
        cmocka_unit_test(an_address_makes_eth0_where_there_is_no_interface),
        cmocka_unit_test(an_address_joins_the_first_interface_once),
        cmocka_unit_test(an_installer_is_set_only_where_none_is),
        cmocka_unit_test(existing_labels_of_ours_are_overwritten_and_others_kept),
        cmocka_unit_test(labels_go_into_a_node_document_where_there_is_one),
        cmocka_unit_test(a_base_in_json_stays_json),
        cmocka_unit_test(a_base_without_a_last_line_end_is_merged),
        cmocka_unit_test(a_base_with_windows_line_ends_is_merged),
        cmocka_unit_test(references_in_other_documents_are_left_alone),
        cmocka_unit_test(empty_documents_between_separators_are_ignored),
        cmocka_unit_test(roles_must_fit_the_machine_type),
        cmocka_unit_test(bases_that_are_not_one_machine_document_are_refused),
        cmocka_unit_test(references_in_documents_that_change_are_refused),
        cmocka_unit_test(surprises_in_the_way_of_a_change_are_refused),
        cmocka_unit_test(layouts_the_editor_does_not_understand_are_refused_not_broken),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(facts_of_the_wrong_shape_are_refused),
        cmocka_unit_test(a_merged_text_that_does_not_fit_the_callers_buffer_is_not_written),
        cmocka_unit_test(the_pending_configuration_names_no_secret),
        cmocka_unit_test(the_pending_configuration_refuses_what_would_break_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
