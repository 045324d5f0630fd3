/* The settings file: what is accepted, what is refused and how well the refusal is explained. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"

#include <stdio.h>
#include <string.h>

#define MINIMAL                               \
    "listen: {names: [attest.example.org]}\n" \
    "hsm:\n"                                  \
    "  ca: {module: /usr/lib/ca.so}\n"        \
    "  tls: {module: /usr/lib/tls.so}\n"

static char *no_environment[] = {NULL};

static struct config *accepted(const char *yaml)
{
    struct config *config = NULL;
    struct config_problem problem;
    err_t e = config_parse(view_text(yaml), no_environment, &config, &problem);
    if (!IS_OK(e)) {
        fail_msg("refused at %u:%u %s: %s", problem.line, problem.column, problem.path,
                 problem.text);
    }
    return config;
}

static struct config_problem refused(const char *yaml)
{
    struct config *config = NULL;
    struct config_problem problem;
    err_t e = config_parse(view_text(yaml), no_environment, &config, &problem);
    if (IS_OK(e)) {
        fail_msg("accepted: %s", yaml);
    }
    assert_true(IS_E(e, CONFIG_INVALID));
    assert_null(config);
    assert_true(strlen(problem.text) > 0);
    return problem;
}

/* The refusal stands at this place and names this setting. */
static void assert_refused_at(const char *yaml, unsigned line, unsigned column, const char *path)
{
    struct config_problem problem = refused(yaml);
    assert_string_equal(problem.path, path);
    assert_int_equal(problem.line, line);
    assert_int_equal(problem.column, column);
}

static void a_minimal_file_gets_the_documented_defaults(void **state)
{
    (void)state;
    AUTO(config) c = accepted(MINIMAL);
    assert_string_equal(c->state_directory, "/var/lib/itl-attestation");
    assert_string_equal(c->runtime_directory, "/run/itl-attestation");
    assert_string_equal(c->listen.address, "0.0.0.0:8443");
    assert_string_equal(c->listen.host, "0.0.0.0");
    assert_int_equal(c->listen.port, 8443);
    assert_int_equal(c->listen.workers, 64);
    assert_string_equal(c->service_url, "https://attest.example.org:8443");
    assert_true(c->high_assurance);
    assert_int_equal(c->hsm.isolation, CONFIG_ISOLATION_NONE);
    assert_string_equal(c->hsm.ca.token_label, "itl-ca");
    assert_string_equal(c->hsm.ca.pin_file, "/var/lib/itl-attestation/pins/ca.pin");
    assert_int_equal(c->hsm.ca.sessions_max, 4);
    assert_string_equal(c->hsm.tls.token_label, "itl-tls");
    assert_string_equal(c->hsm.tls.pin_file, "/var/lib/itl-attestation/pins/tls.pin");
    assert_string_equal(c->ca.common_name, "ITL Machine Enrollment CA");
    assert_string_equal(c->accounts.signer, "itl-signer");
    assert_int_equal(c->ek_trust.certificateless, CONFIG_CERTIFICATELESS_REFUSE);
    assert_int_equal(c->operator_grants, CONFIG_GRANTS_SIGNED);
    assert_string_equal(c->machine_config.base_directory, "/var/lib/itl-attestation/configs");
    assert_true(c->machine_config.sealed_delivery);
    assert_string_equal(c->database.path, "/var/lib/itl-attestation/db/attestation.db");
    assert_string_equal(c->database.key_file, "/var/lib/itl-attestation/db/database.key.sealed");
    assert_int_equal(c->limits.requests_per_minute_per_address, 600);
    assert_int_equal(c->limits.pending_machines_max, 10000);
    assert_int_equal(c->limits.sessions_max, 10000);
    assert_int_equal(c->log_level, LOG_INFO);
}

static void the_default_attestation_quotes_pcr_0_2_4_7_and_never_pcr_1(void **state)
{
    (void)state;
    AUTO(config) c = accepted(MINIMAL);
    assert_int_equal(c->attestation.pcr_selection_count, 1);
    assert_string_equal(c->attestation.pcr_selection[0].bank, "sha256");
    assert_int_equal(c->attestation.pcr_selection[0].mask, 0x95);
    assert_int_equal(c->attestation.ak_keys_count, CONFIG_AK_KEYS_MAX);
    assert_true(c->attestation.require_quote);
    assert_true(c->attestation.require_nonce);
    assert_int_equal(c->attestation.nonce_ttl_s, 60);
    assert_int_equal(c->attestation.session_ttl_s, 300);
    assert_int_equal(c->attestation.challenge_interval_ms, 1000);
}

static void every_setting_is_kept(void **state)
{
    (void)state;
    AUTO(config)
    c = accepted(
        "state_directory: /srv/itl\n"
        "runtime_directory: /run/itl\n"
        "listen:\n"
        "  address: '[2001:db8::1]:443'\n"
        "  names: [attest.example.org, 192.0.2.1, '2001:db8::1']\n"
        "  workers: 8\n"
        "service_url: https://attest.example.org/base//\n"
        "high_assurance: false\n"
        "hsm:\n"
        "  isolation: process\n"
        "  ca:\n"
        "    module: /opt/vendor/p11.so\n"
        "    token_label: vendor ca\n"
        "    pin_file: /etc/pin-ca\n"
        "    environment: {VENDOR_CONF: /etc/vendor.conf, P11_KIT_SERVER_ADDRESS: "
        "'unix:path=/run/p11'}\n"
        "    sessions_max: 9\n"
        "  tls: {module: /opt/vendor/p11.so, token_label: vendor tls, pin_file: /etc/pin-tls, "
        "sessions_max: 2}\n"
        "ca: {subject: {country: DE, organization: Ärzte GmbH, common_name: CA 1}}\n"
        "accounts: {front: a, keyholder: b, signer: '1003', courier: 1004}\n"
        "ek_trust:\n"
        "  roots_directory: /etc/roots\n"
        "  intermediates_directory: /etc/intermediates\n"
        "  allowed_hashes:\n"
        "    - ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789\n"
        "    - "
        "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "000001\n"
        "  certificateless: pending\n"
        "attestation:\n"
        "  pcr_selection: {sha256: [7], sha384: [0, 23]}\n"
        "  ak_keys: [P-384]\n"
        "  require_quote: false\n"
        "  require_nonce: false\n"
        "  nonce_ttl_seconds: 30\n"
        "  session_ttl_seconds: 90\n"
        "  challenge_interval_ms: 0\n"
        "machine_config: {base_directory: /etc/bases, installer_image: 'ghcr.io/x/installer:v1', "
        "sealed_delivery: false}\n"
        "dual_control: {roles: [worker-infra, controlplane], quorum: 3, window_seconds: 60}\n"
        "operator: {grants: bearer}\n"
        "database: {path: /srv/a.db, key_file: /srv/a.key}\n"
        "limits: {requests_per_minute_per_address: 1, pending_machines_max: 2, sessions_max: 16}\n"
        "logging: {level: debug}\n");
    assert_string_equal(c->state_directory, "/srv/itl");
    assert_string_equal(c->listen.host, "2001:db8::1");
    assert_int_equal(c->listen.port, 443);
    assert_int_equal(c->listen.names_count, 3);
    assert_string_equal(c->listen.names[2], "2001:db8::1");
    assert_int_equal(c->listen.workers, 8);
    assert_string_equal(c->service_url, "https://attest.example.org/base");
    assert_false(c->high_assurance);
    assert_int_equal(c->hsm.isolation, CONFIG_ISOLATION_PROCESS);
    assert_string_equal(c->hsm.ca.token_label, "vendor ca");
    assert_int_equal(c->hsm.ca.environment_count, 2);
    assert_string_equal(c->hsm.ca.environment[1].name, "P11_KIT_SERVER_ADDRESS");
    assert_string_equal(c->hsm.ca.environment[1].value, "unix:path=/run/p11");
    assert_int_equal(c->hsm.ca.sessions_max, 9);
    assert_string_equal(c->hsm.tls.pin_file, "/etc/pin-tls");
    assert_string_equal(c->ca.country, "DE");
    assert_string_equal(c->ca.organization, "Ärzte GmbH");
    assert_string_equal(c->accounts.courier, "1004");
    assert_int_equal(c->ek_trust.allowed_hashes_count, 2);
    assert_string_equal(c->ek_trust.allowed_hashes[0],
                        "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789");
    assert_int_equal(c->ek_trust.certificateless, CONFIG_CERTIFICATELESS_PENDING);
    assert_int_equal(c->attestation.pcr_selection_count, 2);
    assert_string_equal(c->attestation.pcr_selection[1].bank, "sha384");
    assert_int_equal(c->attestation.pcr_selection[1].mask, 1u << 23 | 1u);
    assert_int_equal(c->attestation.ak_keys_count, 1);
    assert_int_equal(c->attestation.challenge_interval_ms, 0);
    assert_string_equal(c->machine_config.installer_image, "ghcr.io/x/installer:v1");
    assert_int_equal(c->dual_control.roles_count, 2);
    assert_string_equal(c->dual_control.roles[1], "controlplane");
    assert_int_equal(c->dual_control.quorum, 3);
    assert_int_equal(c->operator_grants, CONFIG_GRANTS_BEARER);
    assert_string_equal(c->database.key_file, "/srv/a.key");
    assert_int_equal(c->limits.sessions_max, 16);
    assert_int_equal(c->log_level, LOG_DEBUG);
}

static void defaults_follow_the_state_directory(void **state)
{
    (void)state;
    AUTO(config) c = accepted(MINIMAL "state_directory: /srv/itl\n");
    assert_string_equal(c->database.path, "/srv/itl/db/attestation.db");
    assert_string_equal(c->hsm.tls.pin_file, "/srv/itl/pins/tls.pin");
}

static void the_default_service_url_brackets_an_ipv6_name(void **state)
{
    (void)state;
    AUTO(config)
    c = accepted("listen: {names: ['2001:db8::5'], address: '[::]:9443'}\n"
                 "hsm: {ca: {module: /a}, tls: {module: /b}}\n");
    assert_string_equal(c->service_url, "https://[2001:db8::5]:9443");
}

static void an_unknown_key_is_refused_with_its_place(void **state)
{
    (void)state;
    assert_refused_at(MINIMAL "databse: {path: /x}\n", 5, 1, "databse");
    assert_refused_at("hsm:\n  ca:\n    modul: /x\n", 3, 5, "hsm.ca.modul");
    assert_refused_at(MINIMAL "hsm.ca.token_label: x\n", 5, 1, "hsm.ca.token_label");
}

static void a_repeated_key_is_refused_with_its_place(void **state)
{
    (void)state;
    struct config_problem problem = refused("high_assurance: true\nhigh_assurance: false\n");
    assert_int_equal(problem.line, 2);
    assert_int_equal(problem.column, 1);
    problem = refused("listen:\n  workers: 8\n  workers: 9\n");
    assert_int_equal(problem.line, 3);
}

static void a_value_of_the_wrong_type_says_what_was_expected(void **state)
{
    (void)state;
    struct config_problem problem = refused("high_assurance: yes\n");
    assert_string_equal(problem.path, "high_assurance");
    assert_non_null(strstr(problem.text, "true or false"));
    problem = refused("listen: {workers: many}\n");
    assert_non_null(strstr(problem.text, "from 4 to 256"));
    assert_refused_at("high_assurance: 'true'\n", 1, 17, "high_assurance");
    assert_refused_at("listen: [a]\n", 1, 9, "listen");
    assert_refused_at("listen:\n", 1, 8, "listen");
    assert_refused_at("state_directory: {a: b}\n", 1, 18, "state_directory");
    assert_refused_at("listen: {names: attest.example.org}\n", 1, 17, "listen.names");
    assert_refused_at("state_directory: ~\n", 1, 18, "state_directory");
    assert_refused_at("- a\n", 1, 1, "");
    problem = refused("hsm: {isolation: thread}\n");
    assert_non_null(strstr(problem.text, "none, process"));
}

static void numbers_have_ranges(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "listen: {workers: 3}\n",
        "listen: {workers: 257}\n",
        "listen: {workers: -8}\n",
        "listen: {workers: 0x10}\n",
        "listen: {workers: 010}\n",
        "listen: {workers: 8.0}\n",
        "listen: {workers: 4294967304}\n",
        "listen: {workers: 18446744073709551624}\n",
        "attestation: {nonce_ttl_seconds: 0}\n",
        "attestation: {session_ttl_seconds: 86400}\n",
        "attestation: {pcr_selection: {sha256: [24]}}\n",
        "attestation: {pcr_selection: {sha256: [7, 7]}}\n",
        "attestation: {pcr_selection: {sha256: []}}\n",
        "attestation: {pcr_selection: {sha1: [7]}}\n",
        "attestation: {pcr_selection: {}}\n",
        "dual_control: {quorum: 0}\n",
        "pki: {certificate_days: 399}\n",
        "pki: {svid_minutes: 4}\n",
        "pki: {crl_hours: 0}\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refused(bad[i]);
    }
}

static void texts_of_the_wrong_shape_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "state_directory: var/lib\n",
        "pki: {trust_domain: Example.org}\n",
        "pki: {trust_domain: 'spiffe://example.org'}\n",
        "pki: {spiffe_id_template: agents}\n",
        "pki: {spiffe_id_template: /a?b}\n",
        "pki: {public_url: 'ftp://example.org'}\n",
        "pki: {public_url: 'https://example.org/?x'}\n",
        "state_directory: /var/../etc\n",
        "state_directory: /var/..\n",
        "state_directory: /var/\n",
        "state_directory: /\n",
        "state_directory: ''\n",
        "state_directory: \"/var\\n/x\"\n",
        "state_directory: \"/var\\0/x\"\n",
        "listen: {address: 8443}\n",
        "listen: {address: ':8443'}\n",
        "listen: {address: '0.0.0.0:0'}\n",
        "listen: {address: '0.0.0.0:65536'}\n",
        "listen: {address: '0.0.0.0:08443'}\n",
        "listen: {address: '::1:8443'}\n",
        "listen: {address: '[0.0.0.0]:8443'}\n",
        "listen: {address: '[]:8443'}\n",
        "listen: {names: ['a b']}\n",
        "listen: {names: ['-a.example']}\n",
        "listen: {names: ['a..example']}\n",
        "listen: {names: ['1.2.3']}\n",
        "listen: {names: ['*.example.org']}\n",
        "listen: {names: [a.example, a.example]}\n",
        "listen: {names: []}\n",
        "service_url: http://attest.example.org\n",
        "service_url: https://\n",
        "service_url: https://user@attest.example.org\n",
        "service_url: https://attest.example.org:0\n",
        "service_url: https://attest.example.org/?a=b\n",
        "service_url: 'https://attest.example.org/\"'\n",
        "service_url: https://[::1\n",
        "hsm: {ca: {pin_file: 'credential:'}}\n",
        "hsm: {ca: {pin_file: 'credential:../x'}}\n",
        "hsm: {ca: {pin_file: pin}}\n",
        "hsm: {ca: {token_label: 123456789012345678901234567890123}}\n",
        "hsm: {ca: {environment: {LD_PRELOAD: /x}}}\n",
        "hsm: {ca: {environment: {OPENSSL_CONF: /x}}}\n",
        "hsm: {ca: {environment: {ITL_X: /x}}}\n",
        "hsm: {ca: {environment: {lower: /x}}}\n",
        "hsm: {ca: {environment: {A: '1', B: '1', C: '1', D: '1', E: '1', F: '1', G: '1', H: '1', "
        "I: '1'}}}\n",
        "ca: {subject: {country: Netherlands}}\n",
        "accounts: {front: root}\n",
        "accounts: {front: '0'}\n",
        "accounts: {front: '00'}\n",
        "accounts: {front: 'a b'}\n",
        "ek_trust: {allowed_hashes: [abc]}\n",
        "ek_trust: {allowed_hashes: "
        "[g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef]}\n",
        "attestation: {ak_keys: [RSA-1024]}\n",
        "attestation: {ak_keys: []}\n",
        "machine_config: {installer_image: 'a b'}\n",
        "dual_control: {roles: [admin]}\n",
        "operator: {grants: none}\n",
        "logging: {level: trace}\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct config_problem problem = refused(bad[i]);
        assert_int_equal(problem.line, 1);
        assert_true(strlen(problem.path) > 0);
    }
}

static void required_settings_are_named_when_missing(void **state)
{
    (void)state;
    assert_refused_at("high_assurance: true\n", 0, 0, "hsm.ca.module");
    assert_refused_at("hsm: {ca: {module: /a}}\n", 0, 0, "hsm.tls.module");
    assert_refused_at("hsm: {ca: {module: /a}, tls: {module: /a}}\n", 0, 0, "listen.names");
}

static void settings_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    assert_refused_at(
        "listen: {names: [a.example]}\n"
        "hsm: {ca: {module: /a, token_label: x}, tls: {module: /a, token_label: x}}\n",
        0, 0, "hsm.tls.token_label");
    assert_refused_at(MINIMAL "policy_file: /etc/policy.yaml\nattestation: {ak_keys: [P-384]}\n", 0,
                      0, "policy_file");
    assert_refused_at(MINIMAL "accounts: {signer: itl-front}\n", 0, 0, "accounts.signer");
    assert_refused_at(MINIMAL "database: {path: /a, key_file: /a}\n", 0, 0, "database.key_file");
}

static void a_policy_file_alone_is_accepted(void **state)
{
    (void)state;
    AUTO(config)
    c = accepted(MINIMAL "policy_file: /etc/policy.yaml\nattestation: {nonce_ttl_seconds: 30}\n");
    assert_string_equal(c->policy_file, "/etc/policy.yaml");
}

static void aliases_anchors_and_tags_are_refused(void **state)
{
    (void)state;
    refused("state_directory: &a /x\n");
    refused("state_directory: !!str /x\n");
    refused("state_directory: ! /x\n");
    refused("hsm: &h {}\n");
    refused("hsm: !!map {}\n");
    struct config_problem problem = refused("listen: {names: [*a]}\n");
    assert_int_equal(problem.line, 1);
    assert_int_equal(problem.column, 18);
}

static void text_that_is_not_one_yaml_document_is_refused(void **state)
{
    (void)state;
    refused("");
    refused("# nothing\n");
    refused("a: b: c\n");
    refused("listen: [\n");
    refused("\thigh_assurance: true\n");
    refused("high_assurance: true\n---\nhigh_assurance: true\n");
    refused("? [a]\n: b\n");
    refused("? {a: b}\n: b\n");
    refused("\xff\xfe"
            "a\0:\0");
    refused("high_assurance: \x01\n");
    refused("state_directory: /\xc3\n");
}

static void nesting_and_size_are_bounded(void **state)
{
    (void)state;
    refused("a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}\n");
    AUTO(buf) big = NULL;
    assert_true(IS_OK(buf_new(CONFIG_FILE_MAX_BYTES + 100, &big)));
    assert_true(IS_OK(buf_put_text(big, MINIMAL "#")));
    while (big->len < CONFIG_FILE_MAX_BYTES) {
        assert_true(IS_OK(buf_put_u8(big, 'x')));
    }
    struct config *config = NULL;
    struct config_problem problem;
    assert_true(IS_OK(config_parse(buf_view(big), no_environment, &config, &problem)));
    config_free(config);
    assert_true(IS_OK(buf_put_u8(big, 'x')));
    assert_true(
        IS_E(config_parse(buf_view(big), no_environment, &config, &problem), CONFIG_INVALID));
    assert_non_null(strstr(problem.text, "262144"));
}

static void a_credential_is_found_where_systemd_puts_it(void **state)
{
    (void)state;
    const char *yaml =
        "listen: {names: [a.example]}\n"
        "hsm: {ca: {module: /a, pin_file: 'credential:ca.pin'}, tls: {module: /a}}\n";
    char *environment[] = {"CREDENTIALS_DIRECTORY=/run/credentials/itl.service", NULL};
    struct config *config = NULL;
    struct config_problem problem;
    assert_true(IS_OK(config_parse(view_text(yaml), environment, &config, &problem)));
    assert_string_equal(config->hsm.ca.pin_file, "/run/credentials/itl.service/ca.pin");
    config_free(config);
    assert_refused_at(yaml, 0, 0, "hsm.ca.pin_file");
}

static void the_reference_file_is_accepted_and_shows_the_defaults(void **state)
{
    (void)state;
    struct config *from_reference = NULL;
    struct config_problem problem;
    err_t e = config_load(ITL_SOURCE_DIR "/appliance/appliance.yaml", &from_reference, &problem);
    if (!IS_OK(e)) {
        fail_msg("%u:%u %s: %s", problem.line, problem.column, problem.path, problem.text);
    }
    struct config_violation violations[CONFIG_VIOLATIONS_MAX];
    assert_int_equal(config_high_assurance_violations(from_reference, violations), 0);
    config_free(from_reference);
}

static bool is_commented_setting(const char *line)
{
    const char *word = line + strspn(line, " ");
    if (strncmp(word, "# ", 2) != 0) {
        return false;
    }
    word += 2 + strspn(word + 2, " ");
    size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyz_0123456789");
    return len > 0 && word[len] == ':';
}

/* The reference file with its commented settings switched on. */
static void read_uncommented(char *out_text, size_t size)
{
    FILE *file = fopen(ITL_SOURCE_DIR "/appliance/appliance.yaml", "r");
    assert_non_null(file);
    char line[256];
    size_t at = 0;
    while (fgets(line, sizeof line, file)) {
        if (is_commented_setting(line) && !strstr(line, "policy_file:")) {
            char *mark = strchr(line, '#');
            memmove(mark, mark + 2, strlen(mark + 2) + 1);
        }
        at += (size_t)snprintf(out_text + at, size - at, "%s", line);
        assert_true(at < size);
    }
    fclose(file);
}

static void the_defaults_shown_in_the_reference_file_are_the_defaults(void **state)
{
    (void)state;
    char text[16384];
    read_uncommented(text, sizeof text);
    AUTO(config) all = accepted(text);
    AUTO(config) sparse = NULL;
    struct config_problem problem;
    assert_true(IS_OK(config_load(ITL_SOURCE_DIR "/appliance/appliance.yaml", &sparse, &problem)));
    assert_string_equal(all->ek_trust.intermediates_directory,
                        "/etc/itl-attestation/ek-intermediates");
    assert_string_equal(all->machine_config.installer_image,
                        "ghcr.io/siderolabs/installer:v1.13.0");
    /* These two have no default. */
    memset(all->ek_trust.intermediates_directory, 0, CONFIG_PATH_SIZE);
    memset(all->machine_config.installer_image, 0, CONFIG_URL_SIZE);
    assert_memory_equal(all, sparse, sizeof *all);
}

static void a_file_that_is_not_there_is_unreadable(void **state)
{
    (void)state;
    struct config *config = NULL;
    struct config_problem problem;
    assert_true(
        IS_E(config_load("/nonexistent/appliance.yaml", &config, &problem), CONFIG_UNREADABLE));
    assert_true(strlen(problem.text) > 0);
    assert_null(config);
}

static void assert_violates(const char *yaml, const char *setting)
{
    AUTO(config) c = accepted(yaml);
    struct config_violation violations[CONFIG_VIOLATIONS_MAX];
    size_t count = config_high_assurance_violations(c, violations);
    assert_int_equal(count, 1);
    assert_string_equal(violations[0].setting, setting);
    assert_true(strlen(violations[0].why) > 0);
}

#define STRONG MINIMAL "ek_trust: {roots_directory: /etc/roots}\n"

static void each_weaker_setting_violates_high_assurance(void **state)
{
    (void)state;
    struct config_violation violations[CONFIG_VIOLATIONS_MAX];
    AUTO(config) strong = accepted(STRONG);
    assert_int_equal(config_high_assurance_violations(strong, violations), 0);
    assert_violates(STRONG "attestation: {require_quote: false}\n", "attestation.require_quote");
    assert_violates(STRONG "attestation: {require_nonce: false}\n", "attestation.require_nonce");
    assert_violates(STRONG "machine_config: {sealed_delivery: false}\n",
                    "machine_config.sealed_delivery");
    assert_violates(STRONG "dual_control: {roles: [worker-app]}\n", "dual_control.roles");
    assert_violates(STRONG "dual_control: {roles: []}\n", "dual_control.roles");
    assert_violates(STRONG "dual_control: {quorum: 1}\n", "dual_control.quorum");
    assert_violates(STRONG "operator: {grants: bearer}\n", "operator.grants");
    assert_violates(STRONG "pki: {certificate_enrollment: true}\n",
                    "pki.certificate_enrollment");
    assert_violates(MINIMAL "ek_trust: {roots_directory: /r, certificateless: pending}\n",
                    "ek_trust.certificateless");
    assert_violates(MINIMAL, "ek_trust.roots_directory");
}

static void an_allowed_hash_is_trust_enough_for_high_assurance(void **state)
{
    (void)state;
    struct config_violation violations[CONFIG_VIOLATIONS_MAX];
    AUTO(config)
    c = accepted(MINIMAL "ek_trust: {allowed_hashes: "
                         "[0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef]}\n");
    assert_int_equal(config_high_assurance_violations(c, violations), 0);
}

static void all_violations_are_listed_together(void **state)
{
    (void)state;
    struct config_violation violations[CONFIG_VIOLATIONS_MAX];
    AUTO(config)
    c = accepted(MINIMAL "high_assurance: false\n"
                         "attestation: {require_quote: false, require_nonce: false}\n"
                         "machine_config: {sealed_delivery: false}\n"
                         "dual_control: {roles: [], quorum: 1}\n"
                         "operator: {grants: bearer}\n"
                         "pki: {certificate_enrollment: true}\n"
                         "ek_trust: {certificateless: pending}\n");
    assert_int_equal(config_high_assurance_violations(c, violations), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minimal_file_gets_the_documented_defaults),
        cmocka_unit_test(the_default_attestation_quotes_pcr_0_2_4_7_and_never_pcr_1),
        cmocka_unit_test(every_setting_is_kept),
        cmocka_unit_test(defaults_follow_the_state_directory),
        cmocka_unit_test(the_default_service_url_brackets_an_ipv6_name),
        cmocka_unit_test(an_unknown_key_is_refused_with_its_place),
        cmocka_unit_test(a_repeated_key_is_refused_with_its_place),
        cmocka_unit_test(a_value_of_the_wrong_type_says_what_was_expected),
        cmocka_unit_test(numbers_have_ranges),
        cmocka_unit_test(texts_of_the_wrong_shape_are_refused),
        cmocka_unit_test(required_settings_are_named_when_missing),
        cmocka_unit_test(settings_that_contradict_each_other_are_refused),
        cmocka_unit_test(a_policy_file_alone_is_accepted),
        cmocka_unit_test(aliases_anchors_and_tags_are_refused),
        cmocka_unit_test(text_that_is_not_one_yaml_document_is_refused),
        cmocka_unit_test(nesting_and_size_are_bounded),
        cmocka_unit_test(a_credential_is_found_where_systemd_puts_it),
        cmocka_unit_test(the_reference_file_is_accepted_and_shows_the_defaults),
        cmocka_unit_test(the_defaults_shown_in_the_reference_file_are_the_defaults),
        cmocka_unit_test(a_file_that_is_not_there_is_unreadable),
        cmocka_unit_test(each_weaker_setting_violates_high_assurance),
        cmocka_unit_test(an_allowed_hash_is_trust_enough_for_high_assurance),
        cmocka_unit_test(all_violations_are_listed_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
