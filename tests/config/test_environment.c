/* ITL_ variables over the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"

#include <stdio.h>
#include <string.h>

#define FILE_TEXT                                  \
    "listen: {names: [attest.example.org]}\n"      \
    "hsm: {ca: {module: /a}, tls: {module: /b}}\n" \
    "service_url: https://from.file\n"             \
    "dual_control: {roles: [worker-app], quorum: 5}\n"

static struct config *with(const char *variable)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%s", variable);
    char *environment[] = {"PATH=/bin", copy, NULL};
    struct config *config = NULL;
    struct config_problem problem;
    err_t e = config_parse(view_text(FILE_TEXT), environment, &config, &problem);
    if (!IS_OK(e)) {
        fail_msg("%s: %s: %s", variable, problem.path, problem.text);
    }
    return config;
}

static void assert_refused(const char *variable)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%s", variable);
    char *environment[] = {copy, NULL};
    struct config *config = NULL;
    struct config_problem problem;
    err_t e = config_parse(view_text(FILE_TEXT), environment, &config, &problem);
    if (IS_OK(e)) {
        fail_msg("accepted: %s", variable);
    }
    assert_true(IS_E(e, CONFIG_INVALID));
    assert_null(config);
    assert_int_equal(problem.line, 0);
    assert_int_equal(strlen(problem.path), strcspn(variable, "="));
    assert_memory_equal(problem.path, variable, strlen(problem.path));
}

static void each_honoured_variable_overrides_the_file(void **state)
{
    (void)state;
    struct config *c = with("ITL_SERVICE_URL=https://from.environment/");
    assert_string_equal(c->service_url, "https://from.environment");
    config_free(c);
    c = with("ITL_HIGH_ASSURANCE=false");
    assert_false(c->high_assurance);
    config_free(c);
    c = with("ITL_REQUIRE_QUOTE=false");
    assert_false(c->attestation.require_quote);
    config_free(c);
    c = with("ITL_REQUIRE_NONCE=0");
    assert_false(c->attestation.require_nonce);
    config_free(c);
    c = with("ITL_TPM_CA_BUNDLE_DIR=/etc/it's roots");
    assert_string_equal(c->ek_trust.roots_directory, "/etc/it's roots");
    config_free(c);
    c = with("ITL_CONFIG_CACHE_DIR=/srv/bases");
    assert_string_equal(c->machine_config.base_directory, "/srv/bases");
    config_free(c);
    c = with("ITL_INSTALLER_IMAGE=ghcr.io/x/y:v1");
    assert_string_equal(c->machine_config.installer_image, "ghcr.io/x/y:v1");
    config_free(c);
    c = with("ITL_REQUIRE_ENCRYPTED_DELIVERY=False");
    assert_false(c->machine_config.sealed_delivery);
    config_free(c);
    c = with("ITL_ENROLLMENT_CERT_DAYS=14");
    assert_int_equal(c->pki.certificate_days, 14);
    config_free(c);
    c = with("ITL_DUAL_CONTROL_QUORUM=3");
    assert_int_equal(c->dual_control.quorum, 3);
    config_free(c);
    c = with("ITL_DUAL_CONTROL_WINDOW_SECONDS=120");
    assert_int_equal(c->dual_control.window_seconds, 120);
    config_free(c);
}

static void lists_are_taken_with_commas_and_as_json(void **state)
{
    (void)state;
    static const char *const spellings[] = {
        "ITL_DUAL_CONTROL_ROLES=controlplane,worker-infra",
        "ITL_DUAL_CONTROL_ROLES=controlplane, worker-infra",
        "ITL_DUAL_CONTROL_ROLES=[\"controlplane\",\"worker-infra\"]",
        "ITL_DUAL_CONTROL_ROLES=[ \"controlplane\", \"worker-infra\" ]",
    };
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        AUTO(config) c = with(spellings[i]);
        assert_int_equal(c->dual_control.roles_count, 2);
        assert_string_equal(c->dual_control.roles[0], "controlplane");
        assert_string_equal(c->dual_control.roles[1], "worker-infra");
    }
}

static void an_empty_list_is_an_empty_list(void **state)
{
    (void)state;
    AUTO(config) comma = with("ITL_DUAL_CONTROL_ROLES=");
    assert_int_equal(comma->dual_control.roles_count, 0);
    AUTO(config) json = with("ITL_DUAL_CONTROL_ROLES=[]");
    assert_int_equal(json->dual_control.roles_count, 0);
}

static void a_variable_with_a_bad_value_is_named(void **state)
{
    (void)state;
    assert_refused("ITL_SERVICE_URL=http://plain");
    assert_refused("ITL_SERVICE_URL=");
    assert_refused("ITL_HIGH_ASSURANCE=maybe");
    assert_refused("ITL_HIGH_ASSURANCE=");
    assert_refused("ITL_REQUIRE_QUOTE=true\nx: y");
    assert_refused("ITL_TPM_CA_BUNDLE_DIR=relative");
    assert_refused("ITL_DUAL_CONTROL_ROLES=admin");
    assert_refused("ITL_DUAL_CONTROL_ROLES=controlplane,controlplane");
    assert_refused("ITL_DUAL_CONTROL_ROLES=[\"controlplane\"");
    assert_refused("ITL_DUAL_CONTROL_ROLES=[{\"a\":1}]");
    assert_refused("ITL_DUAL_CONTROL_ROLES=[*a]");
    assert_refused("ITL_DUAL_CONTROL_QUORUM=two");
    assert_refused("ITL_DUAL_CONTROL_QUORUM=0");
}

static void a_variable_that_cannot_be_honoured_is_named(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "ITL_ADMIN_TOKEN=secret",
        "ITL_DB_URL=sqlite:////x",
        "ITL_ENROLLMENT_CA_DIR=/x",
        "ITL_TPM_VERIFY_CA=false",
        "ITL_TLS_MIN_VERSION=TLSv1.2",
        "ITL_TLS_CIPHERS=TLS_CHACHA20_POLY1305_SHA256",
        "ITL_ENROLLMENT_CA_ALGORITHM=rsa-4096",
        "ITL_ENROLLMENT_CERT_DAYS=399",
        "ITL_OIDC_ISSUER=https://idp",
        "ITL_OIDC_ENABLED=true",
        "ITL_PULUMI_TOKEN=x",
        "ITL_SHARED_SECRET_PASSPHRASE=x",
        "ITL_CONFIG_ENCRYPTION_KEY=x",
        "ITL_ISO_URL=https://x",
        "ITL_MADE_UP=1",
        "ITL_=1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_refused(bad[i]);
    }
}

static void the_value_of_a_refused_variable_is_not_repeated(void **state)
{
    (void)state;
    char *environment[] = {"ITL_ADMIN_TOKEN=hunter2", NULL};
    struct config *config = NULL;
    struct config_problem problem;
    assert_true(
        IS_E(config_parse(view_text(FILE_TEXT), environment, &config, &problem), CONFIG_INVALID));
    assert_null(strstr(problem.text, "hunter2"));
    assert_string_equal(problem.path, "ITL_ADMIN_TOKEN");
}

static void a_variable_that_asks_for_what_is_done_anyway_is_accepted(void **state)
{
    (void)state;
    static const char *const good[] = {
        "ITL_TPM_VERIFY_CA=true",
        "ITL_TLS_MIN_VERSION=TLSv1.3",
        "ITL_TLS_CIPHERS=TLS_AES_256_GCM_SHA384",
        "ITL_ENROLLMENT_CA_ALGORITHM=ecdsa-p384",
        "ITL_ADMIN_TOKEN=",
        "ITL_OIDC_ENABLED=false",
        "ITL_FACTORY_EXTENSIONS=",
        "ITLX=1",
        "OTHER_ITL_X=1",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        config_free(with(good[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_honoured_variable_overrides_the_file),
        cmocka_unit_test(lists_are_taken_with_commas_and_as_json),
        cmocka_unit_test(an_empty_list_is_an_empty_list),
        cmocka_unit_test(a_variable_with_a_bad_value_is_named),
        cmocka_unit_test(a_variable_that_cannot_be_honoured_is_named),
        cmocka_unit_test(the_value_of_a_refused_variable_is_not_repeated),
        cmocka_unit_test(a_variable_that_asks_for_what_is_done_anyway_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
