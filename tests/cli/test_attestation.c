#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/signature_base.h"
#include "base/fd.h"
#include "base/secret.h"
#include "cli/command.h"
#include "https/json.h"
#include "tests/https/program.h"
#include "tests/https/server.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#define AAAA0001 "aaaa0001-0000-4000-8000-000000000000"

static struct server stub;
static struct program ran;
static EVP_PKEY *key;

static json_t *credential(const char *expires_at)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    char *pem;
    long len = BIO_get_mem_data(bio, &pem);
    json_t *file = json_pack("{s:s, s:s, s:s%, s:s, s:s, s:s, s:n}", "kind", "break-glass", "token",
                             "the-token", "key_pem", pem, (size_t)len, "expires_at", expires_at,
                             "api_url", stub.url, "ca_file", server_file(&stub, "self.pem"), "pin");
    BIO_free(bio);
    assert_non_null(file);
    return file;
}

/* Writes a credential file, which it takes. */
static void write_credential(const char *name, json_t *file, unsigned mode)
{
    char *text = json_dumps(file, 0);
    program_file(server_file(&stub, name), text, mode);
    free(text);
    json_decref(file);
}

static int start(void **state)
{
    (void)state;
    assert_true(IS_OK(secret_setup()));
    setenv("HOME", "/nonexistent", 1);
    server_start(ITL_SOURCE_DIR "/tests/cli/operator_stub.py", "", &stub);
    key = EVP_EC_gen("P-384");
    write_credential("credential", credential("2999-01-01T00:00:00.000Z"), 0600);
    program_file(server_file(&stub, "mode"), "good", 0600);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    server_stop(&stub);
    return 0;
}

static void set_mode(const char *mode)
{
    program_file(server_file(&stub, "mode"), mode, 0600);
}

/* Runs `attestation --credential <file> <line>`. */
static int run_with(const char *file, const char *line)
{
    char copy[1024];
    const char *words[PROGRAM_ARGUMENTS_MAX] = {ITL_ATTESTATION, "--credential",
                                                server_file(&stub, file)};
    size_t count = 3;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        words[count++] = word;
    }
    program_run(words, &ran);
    return ran.status;
}

static int run(const char *line)
{
    return run_with("credential", line);
}

static void assert_said(const char *where, const char *text)
{
    if (!strstr(where, text)) {
        fail_msg("no \"%s\" in:\n%s%s", text, ran.output, ran.errors);
    }
}

/* -- reading ----------------------------------------------------------------------------------- */

static void list_is_a_table(void **state)
{
    (void)state;
    assert_int_equal(run("machine list"), EXIT_DONE);
    assert_said(ran.output,
                "MACHINE   STATUS            ROLE          HOSTNAME  ADDRESS  PRODUCT  SERIAL");
    assert_said(
        ran.output,
        "aaaa0001  pending_approval  worker-app    -         -        Ünïcode  S2863267841");
    assert_said(ran.output, "bbbb0001  attested          controlplane  cp-1");
}

static void list_filters_at_the_server(void **state)
{
    (void)state;
    assert_int_equal(run("-o json machine list --status attested --role controlplane"), EXIT_DONE);
    AUTO(json) list = NULL;
    assert_true(IS_OK(json_read_list(view_text(ran.output), &list)));
    assert_int_equal(json_array_size(list), 1);
    assert_true(server_requests(
                    &stub, "GET /api/v1/machines?limit=200&status=attested&role=controlplane") > 0);
    assert_int_equal(run("machine list --status a&b=c"), EXIT_REFUSED);
    assert_said(ran.errors, "field_invalid");
}

static void list_fetches_every_page(void **state)
{
    (void)state;
    set_mode("many");
    assert_int_equal(run("-o json machine list"), EXIT_DONE);
    set_mode("good");
    AUTO(json) list = NULL;
    assert_true(IS_OK(json_read_list(view_of(ran.output, strlen(ran.output)), &list)) ||
                strlen(ran.output) == PROGRAM_OUTPUT_SIZE - 1);
    assert_int_equal(server_requests(&stub, "GET /api/v1/machines?limit=200&after=cc0000c7-"), 1);
    assert_int_equal(server_requests(&stub, "GET /api/v1/machines?limit=200&after=cc00018f-"), 1);
}

static void machine_is_found_by_an_unambiguous_prefix(void **state)
{
    (void)state;
    assert_int_equal(run("machine get bbbb"), EXIT_DONE);
    assert_said(ran.output, "Machine           bbbb0001-0000-4000-8000-000000000000\n");
    assert_said(ran.output, "EK trust anchor   CN=swtpm-localca\n");
    assert_int_equal(run("machine get " AAAA0001), EXIT_DONE);
    assert_int_equal(run("machine get aaaa"), EXIT_REFUSED);
    assert_said(ran.errors, "machine_ambiguous");
    assert_int_equal(run("machine get dddd"), EXIT_REFUSED);
    assert_said(ran.errors, "machine_unknown");
    assert_int_equal(run("machine get bbb"), EXIT_REFUSED);
    assert_said(ran.errors, "field_invalid");
    assert_int_equal(run("machine get ../../x"), EXIT_REFUSED);
    assert_said(ran.errors, "field_invalid");
}

static void eks_of_a_machine_with_several_are_shown_in_full(void **state)
{
    (void)state;
    assert_int_equal(run("machine get bbbb"), EXIT_DONE);
    assert_said(ran.output, "EKs of its TPM:\nEK FINGERPRINT ");
    assert_said(ran.output, "00000000bbbb0001  P-384     cert    2026-11-22T10:00:00.000Z  yes\n");
    assert_said(ran.output, "00000000bbbb00ff  RSA-2048  cert    2026-11-22T10:00:00.000Z  no\n");
    assert_int_equal(run("machine get " AAAA0001), EXIT_DONE);
    assert_null(strstr(ran.output, "EKs of its TPM"));
}

static void json_output_is_the_servers_indented(void **state)
{
    (void)state;
    assert_int_equal(run("machine get bbbb -o json"), EXIT_DONE);
    assert_int_equal(strncmp(ran.output, "{\n  \"machine_id\": \"bbbb0001-", 28), 0);
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
    (void)state;
    set_mode("escape");
    assert_int_equal(run("machine list"), EXIT_DONE);
    assert_null(strchr(ran.output, 0x1b));
    assert_said(ran.output, "(unprintable)");
    set_mode("good");
}

/* -- approving --------------------------------------------------------------------------------- */

static json_t *signed_request(void)
{
    AUTO(buf) text = NULL;
    json_t *object = NULL;
    assert_true(IS_OK(fd_read_file(server_file(&stub, "signed.json"), 65536, &text)));
    assert_true(IS_OK(json_read(buf_view(text), &object)));
    return object;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

/* As the signer does it. */
static void assert_signed_by_operator(const json_t *sent)
{
    struct signature_params params;
    assert_true(IS_OK(content_digest_check(view_text(text_of(sent, "digest")),
                                           view_text(text_of(sent, "body")))));
    assert_true(IS_OK(signature_input_parse(view_text(text_of(sent, "input")), &params)));
    uint64_t now = (uint64_t)time(NULL);
    assert_true(params.created <= now && now <= params.created + 30);
    uint8_t keyid[SIGNATURE_KEYID_BYTES];
    char hex[HEX_TEXT_SIZE(SIGNATURE_KEYID_BYTES)];
    assert_true(IS_OK(signature_keyid(key, keyid)));
    hex_encode(view_of(keyid, sizeof keyid), hex);
    assert_true(view_is(params.keyid, hex));
    struct signature_request request = {view_text(text_of(sent, "method")),
                                        view_text(text_of(sent, "target")),
                                        view_text(text_of(sent, "digest"))};
    AUTO(buf) base = NULL;
    uint8_t signature[SIGNATURE_BYTES];
    assert_true(IS_OK(buf_new(SIGNATURE_BASE_MAX_BYTES, &base)));
    assert_true(IS_OK(signature_base_put(&request, &params, base)));
    assert_true(IS_OK(signature_header_parse(view_text(text_of(sent, "signature")), signature)));
    assert_true(IS_OK(signature_check(key, buf_view(base), signature)));
}

static void approval_is_signed_and_names_the_ek(void **state)
{
    (void)state;
    assert_int_equal(run("machine approve aaaa0001 --role worker-infra --hostname w-1 "
                         "--assigned-ip 10.0.0.7/24 --cluster c1 --yes"),
                     EXIT_DONE);
    assert_said(ran.output, "Approved.");
    assert_said(ran.output, "registered");
    AUTO(json) sent = signed_request();
    assert_signed_by_operator(sent);
    assert_string_equal(text_of(sent, "target"), "/api/v1/machines/" AAAA0001 "/approve");
    AUTO(json) body = NULL;
    assert_true(IS_OK(json_read(view_text(text_of(sent, "body")), &body)));
    assert_string_equal(text_of(body, "role"), "worker-infra");
    assert_string_equal(text_of(body, "hostname"), "w-1");
    assert_string_equal(text_of(body, "assigned_ip"), "10.0.0.7/24");
    assert_string_equal(text_of(body, "cluster_id"), "c1");
    assert_int_equal(strlen(text_of(body, "ek_fingerprint")), 96);
    assert_true(json_is_false(json_object_get(body, "accept_unverified_ek")));
    assert_int_equal(json_object_size(body), 6);
}

static void approval_says_only_what_was_asked_for(void **state)
{
    (void)state;
    assert_int_equal(run("machine approve aaaa0001 --role worker-app --accept-unverified-ek --yes"),
                     EXIT_DONE);
    AUTO(json) sent = signed_request();
    AUTO(json) body = NULL;
    assert_true(IS_OK(json_read(view_text(text_of(sent, "body")), &body)));
    assert_true(json_is_true(json_object_get(body, "accept_unverified_ek")));
    assert_int_equal(json_object_size(body), 3);
}

static unsigned approvals(void)
{
    return server_requests(&stub, "POST ");
}

static void nothing_is_approved_without_confirmation(void **state)
{
    (void)state;
    unsigned before = approvals();
    assert_int_equal(run("machine approve aaaa0001 --role worker-app"), EXIT_REFUSED);
    assert_said(ran.errors, "not_confirmed");
    assert_int_equal(approvals(), before);
}

/* Types the answer at a terminal; what is shown there ends up in ran.output. */
static int approve_at_terminal(const char *answer)
{
    int terminal = -1;
    const char *credential_path = server_file(&stub, "credential");
    pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
    assert_true(pid >= 0);
    if (pid == 0) {
        execl(ITL_ATTESTATION, "attestation", "--credential", credential_path, "machine", "approve",
              "aaaa0001", "--role", "worker-app", (char *)NULL);
        _exit(126);
    }
    assert_true(write(terminal, answer, strlen(answer)) == (ssize_t)strlen(answer));
    size_t len = 0;
    for (ssize_t got = 1; got > 0; len += (size_t)got) {
        got = read(terminal, ran.output + len, sizeof ran.output - 1 - len);
        got = got > 0 ? got : 0; /* a terminal ends with EIO */
    }
    ran.output[len] = '\0';
    ran.errors[0] = '\0';
    close(terminal);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void operator_sees_the_machine_and_decides(void **state)
{
    (void)state;
    unsigned before = approvals();
    assert_int_equal(approve_at_terminal("no\n"), EXIT_REFUSED);
    assert_said(ran.output, "EK trust anchor   CN=swtpm-localca");
    assert_said(ran.output, "Approve this machine as worker-app? Type yes:");
    assert_int_equal(approve_at_terminal("y\n"), EXIT_REFUSED);
    assert_int_equal(approvals(), before);
    assert_int_equal(approve_at_terminal("yes\n"), EXIT_DONE);
    assert_int_equal(approvals(), before + 1);
}

static void fingerprint_that_differs_stops_the_approval(void **state)
{
    (void)state;
    unsigned before = approvals();
    char line[256];
    snprintf(line, sizeof line,
             "machine approve aaaa0001 --role worker-app --yes --ek-fingerprint %096x",
             0xaaaa0002u);
    assert_int_equal(run(line), EXIT_REFUSED);
    assert_said(ran.errors, "ek_fingerprint_mismatch");
    assert_int_equal(approvals(), before);
    snprintf(line, sizeof line,
             "machine approve aaaa0001 --role worker-app --yes --ek-fingerprint %096X",
             0xaaaa0001u);
    assert_int_equal(run(line), EXIT_DONE);
    snprintf(line, sizeof line,
             "machine approve aaaa0001 --role worker-app --yes --ek-fingerprint %064x",
             0xaaaa0001u);
    assert_int_equal(run(line), EXIT_DONE);
}

static void second_approval_that_is_needed_is_told(void **state)
{
    (void)state;
    set_mode("second");
    assert_int_equal(run("machine approve aaaa0001 --role controlplane --yes"), EXIT_DONE);
    assert_said(ran.output, "Waiting for another operator: 1 of 2 approvals.");
    set_mode("good");
}

static void refusal_of_the_appliance_is_told(void **state)
{
    (void)state;
    set_mode("approve:machine_changed");
    assert_int_equal(run("machine approve aaaa0001 --role controlplane --yes"), EXIT_REFUSED);
    assert_said(ran.errors, "refused: Refused for machine_changed. [machine_changed]");
    set_mode("good");
}

/* -- the other acts ---------------------------------------------------------------------------- */

/* What was sent for an act on the first machine, its body parsed; NULL where there was none. */
static json_t *sent_act(const char *method, const char *target, bool is_signed, json_t **out_body)
{
    json_t *sent = signed_request();
    assert_string_equal(text_of(sent, "method"), method);
    assert_string_equal(text_of(sent, "target"), target);
    if (is_signed) {
        assert_signed_by_operator(sent);
    } else {
        assert_true(json_is_null(json_object_get(sent, "signature")));
    }
    const char *body = text_of(sent, "body");
    *out_body = NULL;
    if (body[0]) {
        assert_true(IS_OK(json_read(view_text(body), out_body)));
    }
    return sent;
}

static void what_takes_away_is_sent_with_the_token_alone(void **state)
{
    (void)state;
    AUTO(json) body = NULL;
    assert_int_equal(run("machine lock aaaa0001 --reason swap"), EXIT_DONE);
    assert_said(ran.output, "Locked.");
    AUTO(json) sent = sent_act("POST", "/api/v1/machines/" AAAA0001 "/lock", false, &body);
    assert_string_equal(text_of(body, "reason"), "swap");
    assert_int_equal(strlen(text_of(body, "ek_fingerprint")), 96);
    assert_int_equal(json_object_size(body), 2);
    AUTO(json) revocation = NULL;
    assert_int_equal(run("machine revoke aaaa0001 --wipe --yes"), EXIT_DONE);
    AUTO(json)
    second = sent_act("POST", "/api/v1/machines/" AAAA0001 "/revoke", false, &revocation);
    assert_true(json_is_true(json_object_get(revocation, "wipe")));
    AUTO(json) rejection = NULL;
    assert_int_equal(run("machine reject aaaa0001 --yes"), EXIT_DONE);
    AUTO(json) third = sent_act("POST", "/api/v1/machines/" AAAA0001 "/reject", false, &rejection);
    assert_int_equal(json_object_size(rejection), 1);
}

static void what_gives_back_is_signed(void **state)
{
    (void)state;
    AUTO(json) body = NULL;
    assert_int_equal(run("machine unlock aaaa0001 --yes"), EXIT_DONE);
    AUTO(json) sent = sent_act("POST", "/api/v1/machines/" AAAA0001 "/unlock", true, &body);
    assert_int_equal(strlen(text_of(body, "ek_fingerprint")), 96);
    AUTO(json) none = NULL;
    assert_int_equal(run("machine delete aaaa0001 --yes"), EXIT_DONE);
    AUTO(json) second = sent_act("DELETE", "/api/v1/machines/" AAAA0001, true, &none);
    assert_null(none);
    AUTO(json) wiped = NULL;
    assert_int_equal(run("machine wipe-ack aaaa0001 --yes"), EXIT_DONE);
    AUTO(json) third = sent_act("POST", "/api/v1/machines/" AAAA0001 "/wipe-ack", true, &wiped);
}

static void final_acts_ask_first(void **state)
{
    (void)state;
    unsigned before = server_requests(&stub, "POST ") + server_requests(&stub, "DELETE ");
    static const char *const acts[] = {"unlock", "revoke", "reject", "delete", "wipe-ack"};
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        char line[64];
        snprintf(line, sizeof line, "machine %s aaaa0001", acts[i]);
        assert_int_equal(run(line), EXIT_REFUSED);
        assert_said(ran.errors, "not_confirmed");
    }
    assert_int_equal(server_requests(&stub, "POST ") + server_requests(&stub, "DELETE "), before);
}

/* -- credentials ------------------------------------------------------------------------------- */

static void credential_that_others_can_read_is_refused(void **state)
{
    (void)state;
    write_credential("open", credential("2999-01-01T00:00:00Z"), 0640);
    unsigned before = server_requests(&stub, "");
    assert_int_equal(run_with("open", "machine list"), EXIT_NOT_LOGGED_IN);
    assert_said(ran.errors, "credential_file_permissions");
    assert_int_equal(server_requests(&stub, ""), before);
}

static void missing_expired_or_broken_credentials_are_refused(void **state)
{
    (void)state;
    assert_int_equal(run_with("absent", "machine list"), EXIT_NOT_LOGGED_IN);
    assert_said(ran.errors, "not_logged_in");
    write_credential("old", credential("2020-01-01T00:00:00Z"), 0600);
    assert_int_equal(run_with("old", "machine list"), EXIT_NOT_LOGGED_IN);
    assert_said(ran.errors, "credential_expired");
    static const char *const fields[] = {"token", "key_pem", "expires_at"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        json_t *file = credential("2999-01-01T00:00:00Z");
        json_object_set_new(file, fields[i], json_string("\n"));
        write_credential("broken", file, 0600);
        assert_int_equal(run_with("broken", "machine list"), EXIT_NOT_LOGGED_IN);
        assert_said(ran.errors, "credential_file_invalid");
    }
    program_file(server_file(&stub, "broken"), "no json", 0600);
    assert_int_equal(run_with("broken", "machine list"), EXIT_NOT_LOGGED_IN);
    program_file(server_file(&stub, "broken"), "", 0600);
    assert_int_equal(run_with("broken", "machine list"), EXIT_NOT_LOGGED_IN);
}

static void token_that_the_appliance_refuses_means_not_logged_in(void **state)
{
    (void)state;
    json_t *file = credential("2999-01-01T00:00:00Z");
    json_object_set_new(file, "token", json_string("another"));
    write_credential("other-token", file, 0600);
    assert_int_equal(run_with("other-token", "machine list"), EXIT_NOT_LOGGED_IN);
    assert_said(ran.errors, "credential_invalid");
}

static void key_of_another_kind_signs_nothing(void **state)
{
    (void)state;
    EVP_PKEY *p384 = key;
    key = EVP_EC_gen("P-256");
    write_credential("p256", credential("2999-01-01T00:00:00Z"), 0600);
    EVP_PKEY_free(key);
    key = p384;
    unsigned before = approvals();
    assert_int_equal(run_with("p256", "machine approve aaaa0001 --role worker-app --yes"),
                     EXIT_REFUSED);
    assert_int_equal(approvals(), before);
}

/* -- servers ----------------------------------------------------------------------------------- */

static void activation_is_signed_over_the_text_that_was_shown(void **state)
{
    (void)state;
    set_mode("good");
    assert_int_equal(run("policy activate 3 --yes"), EXIT_DONE);
    AUTO(json) sent = signed_request();
    assert_signed_by_operator(sent);
    assert_string_equal(text_of(sent, "target"), "/api/v1/policies/3/activate");
    assert_int_equal(run("policy rollback --yes"), EXIT_DONE);
}

static void policy_that_is_not_what_its_text_says_is_not_activated(void **state)
{
    (void)state;
    static const char *const lies[] = {"policy-number", "policy-name", "policy-version",
                                       "policy-text", "policy-digest"};
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        set_mode(lies[i]);
        unlink(server_file(&stub, "signed.json"));
        assert_int_not_equal(run("policy activate 3 --yes"), EXIT_DONE);
        assert_said(ran.errors, "policy_contradiction");
        assert_int_not_equal(run("policy show 3"), EXIT_DONE);
        assert_said(ran.errors, "policy_contradiction");
        assert_string_equal(ran.output, "");
        assert_int_not_equal(access(server_file(&stub, "signed.json"), F_OK), 0);
    }
    set_mode("good");
}

static void token_goes_to_no_other_server(void **state)
{
    (void)state;
    unsigned before = server_requests(&stub, "");
    char line[256];
    snprintf(line, sizeof line, "machine list --ca %s", server_file(&stub, "other.pem"));
    assert_int_equal(run(line), EXIT_UNREACHABLE);
    assert_said(ran.errors, "tls_server_untrusted");
    assert_int_equal(run("machine list --pin sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
                     EXIT_UNREACHABLE);
    assert_said(ran.errors, "tls_identity_mismatch");
    assert_int_equal(run("machine list --api-url https://127.0.0.1:1"), EXIT_UNREACHABLE);
    assert_said(ran.errors, "tls_connect_failed");
    assert_int_equal(server_requests(&stub, ""), before);
}

static void server_that_is_no_appliance_is_told(void **state)
{
    (void)state;
    set_mode("html");
    assert_int_equal(run("machine list"), EXIT_UNREACHABLE);
    assert_said(ran.errors, "answer_invalid");
    set_mode("good");
}

/* -- usage ------------------------------------------------------------------------------------- */

static void misuse_is_told_before_anything_happens(void **state)
{
    (void)state;
    static const char *const lines[] = {"",
                                        "machine",
                                        "machine dance",
                                        "machine list extra",
                                        "machine get",
                                        "machine approve aaaa0001",
                                        "machine list --yes",
                                        "machine lock aaaa0001 --wipe",
                                        "machine delete aaaa0001 --reason x --yes",
                                        "machine get aaaa --role x",
                                        "--nonsense",
                                        "machine list --api-url http://x",
                                        "machine list --pin x"};
    unsigned before = server_requests(&stub, "");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(run(lines[i]), EXIT_USAGE);
    }
    assert_int_equal(server_requests(&stub, ""), before);
}

static void help_lists_every_command(void **state)
{
    (void)state;
    assert_int_equal(run("--help"), EXIT_DONE);
    assert_said(ran.output, "machine list");
    assert_said(ran.output, "machine approve ID --role ROLE");
    assert_int_equal(run("--version"), EXIT_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_is_a_table),
        cmocka_unit_test(list_filters_at_the_server),
        cmocka_unit_test(list_fetches_every_page),
        cmocka_unit_test(machine_is_found_by_an_unambiguous_prefix),
        cmocka_unit_test(eks_of_a_machine_with_several_are_shown_in_full),
        cmocka_unit_test(json_output_is_the_servers_indented),
        cmocka_unit_test(control_characters_do_not_reach_the_terminal),
        cmocka_unit_test(approval_is_signed_and_names_the_ek),
        cmocka_unit_test(approval_says_only_what_was_asked_for),
        cmocka_unit_test(nothing_is_approved_without_confirmation),
        cmocka_unit_test(operator_sees_the_machine_and_decides),
        cmocka_unit_test(fingerprint_that_differs_stops_the_approval),
        cmocka_unit_test(second_approval_that_is_needed_is_told),
        cmocka_unit_test(refusal_of_the_appliance_is_told),
        cmocka_unit_test(what_takes_away_is_sent_with_the_token_alone),
        cmocka_unit_test(what_gives_back_is_signed),
        cmocka_unit_test(final_acts_ask_first),
        cmocka_unit_test(credential_that_others_can_read_is_refused),
        cmocka_unit_test(missing_expired_or_broken_credentials_are_refused),
        cmocka_unit_test(token_that_the_appliance_refuses_means_not_logged_in),
        cmocka_unit_test(key_of_another_kind_signs_nothing),
        cmocka_unit_test(activation_is_signed_over_the_text_that_was_shown),
        cmocka_unit_test(policy_that_is_not_what_its_text_says_is_not_activated),
        cmocka_unit_test(token_goes_to_no_other_server),
        cmocka_unit_test(server_that_is_no_appliance_is_told),
        cmocka_unit_test(misuse_is_told_before_anything_happens),
        cmocka_unit_test(help_lists_every_command),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
