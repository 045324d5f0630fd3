/* The same through a real `p11-kit server`, which runs the module in another process. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "fixture.h"

static const char *client_module(void)
{
    const char *chosen = getenv("ITL_TEST_P11_KIT_CLIENT");
    return chosen ? chosen : ITL_P11_KIT_CLIENT;
}

static pid_t server;

/* Its socket is there before it listens. */
static bool is_listening(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    bool connected = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return connected;
}

static void start_server(void)
{
    char path[100];
    char address[160];
    snprintf(path, sizeof path, "%s/p11", fixture_store());
    snprintf(address, sizeof address, "unix:path=%s", path);
    unlink(path);
    server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        setpgid(0, 0); /* it forks a process for each connection: signals go to all of them */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int null = open("/dev/null", O_RDWR);
        if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0) {
            _exit(126);
        }
        execlp("p11-kit", "p11-kit", "server", "--foreground", "--provider", fixture_module(), "-n",
               path, "pkcs11:token=itl%20test%20token", (char *)NULL);
        _exit(127);
    }
    setpgid(server, server);
    for (int i = 0; !is_listening(path); i++) {
        assert_true(i < 500);
        usleep(10000);
    }
    assert_int_equal(setenv("P11_KIT_SERVER_ADDRESS", address, 1), 0);
}

static void stop_server(void)
{
    if (server > 0) {
        kill(-server, SIGCONT);
        kill(-server, SIGKILL);
        waitpid(server, NULL, 0);
        server = 0;
    }
}

static int set_up(void **state)
{
    (void)state;
    fixture_store_new();
    fixture_token_new(FIXTURE_TOKEN);
    fixture_key_new(HSM_ROLE_AUDIT);
    fixture_key_new(HSM_ROLE_VAULT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_store_remove();
    return 0;
}

static int start(void **state)
{
    (void)state;
    start_server();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    stop_server();
    return 0;
}

static struct hsm *open_remote(struct hsm_key **out_audit, struct hsm_key **out_vault)
{
    struct hsm_settings settings = fixture_settings(client_module());
    settings.deadline_ms = 2000;
    struct hsm *h = NULL;
    assert_int_equal(hsm_open(&settings, &h).code, 0);
    assert_int_equal(hsm_key_find(h, HSM_ROLE_AUDIT, out_audit).code, 0);
    assert_int_equal(hsm_key_find(h, HSM_ROLE_VAULT, out_vault).code, 0);
    return h;
}

static struct buf *bytes(size_t max)
{
    struct buf *b = NULL;
    assert_true(IS_OK(buf_new(max, &b)));
    return b;
}

static void remote_key_signs_and_seals(void **state)
{
    (void)state;
    struct hsm_key *audit = NULL;
    struct hsm_key *vault = NULL;
    AUTO(hsm) h = open_remote(&audit, &vault);
    AUTO(buf) signature = bytes(HSM_SIGNATURE_MAX_BYTES);
    uint8_t digest[HSM_DIGEST_BYTES] = {3};
    assert_int_equal(hsm_sign_p384(audit, digest, signature).code, 0);
    EVP_PKEY *public_key = NULL;
    assert_true(IS_OK(hsm_public_key(audit, &public_key)));
    assert_true(fixture_verifies(public_key, digest, signature));
    EVP_PKEY_free(public_key);

    AUTO(buf) sealed = bytes(200);
    AUTO(secret) opened = NULL;
    assert_int_equal(hsm_seal(vault, view_text("name"), view_text("secret"), sealed).code, 0);
    assert_int_equal(hsm_open_sealed(vault, view_text("name"), buf_view(sealed), &opened).code, 0);
    assert_true(view_is(secret_view(opened), "secret"));
    assert_int_equal(hsm_ready(h).code, 0);
    assert_int_equal(hsm_probe_mechanisms(h, HSM_ROLE_AUDIT).code, 0);
    assert_int_equal(hsm_probe_mechanisms(h, HSM_ROLE_VAULT).code, 0);
}

/* An appliance may change hsm.isolation without losing its database. */
static void what_one_path_sealed_the_other_opens(void **state)
{
    (void)state;
    struct hsm_key *audit = NULL;
    struct hsm_key *vault = NULL;
    AUTO(buf) sealed = bytes(200);
    {
        AUTO(hsm) remote = open_remote(&audit, &vault);
        assert_int_equal(hsm_seal(vault, view_text("name"), view_text("secret"), sealed).code, 0);
    }
    struct hsm_settings settings = fixture_settings(fixture_module());
    AUTO(hsm) direct = NULL;
    AUTO(secret) opened = NULL;
    assert_int_equal(hsm_open(&settings, &direct).code, 0);
    assert_int_equal(hsm_key_find(direct, HSM_ROLE_VAULT, &vault).code, 0);
    assert_int_equal(hsm_open_sealed(vault, view_text("name"), buf_view(sealed), &opened).code, 0);
    assert_true(view_is(secret_view(opened), "secret"));
}

/* The provider has a connection and a login of its own here: the PIN goes through its callback. */
static void remote_key_signs_through_openssl(void **state)
{
    (void)state;
    struct hsm_key *audit = NULL;
    struct hsm_key *vault = NULL;
    AUTO(hsm) h = open_remote(&audit, &vault);
    struct hsm_settings settings = fixture_settings(client_module());
    AUTO(hsm_provider) p = NULL;
    assert_int_equal(hsm_provider_open(&settings, &p).code, 0);
    EVP_PKEY *key = NULL;
    assert_int_equal(hsm_provider_key(p, HSM_ROLE_AUDIT, &key).code, 0);
    EVP_PKEY *public_key = NULL;
    assert_true(IS_OK(hsm_public_key(audit, &public_key)));
    for (int i = 0; i < 5; i++) {
        AUTO(buf) signature = bytes(HSM_SIGNATURE_MAX_BYTES);
        uint8_t digest[SHA384_BYTES];
        assert_true(IS_OK(sha384(view_text("message"), digest)));
        assert_int_equal(hsm_provider_sign_sha384(p, key, view_text("message"), signature).code, 0);
        assert_true(fixture_verifies(public_key, digest, signature));
    }
    EVP_PKEY_free(public_key);
    EVP_PKEY_free(key);
}

/* pkcs11-provider has room for so many characters; the PIN must fit there too. */
static void longest_pin_works_on_both_paths(void **state)
{
    (void)state;
    static const char longest[] = "12345678901234567890123456789012";
    assert_int_equal(strlen(longest), HSM_PIN_MAX_BYTES);
    fixture_pin_change(FIXTURE_PIN, longest);
    stop_server();
    start_server();
    struct hsm_settings settings = fixture_settings(client_module());
    settings.pin = view_text(longest);
    {
        AUTO(hsm) h = NULL;
        AUTO(hsm_provider) p = NULL;
        EVP_PKEY *key = NULL;
        assert_int_equal(hsm_open(&settings, &h).code, 0);
        assert_int_equal(hsm_provider_open(&settings, &p).code, 0);
        assert_int_equal(hsm_provider_key(p, HSM_ROLE_AUDIT, &key).code, 0);
        EVP_PKEY_free(key);
    }
    fixture_pin_change(longest, FIXTURE_PIN);
}

static void remote_token_with_wrong_pin_is_refused(void **state)
{
    (void)state;
    struct hsm_settings settings = fixture_settings(client_module());
    settings.pin = view_text("wrong");
    AUTO(hsm) h = NULL;
    assert_string_equal(err_reason(hsm_open(&settings, &h)), "token_pin");
    settings = fixture_settings(client_module());
    settings.token_label = "another";
    assert_string_equal(err_reason(hsm_open(&settings, &h)), "token_absent");
}

static void dead_server_is_a_removed_token(void **state)
{
    (void)state;
    struct hsm_key *audit = NULL;
    struct hsm_key *vault = NULL;
    AUTO(hsm) h = open_remote(&audit, &vault);
    stop_server();
    uint64_t start_ms = clock_monotonic_ms();
    uint8_t digest[HSM_DIGEST_BYTES] = {3};
    AUTO(buf) out = bytes(200);
    assert_string_equal(err_reason(hsm_sign_p384(audit, digest, out)), "token_removed");
    assert_string_equal(err_reason(hsm_seal(vault, VIEW_EMPTY, view_text("x"), out)),
                        "token_removed");
    assert_string_equal(err_reason(hsm_ready(h)), "token_removed");
    assert_int_equal(out->len, 0);
    assert_true(clock_monotonic_ms() - start_ms < 1500); /* told at once, not by the deadline */
}

static void dead_server_fails_the_provider(void **state)
{
    (void)state;
    struct hsm_settings settings = fixture_settings(client_module());
    AUTO(hsm_provider) p = NULL;
    assert_int_equal(hsm_provider_open(&settings, &p).code, 0);
    EVP_PKEY *key = NULL;
    assert_int_equal(hsm_provider_key(p, HSM_ROLE_AUDIT, &key).code, 0);
    AUTO(buf) out = bytes(HSM_SIGNATURE_MAX_BYTES);
    assert_int_equal(hsm_provider_sign_sha384(p, key, view_text("m"), out).code, 0);
    buf_truncate(out, 0);
    stop_server();
    assert_string_equal(err_reason(hsm_provider_sign_sha384(p, key, view_text("m"), out)),
                        "token_failed");
    assert_int_equal(out->len, 0);
    EVP_PKEY_free(key);
}

static void server_that_never_ran_is_reported(void **state)
{
    (void)state;
    setenv("P11_KIT_SERVER_ADDRESS", "unix:path=/nowhere/p11", 1);
    struct hsm_settings settings = fixture_settings(client_module());
    AUTO(hsm) h = NULL;
    err_t err = hsm_open(&settings, &h);
    assert_true(IS_E(err, TOKEN_MODULE) || IS_E(err, TOKEN_ABSENT) || IS_E(err, TOKEN_REMOVED));
}

static void restarted_server_is_reached_by_a_new_open(void **state)
{
    (void)state;
    struct hsm_key *audit = NULL;
    struct hsm_key *vault = NULL;
    uint8_t digest[HSM_DIGEST_BYTES] = {3};
    AUTO(buf) out = bytes(200);
    {
        AUTO(hsm) h = open_remote(&audit, &vault);
        stop_server();
        start_server();
        assert_string_equal(err_reason(hsm_sign_p384(audit, digest, out)), "token_removed");
    }
    AUTO(hsm) h = open_remote(&audit, &vault);
    assert_int_equal(hsm_sign_p384(audit, digest, out).code, 0);
}

static void hanging_server_ends_with_the_deadline(void **state)
{
    (void)state;
    struct hsm_key *audit = NULL;
    struct hsm_key *vault = NULL;
    AUTO(hsm) h = open_remote(&audit, &vault);
    kill(-server, SIGSTOP);
    uint64_t start_ms = clock_monotonic_ms();
    uint8_t digest[HSM_DIGEST_BYTES] = {3};
    AUTO(buf) out = bytes(200);
    assert_string_equal(err_reason(hsm_sign_p384(audit, digest, out)), "token_removed");
    uint64_t took_ms = clock_monotonic_ms() - start_ms;
    assert_true(took_ms >= 1900 && took_ms < 20000);
}

int main(void)
{
#define REMOTE_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        REMOTE_TEST(remote_key_signs_and_seals),
        REMOTE_TEST(what_one_path_sealed_the_other_opens),
        REMOTE_TEST(remote_key_signs_through_openssl),
        REMOTE_TEST(longest_pin_works_on_both_paths),
        REMOTE_TEST(remote_token_with_wrong_pin_is_refused),
        REMOTE_TEST(dead_server_is_a_removed_token),
        REMOTE_TEST(dead_server_fails_the_provider),
        REMOTE_TEST(server_that_never_ran_is_reported),
        REMOTE_TEST(restarted_server_is_reached_by_a_new_open),
        REMOTE_TEST(hanging_server_ends_with_the_deadline),
    };
    _exit(cmocka_run_group_tests_name("hsm_isolation", tests, set_up, tear_down));
}
