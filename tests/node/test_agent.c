#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/secret.h"
#include "https/json.h"
#include "node/agent.h"
#include "tests/https/program.h"
#include "tests/https/server.h"
#include "tests/node/swtpm.h"

static struct swtpm tpm;
static struct server stub;
static struct program ran;

static int start(void **state)
{
    (void)state;
    assert_true(IS_OK(secret_setup()));
    swtpm_start(true, &tpm);
    server_start(ITL_SOURCE_DIR "/tests/node/appliance_stub.py", ITL_SEALER, &stub);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    server_stop(&stub);
    swtpm_stop(&tpm);
    return 0;
}

/* Runs the agent once against the stub in this mode, with two more arguments (NULL for none). */
static int run(const char *mode, const char *option, const char *value)
{
    program_file(server_file(&stub, "mode"), mode, 0600);
    const char *const arguments[] = {ITL_AGENT,
                                     "--url",
                                     stub.url,
                                     "--ca",
                                     server_file(&stub, "self.pem"),
                                     "--tcti",
                                     tpm.tcti,
                                     "--once",
                                     "--hw-uuid",
                                     "the-uuid",
                                     "--role",
                                     "worker-infra",
                                     "--cluster",
                                     "here",
                                     "--event-log",
                                     ITL_SOURCE_DIR "/README.md",
                                     option,
                                     value,
                                     NULL};
    program_run(arguments, &ran);
    return ran.status;
}

static void assert_said(const char *text)
{
    if (!strstr(ran.errors, text)) {
        fail_msg("did not say \"%s\" but:\n%s", text, ran.errors);
    }
}

static json_t *sent(const char *name)
{
    AUTO(buf) text = NULL;
    json_t *object = NULL;
    assert_true(IS_OK(fd_read_file(server_file(&stub, name), 4 << 20, &text)));
    assert_true(IS_OK(json_read(buf_view(text), &object)));
    return object;
}

static void machine_with_every_kind_of_key_gets_its_configuration(void **state)
{
    (void)state;
    static const char *const eks[] = {"p384", "p256", "rsa2048"};
    static const char *const aks[] = {"p384", "p256", "rsa2048"};
    program_file(server_file(&stub, "mode"), "attest", 0600);
    for (size_t i = 0; i < 9; i++) {
        const char *const arguments[] = {
            ITL_AGENT, "--url",    stub.url,   "--ca", server_file(&stub, "self.pem"),
            "--tcti",  tpm.tcti,   "--once",   "--ek", eks[i / 3],
            "--ak",    aks[i % 3], "--output", "-",    NULL};
        program_run(arguments, &ran);
        assert_int_equal(ran.status, AGENT_ATTESTED);
        assert_string_equal(ran.output, "version: v1alpha1\nmachine:\n  type: worker\n");
    }
}

static void requests_carry_what_the_contract_names(void **state)
{
    (void)state;
    assert_int_equal(run("attest", "--output", "-"), AGENT_ATTESTED);
    AUTO(json) registration = sent("self-register.json");
    AUTO(json) attestation = sent("attest.json");
    static const char *const in_both[] = {"ek_fingerprint", "ek_source", "ek_cert_pem", "hw_uuid",
                                          "hw_mac",         "hw_serial", "hw_product"};
    for (size_t i = 0; i < sizeof in_both / sizeof in_both[0]; i++) {
        assert_true(json_is_string(json_object_get(registration, in_both[i])));
        assert_true(json_is_string(json_object_get(attestation, in_both[i])));
    }
    assert_string_equal(json_string_value(json_object_get(registration, "hw_uuid")), "the-uuid");
    assert_string_equal(json_string_value(json_object_get(registration, "desired_role")),
                        "worker-infra");
    assert_string_equal(json_string_value(json_object_get(registration, "cluster_id")), "here");
    assert_int_equal(strlen(json_string_value(json_object_get(registration, "ek_fingerprint"))),
                     96);
    static const char *const in_attest[] = {"session_id", "nonce_id",  "activated_secret",
                                            "ak_pub",     "pcr_quote", "pcr_signature",
                                            "event_log"};
    for (size_t i = 0; i < sizeof in_attest / sizeof in_attest[0]; i++) {
        assert_true(json_is_string(json_object_get(attestation, in_attest[i])));
    }
    assert_int_equal(json_object_size(json_object_get(attestation, "pcr_values")), 5);
    assert_true(
        json_is_string(json_object_get(json_object_get(attestation, "pcr_values"), "sha384:23")));
    /* config_url names another host, but only the token in it is used */
    assert_true(server_requests(&stub, "GET /api/v1/config/tok_EN-1") > 0);
}

static void configuration_goes_to_a_file_of_its_owner(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/config.yaml", tpm.folder);
    assert_int_equal(run("attest", "--output", path), AGENT_ATTESTED);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, 42);
}

static void configuration_is_given_to_the_command(void **state)
{
    (void)state;
    assert_int_equal(run("attest", "--apply", "grep -c type"), AGENT_ATTESTED);
    assert_said("applied");
    assert_int_equal(run("attest", "--apply", "cat {}"), AGENT_ATTESTED);
    assert_said("type: worker"); /* the command's output goes where progress goes */
    assert_string_equal(ran.output, "");
}

static void command_that_fails_fails_the_attempt(void **state)
{
    (void)state;
    assert_int_equal(run("attest", "--apply", "false"), AGENT_FAILED);
    assert_said("apply_command_failed");
    assert_int_equal(run("attest", "--apply", "/nonexistent/command"), AGENT_FAILED);
    assert_said("apply_command_failed");
    assert_int_equal(run("attest", "--apply", "grep -q nothing-like-it"), AGENT_FAILED);
}

static void attestation_key_is_kept_between_runs(void **state)
{
    (void)state;
    char folder[128];
    snprintf(folder, sizeof folder, "%s/state", tpm.folder);
    assert_int_equal(run("attest", "--state", folder), AGENT_ATTESTED);
    assert_said("new attestation key P-384");
    AUTO(json) first = sent("attest.json");
    assert_int_equal(run("attest", "--state", folder), AGENT_ATTESTED);
    assert_null(strstr(ran.errors, "new attestation key"));
    AUTO(json) again = sent("attest.json");
    assert_string_equal(json_string_value(json_object_get(first, "ak_pub")),
                        json_string_value(json_object_get(again, "ak_pub")));
    assert_int_equal(run("attest", "--ak", "p256"), AGENT_ATTESTED);
    char path[160];
    snprintf(path, sizeof path, "%s/ak.blob", folder);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    program_file(path, "not a key", 0600);
    assert_int_equal(run("attest", "--state", folder), AGENT_ATTESTED);
    assert_said("new attestation key");
}

static void attestation_key_that_cannot_be_kept_does_for_this_run(void **state)
{
    (void)state;
    assert_int_equal(run("attest", "--state", "/dev/null/nowhere"), AGENT_ATTESTED);
    assert_said("can't be kept");
}

static void outcomes_have_their_exit_statuses(void **state)
{
    (void)state;
    assert_int_equal(run("pending", NULL, NULL), AGENT_PENDING);
    assert_said("waiting for an operator's approval");
    assert_int_equal(run("lock", NULL, NULL), AGENT_LOCKED);
    assert_int_equal(run("wipe", NULL, NULL), AGENT_REVOKED);
    assert_said("to be wiped");
    assert_int_equal(run("register:machine_rejected", NULL, NULL), AGENT_REFUSED);
    assert_said("Refused for machine_rejected. [machine_rejected]");
    assert_int_equal(run("challenge:machine_revoked", NULL, NULL), AGENT_REVOKED);
    assert_int_equal(run("attest:ek_not_trusted", NULL, NULL), AGENT_REFUSED);
    assert_said("ek_not_trusted");
    assert_int_equal(run("busy", NULL, NULL), AGENT_REFUSED);
}

static void revoked_machine_still_proves_itself_to_learn_whether_to_wipe(void **state)
{
    (void)state;
    unsigned before = server_requests(&stub, "POST /api/v1/attest/challenge");
    assert_int_equal(run("register:machine_revoked", NULL, NULL),
                     AGENT_ATTESTED); /* the stub then lets it in */
    assert_int_equal(server_requests(&stub, "POST /api/v1/attest/challenge"), before + 1);
}

static void policy_that_does_not_accept_is_explained(void **state)
{
    (void)state;
    assert_int_equal(run("withheld", NULL, NULL), AGENT_REFUSED);
    assert_said("A PCR is not what policy accepts. [pcr_policy_mismatch]");
    assert_said("pcr sha256:7: expected aa, found bb");
}

static void answers_that_are_not_the_appliances_are_refused(void **state)
{
    (void)state;
    assert_int_equal(run("cut-challenge", NULL, NULL), AGENT_FAILED);
    assert_said("answer_invalid");
    assert_int_equal(run("odd-token", NULL, NULL), AGENT_FAILED);
    assert_said("answer_invalid");
    assert_int_equal(run("odd-eks", NULL, NULL), AGENT_FAILED);
    assert_said("answer_invalid");
    assert_int_equal(server_requests(&stub, "GET /api/v1/machines"), 0);
    assert_int_equal(server_requests(&stub, "GET /api/v1/config/.."), 0);
    assert_int_equal(run("plain", NULL, NULL), AGENT_FAILED);
    assert_said("answer_invalid");
}

/* The stub knows nothing of ak-activate. */
static void other_ek_that_is_refused_does_not_lose_the_attestation(void **state)
{
    (void)state;
    unsigned before = server_requests(&stub, "POST /api/v1/machines/");
    assert_int_equal(run("other-eks", NULL, NULL), AGENT_ATTESTED);
    assert_said("EK RSA-2048 (L-1) could not be introduced: Refused for not_found. [not_found]");
    assert_int_equal(server_requests(&stub, "POST /api/v1/machines/"), before + 1);
}

static void challenge_made_for_another_machine_is_refused_by_the_tpm(void **state)
{
    (void)state;
    unsigned before = server_requests(&stub, "POST /api/v1/attest\n");
    assert_int_equal(run("bad-credential", NULL, NULL), AGENT_FAILED);
    assert_said("tpm_credential_refused");
    assert_said("TPM2_ActivateCredential failed");
    assert_int_equal(server_requests(&stub, "POST /api/v1/attest\n"), before);
}

static void bank_that_is_not_active_is_told(void **state)
{
    (void)state;
    assert_int_equal(run("inactive-bank", NULL, NULL), AGENT_FAILED);
    assert_said("quote_selection_mismatch");
}

static void configuration_for_another_machine_is_not_applied(void **state)
{
    (void)state;
    assert_int_equal(run("wrong-machine", "--output", "-"), AGENT_FAILED);
    assert_string_equal(ran.output, "");
    assert_said("sealed_config_invalid");
    assert_int_equal(run("wrong-tag", "--output", "-"), AGENT_FAILED);
    assert_string_equal(ran.output, "");
    assert_said("sealed_config_invalid");
}

static void nothing_is_sent_to_another_server(void **state)
{
    (void)state;
    unsigned before = server_requests(&stub, "POST");
    const char *const arguments[] = {
        ITL_AGENT, "--url",  stub.url, "--ca", server_file(&stub, "other.pem"),
        "--tcti",  tpm.tcti, "--once", NULL};
    program_run(arguments, &ran);
    assert_int_equal(ran.status, AGENT_FAILED);
    assert_said("tls_server_untrusted");
    assert_int_equal(server_requests(&stub, "POST"), before);
}

static void waiting_ends_when_the_time_is_over(void **state)
{
    (void)state;
    program_file(server_file(&stub, "mode"), "pending", 0600);
    unsigned before = server_requests(&stub, "POST /api/v1/self-register");
    const char *const arguments[] = {
        ITL_AGENT, "--url",  stub.url, "--ca", server_file(&stub, "self.pem"),
        "--tcti",  tpm.tcti, "--wait", "4",    "--poll",
        "1",       NULL};
    program_run(arguments, &ran);
    assert_int_equal(ran.status, AGENT_PENDING);
    unsigned asked = server_requests(&stub, "POST /api/v1/self-register") - before;
    assert_true(asked >= 3 && asked <= 7);
}

static void absent_tpm_says_so(void **state)
{
    (void)state;
    const char *const arguments[] = {ITL_AGENT,
                                     "--url",
                                     stub.url,
                                     "--ca",
                                     server_file(&stub, "self.pem"),
                                     "--tcti",
                                     "swtpm:path=/nonexistent",
                                     "--once",
                                     NULL};
    program_run(arguments, &ran);
    assert_int_equal(ran.status, AGENT_FAILED);
    assert_said("No TPM 2.0 can be reached");
}

static void receipt_names_the_machine_without_a_server(void **state)
{
    (void)state;
    const char *const arguments[] = {ITL_AGENT,     "--tcti", tpm.tcti, "--receipt",  "-",
                                     "--hw-serial", "S1",     "--role", "worker-app", NULL};
    program_run(arguments, &ran);
    assert_int_equal(ran.status, AGENT_ATTESTED);
    AUTO(json) receipt = NULL;
    assert_true(IS_OK(json_read(view_text(ran.output), &receipt)));
    static const char *const keys[] = {"ek_fingerprint", "ek_source", "ek_cert_pem", "ek_pub",
                                       "hw_serial",      "role",      "created_at"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_true(json_is_string(json_object_get(receipt, keys[i])));
    }
    assert_string_equal(json_string_value(json_object_get(receipt, "hw_serial")), "S1");
}

static void progress_can_be_read_by_programs(void **state)
{
    (void)state;
    assert_int_equal(run("attest", "--json", NULL), AGENT_ATTESTED);
    bool attested = false;
    for (char *line = strtok(ran.errors, "\n"); line; line = strtok(NULL, "\n")) {
        AUTO(json) object = NULL;
        assert_true(IS_OK(json_read(view_text(line), &object)));
        attested |= strcmp(json_string_value(json_object_get(object, "event")), "attested") == 0;
    }
    assert_true(attested);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machine_with_every_kind_of_key_gets_its_configuration),
        cmocka_unit_test(requests_carry_what_the_contract_names),
        cmocka_unit_test(configuration_goes_to_a_file_of_its_owner),
        cmocka_unit_test(configuration_is_given_to_the_command),
        cmocka_unit_test(command_that_fails_fails_the_attempt),
        cmocka_unit_test(attestation_key_is_kept_between_runs),
        cmocka_unit_test(attestation_key_that_cannot_be_kept_does_for_this_run),
        cmocka_unit_test(outcomes_have_their_exit_statuses),
        cmocka_unit_test(revoked_machine_still_proves_itself_to_learn_whether_to_wipe),
        cmocka_unit_test(policy_that_does_not_accept_is_explained),
        cmocka_unit_test(answers_that_are_not_the_appliances_are_refused),
        cmocka_unit_test(other_ek_that_is_refused_does_not_lose_the_attestation),
        cmocka_unit_test(challenge_made_for_another_machine_is_refused_by_the_tpm),
        cmocka_unit_test(bank_that_is_not_active_is_told),
        cmocka_unit_test(configuration_for_another_machine_is_not_applied),
        cmocka_unit_test(nothing_is_sent_to_another_server),
        cmocka_unit_test(waiting_ends_when_the_time_is_over),
        cmocka_unit_test(absent_tpm_says_so),
        cmocka_unit_test(receipt_names_the_machine_without_a_server),
        cmocka_unit_test(progress_can_be_read_by_programs),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
