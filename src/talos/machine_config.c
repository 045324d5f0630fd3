#include "talos/machine_config.h"

#include "talos/edit.h"
#include "talos/fact.h"

#include <stdio.h>
#include <string.h>

enum { TPM_EK_DIGITS = 16 };

/* The one document of this kind; NULL means the machine document, which has no kind. YAML_NODE_NONE
 * when there is none. */
static ERRFN find_document(const struct draft *d, const char *kind, uint32_t *out_root)
{
    uint32_t found = YAML_NODE_NONE;
    for (uint32_t root = 0; root < d->tree->count; root = d->tree->nodes[root].next) {
        if (yaml_tree_is_null(d->tree, root)) {
            continue; /* nothing between two separators */
        }
        ENSURE(d->tree->nodes[root].kind == YAML_KIND_MAPPING, BASE_CONFIG_INVALID);
        uint32_t value = yaml_tree_find(d->tree, root, "kind");
        bool is_it = kind ? value != YAML_NODE_NONE && view_is(d->tree->nodes[value].text, kind)
                          : value == YAML_NODE_NONE;
        ENSURE(!is_it || found == YAML_NODE_NONE, BASE_CONFIG_INVALID);
        found = is_it ? root : found;
    }
    *out_root = found;
    return OK;
}

/* A document that changes must mean what its text says: no aliases, anchors, tags or merge keys. */
static ERRFN check_plain(const struct draft *d, uint32_t root)
{
    for (uint32_t i = root; i < d->tree->nodes[root].next; i++) {
        const struct yaml_node *node = &d->tree->nodes[i];
        ENSURE(node->kind != YAML_KIND_ALIAS && !node->decorated, BASE_CONFIG_INVALID);
        ENSURE(node->kind != YAML_KIND_SCALAR || node->style != YAML_STYLE_PLAIN ||
                   !view_is(node->text, "<<"),
               BASE_CONFIG_INVALID);
    }
    return OK;
}

static ERRFN find_plain_document(const struct draft *d, const char *kind, uint32_t *out_root)
{
    TRY(find_document(d, kind, out_root));
    return *out_root == YAML_NODE_NONE ? OK : check_plain(d, *out_root);
}

static ERRFN check_type(const struct draft *d, uint32_t machine, const char *role)
{
    uint32_t type = yaml_tree_find(d->tree, machine, "type");
    if (type == YAML_NODE_NONE) {
        return OK;
    }
    struct view text = d->tree->nodes[type].text;
    bool is_controlplane = view_is(text, "controlplane") || view_is(text, "init");
    bool is_worker = view_is(text, "worker") || view_is(text, "join");
    ENSURE(strcmp(role, "controlplane") == 0 ? is_controlplane : is_worker, BASE_CONFIG_INVALID);
    return OK;
}

static ERRFN check_machine_document(const struct draft *d, const char *role)
{
    uint32_t root = YAML_NODE_NONE;
    TRY(find_plain_document(d, NULL, &root));
    ENSURE(root != YAML_NODE_NONE, BASE_CONFIG_INVALID);
    uint32_t version = yaml_tree_find(d->tree, root, "version");
    ENSURE(version == YAML_NODE_NONE || view_is(d->tree->nodes[version].text, "v1alpha1"),
           BASE_CONFIG_INVALID);
    uint32_t machine = yaml_tree_find(d->tree, root, "machine");
    ENSURE(machine != YAML_NODE_NONE && d->tree->nodes[machine].kind == YAML_KIND_MAPPING,
           BASE_CONFIG_INVALID);
    return check_type(d, machine, role);
}

static ERRFN set_text(struct draft *d, uint32_t root, const char *first, const char *second,
                      const char *third, const char *text)
{
    struct fragment f = {.keys = {first, second, third}, .leaf = FRAGMENT_LEAF_TEXT, .text = text};
    f.keys_count = third ? 3 : second ? 2 : 1;
    return edit_set(d, root, &f);
}

/* A change moves nodes, so every step looks its documents up again. */
static ERRFN machine_root(const struct draft *d, uint32_t *out_root)
{
    TRY(find_document(d, NULL, out_root));
    ENSURE(*out_root != YAML_NODE_NONE, BUG);
    return OK;
}

static uint32_t find_in_machine(const struct draft *d, uint32_t root, const char *section)
{
    uint32_t machine = yaml_tree_find(d->tree, root, "machine");
    return machine == YAML_NODE_NONE ? YAML_NODE_NONE : yaml_tree_find(d->tree, machine, section);
}

/* Talos refuses a hostname in the machine document beside a HostnameConfig, and `auto` beside
 * `hostname` in that. */
static ERRFN set_hostname_document(struct draft *d, uint32_t document, const char *hostname)
{
    const struct yaml_tree *tree = d->tree;
    uint32_t automatic = yaml_tree_find(tree, document, "auto");
    if (yaml_tree_find(tree, document, "hostname") != YAML_NODE_NONE) {
        ENSURE(automatic == YAML_NODE_NONE || view_is(tree->nodes[automatic].text, "off"),
               BASE_CONFIG_INVALID);
        return set_text(d, document, "hostname", NULL, NULL, hostname);
    }
    if (automatic == YAML_NODE_NONE) {
        return set_text(d, document, "hostname", NULL, NULL, hostname);
    }
    struct fragment f = {
        .keys = {"hostname"}, .keys_count = 1, .leaf = FRAGMENT_LEAF_TEXT, .text = hostname};
    return edit_replace(d, document, "auto", &f);
}

static ERRFN set_hostname(struct draft *d, const struct machine_config_facts *facts)
{
    if (facts->hostname[0] == '\0') {
        return OK;
    }
    uint32_t root = 0;
    uint32_t document = 0;
    TRY(machine_root(d, &root));
    TRY(find_plain_document(d, "HostnameConfig", &document));
    if (document == YAML_NODE_NONE) {
        return set_text(d, root, "machine", "network", "hostname", facts->hostname);
    }
    uint32_t network = find_in_machine(d, root, "network");
    if (network != YAML_NODE_NONE) {
        TRY(edit_remove(d, network, "hostname"));
        TRY(find_document(d, "HostnameConfig", &document));
    }
    return set_hostname_document(d, document, facts->hostname);
}

static ERRFN add_address(struct draft *d, uint32_t interface, const char *address)
{
    uint32_t addresses = yaml_tree_find(d->tree, interface, "addresses");
    bool is_list =
        addresses != YAML_NODE_NONE && d->tree->nodes[addresses].kind == YAML_KIND_SEQUENCE;
    if (is_list && yaml_tree_size(d->tree, addresses) > 0) {
        return edit_append(d, addresses, address);
    }
    ENSURE(addresses == YAML_NODE_NONE || is_list || yaml_tree_is_null(d->tree, addresses),
           BASE_CONFIG_INVALID);
    struct fragment f = {
        .keys = {"addresses"}, .keys_count = 1, .leaf = FRAGMENT_LEAF_LIST, .text = address};
    return edit_set(d, interface, &f);
}

static ERRFN set_address(struct draft *d, const struct machine_config_facts *facts)
{
    if (facts->assigned_ip[0] == '\0') {
        return OK;
    }
    uint32_t root = 0;
    TRY(machine_root(d, &root));
    uint32_t network = find_in_machine(d, root, "network");
    uint32_t interfaces =
        network == YAML_NODE_NONE ? YAML_NODE_NONE : yaml_tree_find(d->tree, network, "interfaces");
    bool is_list =
        interfaces != YAML_NODE_NONE && d->tree->nodes[interfaces].kind == YAML_KIND_SEQUENCE;
    if (is_list && yaml_tree_size(d->tree, interfaces) > 0) {
        return add_address(d, interfaces + 1, facts->assigned_ip);
    }
    ENSURE(interfaces == YAML_NODE_NONE || is_list || yaml_tree_is_null(d->tree, interfaces),
           BASE_CONFIG_INVALID);
    struct fragment f = {.keys = {"machine", "network", "interfaces"},
                         .keys_count = 3,
                         .leaf = FRAGMENT_LEAF_INTERFACE,
                         .text = facts->assigned_ip};
    return edit_set(d, root, &f);
}

struct mark {
    bool is_label; /* else an annotation */
    const char *key;
    const char *value;
};

/* Since 1.14 labels may live in a KubeNodeConfig document, and Talos refuses them in both. */
static ERRFN set_mark(struct draft *d, const struct mark *mark)
{
    uint32_t document = 0;
    TRY(find_plain_document(d, "KubeNodeConfig", &document));
    if (document != YAML_NODE_NONE) {
        return set_text(d, document, mark->is_label ? "labels" : "annotations", mark->key, NULL,
                        mark->value);
    }
    uint32_t root = 0;
    TRY(machine_root(d, &root));
    return set_text(d, root, "machine", mark->is_label ? "nodeLabels" : "nodeAnnotations",
                    mark->key, mark->value);
}

static ERRFN set_marks(struct draft *d, const struct machine_config_facts *facts)
{
    char short_ek[TPM_EK_DIGITS + 1];
    snprintf(short_ek, sizeof short_ek, "%s", facts->ek_fingerprint);
    const struct mark marks[] = {
        {true, "itl.io/machine-id", facts->machine_id},
        {true, "itl.io/tpm-ek", short_ek},
        {true, "itl.io/attested", "true"},
        {false, "itl.io/tpm-ek-full", facts->ek_fingerprint},
        {false, "itl.io/machine-id", facts->machine_id},
    };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        TRY(set_mark(d, &marks[i]));
    }
    return OK;
}

/* Since 1.14 an install may be described by its own document, and Talos refuses machine.install
 * beside it. */
static ERRFN has_install_document(const struct draft *d, bool *out_has)
{
    uint32_t document = 0;
    TRY(find_document(d, "UnattendedInstallConfig", &document));
    if (document == YAML_NODE_NONE) {
        TRY(find_document(d, "UnattendedInstall", &document));
    }
    *out_has = document != YAML_NODE_NONE;
    return OK;
}

static ERRFN set_installer(struct draft *d, const struct machine_config_facts *facts)
{
    uint32_t root = 0;
    bool has_document = false;
    TRY(machine_root(d, &root));
    TRY(has_install_document(d, &has_document));
    if (facts->installer_image[0] == '\0' || has_document) {
        return OK;
    }
    uint32_t install = find_in_machine(d, root, "install");
    uint32_t image =
        install == YAML_NODE_NONE ? YAML_NODE_NONE : yaml_tree_find(d->tree, install, "image");
    bool has_image = image != YAML_NODE_NONE && d->tree->nodes[image].text.len > 0 &&
                     !yaml_tree_is_null(d->tree, image);
    return has_image ? OK
                     : set_text(d, root, "machine", "install", "image", facts->installer_image);
}

static bool is_known_role(const char *role)
{
    return strcmp(role, "controlplane") == 0 || strcmp(role, "worker-infra") == 0 ||
           strcmp(role, "worker-app") == 0;
}

static ERRFN check_facts(const struct machine_config_facts *facts)
{
    ENSURE(is_known_role(facts->role), ROLE_UNKNOWN);
    ENSURE(fact_is_label_value(facts->machine_id), FIELD_INVALID);
    ENSURE(fact_is_fingerprint(facts->ek_fingerprint), FIELD_INVALID);
    ENSURE(facts->hostname[0] == '\0' || machine_config_hostname_valid(view_text(facts->hostname)),
           FIELD_INVALID);
    ENSURE(facts->assigned_ip[0] == '\0' ||
               machine_config_address_valid(view_text(facts->assigned_ip)),
           FIELD_INVALID);
    ENSURE(facts->installer_image[0] == '\0' || fact_is_image(facts->installer_image),
           FIELD_INVALID);
    return OK;
}

static ERRFN change_all(struct draft *d, const struct machine_config_facts *facts)
{
    TRY(set_hostname(d, facts));
    TRY(set_address(d, facts));
    TRY(set_marks(d, facts));
    return set_installer(d, facts);
}

ERRFN machine_config_merge(struct view base_yaml, const struct machine_config_facts *facts,
                           struct buf *out_yaml)
{
    TRY(check_facts(facts));
    AUTO(draft) draft = NULL;
    TRY(draft_open(base_yaml, &draft));
    TRY(check_machine_document(draft, facts->role));
    err_t e = change_all(draft, facts);
    ENSURE(!IS_E(e, TOO_LONG), BASE_CONFIG_INVALID); /* indented beyond all reason */
    TRY(e);
    return buf_put(out_yaml, buf_view(draft->text));
}
