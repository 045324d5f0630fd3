#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "node/attempt.h"
#include "node/enrollment_key.h"
#include "tests/https/program.h"
#include "tests/https/server.h"
#include "tests/node/swtpm.h"

enum {
    RENEWALS = 100,
    DUE_MS = 50 * 60 * 1000 /* of the hour that the stub's certificates live */
};

static struct swtpm tpm;
static struct server stub;
static char prefix[96];
static struct options options;
static struct https_client *client;
static struct attempt attempt;

static int start(void **state)
{
    (void)state;
    assert_true(IS_OK(secret_setup()));
    swtpm_start(true, &tpm);
    server_start(ITL_SOURCE_DIR "/tests/node/appliance_stub.py", ITL_SEALER, &stub);
    snprintf(prefix, sizeof prefix, "%s/enrollment", tpm.folder);
    options = (struct options){.mode = OPTIONS_STAY,
                               .poll_s = 60,
                               .tcti = tpm.tcti,
                               .event_log = "/dev/null",
                               .enroll_prefix = prefix};
    struct https_server server = {.url = stub.url, .ca_file = server_file(&stub, "self.pem")};
    assert_true(IS_OK(https_client_new(&server, &client)));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    https_client_free(client);
    server_stop(&stub);
    swtpm_run(&tpm, "chmod -R u+rwx .");
    swtpm_stop(&tpm);
    return 0;
}

static void set_mode(const char *mode)
{
    program_file(server_file(&stub, "mode"), mode, 0600);
}

/* Each test begins with an agent that attested and holds certificates. */
static int attested(void **state)
{
    (void)state;
    attempt = (struct attempt){.options = &options, .client = client};
    hardware_read("/nowhere", &attempt.hardware);
    set_mode("attest");
    assert_int_equal(attempt_run(&attempt), AGENT_ATTESTED);
    return 0;
}

static int cleared(void **state)
{
    (void)state;
    clock_shift_for_test(0);
    attempt_clear(&attempt);
    return 0;
}

/* What is held, by its certificates' SHA-384. */
struct seen {
    uint8_t digest[CERTIFICATE_KINDS][SHA384_BYTES];
};

static struct seen look(void)
{
    struct certificate_set set = {0};
    struct certificate_facts facts;
    struct seen seen = {0};
    assert_true(IS_OK(certificate_set_read(prefix, &set)));
    for (size_t i = 0; i < CERTIFICATE_KINDS; i++) {
        struct view certificate = buf_view(set.pairs[i].certificate);
        assert_true(IS_OK(certificate_check(certificate, secret_view(set.pairs[i].key), &facts)));
        assert_true(IS_OK(sha384(certificate, seen.digest[i])));
    }
    certificate_set_clear(&set);
    return seen;
}

static bool changed(const struct seen *before, enum certificate_kind kind)
{
    struct seen now = look();
    return memcmp(before->digest[kind], now.digest[kind], SHA384_BYTES) != 0;
}

static unsigned open_files(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

static void assert_tpm_is_empty(void)
{
    static const TPM2_HANDLE kinds[] = {TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST,
                                        TPM2_ACTIVE_SESSION_FIRST};
    AUTO(tpm) device = NULL;
    assert_true(IS_OK(tpm_open(tpm.tcti, &device)));
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        TPM2_HANDLE handles[16];
        size_t count = 0;
        assert_true(IS_OK(tpm_handles(device, kinds[i], 16, handles, &count)));
        assert_int_equal(count, 0);
    }
}

/* -- renewing ---------------------------------------------------------------------------------- */

static void nothing_is_asked_for_that_is_not_due(void **state)
{
    (void)state;
    struct seen before = look();
    unsigned asked = server_requests(&stub, "POST /api/v1/machines");
    assert_true(attempt_renew(&attempt));
    assert_int_equal(attempt_run(&attempt), AGENT_ATTESTED);
    assert_int_equal(server_requests(&stub, "POST /api/v1/machines"), asked);
    assert_false(changed(&before, CERTIFICATE_ENROLLMENT));
    assert_false(changed(&before, CERTIFICATE_SVID));
}

static void hundred_renewals_need_no_attestation_and_leak_nothing(void **state)
{
    (void)state;
    clock_shift_for_test(DUE_MS);
    assert_true(attempt_renew(&attempt));
    unsigned files = open_files();
    unsigned attestations = server_requests(&stub, "POST /api/v1/attest\n");
    for (unsigned i = 0; i < RENEWALS; i++) {
        struct seen before = look();
        assert_true(attempt_renew(&attempt));
        assert_int_equal(attempt.renewal.failures, 0);
        assert_true(changed(&before, CERTIFICATE_ENROLLMENT) && changed(&before, CERTIFICATE_SVID));
    }
    assert_int_equal(open_files(), files);
    assert_tpm_is_empty();
    assert_int_equal(server_requests(&stub, "POST /api/v1/attest\n"), attestations);
}

static void one_that_is_due_leaves_the_other_as_it_is(void **state)
{
    (void)state;
    struct certificate_set set = {0};
    assert_true(IS_OK(certificate_set_read(prefix, &set)));
    certificate_pair_clear(&set.pairs[CERTIFICATE_SVID]);
    assert_true(IS_OK(certificate_set_write(prefix, &set)));
    struct seen before = {0};
    assert_true(IS_OK(sha384(buf_view(set.pairs[CERTIFICATE_ENROLLMENT].certificate),
                             before.digest[CERTIFICATE_ENROLLMENT])));
    certificate_set_clear(&set);
    assert_true(attempt_renew(&attempt));
    assert_false(changed(&before, CERTIFICATE_ENROLLMENT));
    assert_true(changed(&before, CERTIFICATE_SVID));
}

static void appliance_without_trust_domain_is_asked_for_no_svid(void **state)
{
    (void)state;
    struct seen before = look();
    clock_shift_for_test(DUE_MS);
    set_mode("no-trust-domain");
    assert_true(attempt_renew(&attempt));
    assert_true(attempt.renewal.svids_off);
    assert_int_equal(attempt.renewal.failures, 0);
    assert_true(changed(&before, CERTIFICATE_ENROLLMENT));
    assert_false(changed(&before, CERTIFICATE_SVID));
}

/* -- failing ----------------------------------------------------------------------------------- */

static void refused_machine_attests_first(void **state)
{
    (void)state;
    static const char *const modes[] = {"request:evidence_stale", "request:gate_closed",
                                        "request:quote_selection_mismatch",
                                        "request:machine_revoked"};
    struct seen before = look();
    clock_shift_for_test(DUE_MS);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        unsigned asked = server_requests(&stub, "POST /api/v1/machines");
        set_mode(modes[i]);
        assert_false(attempt_renew(&attempt));
        assert_int_equal(server_requests(&stub, "POST /api/v1/machines"), asked + 1);
    }
    assert_false(changed(&before, CERTIFICATE_ENROLLMENT));
}

static void refusal_that_attesting_did_not_cure_is_not_answered_with_another(void **state)
{
    (void)state;
    clock_shift_for_test(DUE_MS);
    set_mode("request:gate_closed");
    assert_int_equal(attempt_run(&attempt), AGENT_ATTESTED); /* its configuration it does get */
    assert_int_equal(attempt.renewal.failures, 1);
    assert_true(attempt_renew(&attempt));
    assert_int_equal(attempt.renewal.failures, 2);
    set_mode("request:machine_revoked");
    assert_false(attempt_renew(&attempt));
}

static void busy_appliance_is_left_alone_as_long_as_it_asked_for(void **state)
{
    (void)state;
    clock_shift_for_test(DUE_MS);
    set_mode("busy-request");
    assert_true(attempt_renew(&attempt));
    uint64_t left = attempt.renewal.next_at_ms - clock_elapsed_ms();
    assert_in_range(left, 695000, 701000);
}

static void limit_on_one_kind_does_not_hinder_the_other(void **state)
{
    (void)state;
    struct seen before = look();
    clock_shift_for_test(DUE_MS);
    set_mode("exhausted");
    assert_true(attempt_renew(&attempt));
    assert_string_equal(attempt.refusal.reason, "certificates_exhausted");
    assert_int_equal(attempt.renewal.failures, 1);
    assert_false(changed(&before, CERTIFICATE_ENROLLMENT));
    assert_true(changed(&before, CERTIFICATE_SVID));
}

static void certificate_for_another_key_or_machine_replaces_nothing(void **state)
{
    (void)state;
    struct enrollment_key other = {0};
    AUTO(buf) text = NULL;
    assert_true(IS_OK(enrollment_key_make(&other)));
    assert_true(IS_OK(buf_new(8192, &text)) &&
                IS_OK(buf_put_base64(text, buf_view(other.request))) && IS_OK(buf_put_u8(text, 0)));
    program_file(server_file(&stub, "foreign.csr"), (const char *)text->data, 0600);
    enrollment_key_clear(&other);
    struct seen before = look();
    clock_shift_for_test(DUE_MS);
    set_mode("foreign-key");
    assert_true(attempt_renew(&attempt));
    assert_int_equal(attempt.renewal.failures, 1);
    set_mode("foreign-machine");
    assert_true(attempt_renew(&attempt));
    assert_int_equal(attempt.renewal.failures, 2);
    assert_false(changed(&before, CERTIFICATE_ENROLLMENT));
    assert_false(changed(&before, CERTIFICATE_SVID));
}

/* Thirty-two that nobody could keep would be all there are for a month. */
static void nothing_is_asked_for_that_could_not_be_kept(void **state)
{
    (void)state;
    unsigned asked = server_requests(&stub, "POST /api/v1/machines");
    clock_shift_for_test(DUE_MS);
    swtpm_run(&tpm, "chmod 0777 enrollment.d");
    assert_true(attempt_renew(&attempt));
    swtpm_run(&tpm, "chmod 0700 enrollment.d");
    assert_int_equal(attempt.renewal.failures, 1);
    assert_int_equal(server_requests(&stub, "POST /api/v1/machines"), asked);
}

static void agent_that_does_not_stay_gets_all_anew_or_fails(void **state)
{
    (void)state;
    struct seen before = look();
    options.mode = OPTIONS_ONCE;
    enum agent_outcome good = attempt_run(&attempt);
    set_mode("request:gate_closed");
    enum agent_outcome refused = attempt_run(&attempt);
    options.mode = OPTIONS_STAY;
    assert_int_equal(good, AGENT_ATTESTED);
    assert_int_equal(refused, AGENT_REFUSED);
    assert_true(changed(&before, CERTIFICATE_ENROLLMENT) && changed(&before, CERTIFICATE_SVID));
}

#define RENEWAL_TEST(name) cmocka_unit_test_setup_teardown(name, attested, cleared)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RENEWAL_TEST(nothing_is_asked_for_that_is_not_due),
        RENEWAL_TEST(hundred_renewals_need_no_attestation_and_leak_nothing),
        RENEWAL_TEST(one_that_is_due_leaves_the_other_as_it_is),
        RENEWAL_TEST(appliance_without_trust_domain_is_asked_for_no_svid),
        RENEWAL_TEST(refused_machine_attests_first),
        RENEWAL_TEST(refusal_that_attesting_did_not_cure_is_not_answered_with_another),
        RENEWAL_TEST(busy_appliance_is_left_alone_as_long_as_it_asked_for),
        RENEWAL_TEST(limit_on_one_kind_does_not_hinder_the_other),
        RENEWAL_TEST(certificate_for_another_key_or_machine_replaces_nothing),
        RENEWAL_TEST(nothing_is_asked_for_that_could_not_be_kept),
        RENEWAL_TEST(agent_that_does_not_stay_gets_all_anew_or_fails),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
