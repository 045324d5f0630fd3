/* Layer 4 with the real libraries: below a sealed supervisor, programs start as signer and
 * keyholder do, open SoftHSM and SQLCipher, seal themselves and work. This program is the
 * supervisor and, run again with a part's name, each of its children. */
#include "sealed.h"

#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../hsm/fixture.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/random.h"
#include "hsm/hsm.h"
#include "hsm/provider.h"
#include "sql/audit.h"
#include "sql/db.h"

enum {
    SIGNATURES = 50,
    BATCHES = 100,
    ROWS_OF_LARGE_BATCH = 4000, /* the write-ahead log grows past its index's first page */
    WORKED = 42,
    TOKEN_GONE = 43
};

#define P11_CLIENT "ITL_TEST_P11_CLIENT" /* set: the token is reached through p11-kit */

static struct hsm_settings token_settings(void)
{
    const char *client = getenv(P11_CLIENT);
    return fixture_settings(client ? client : fixture_module());
}

static ERRFN give_up_as(enum sandbox_profile profile)
{
    TRY(sandbox_limits(profile));
    const struct sandbox_account account = {
        .change = is_root(), .uid = SEALED_UID, .gid = SEALED_UID};
    TRY(sandbox_drop(&account));
    return secret_setup();
}

static ERRFN enter_as(enum sandbox_profile profile)
{
    const struct sandbox_path store = {getenv("ITL_TEST_STORE"), false, false};
    const struct sandbox_settings settings = {
        .profile = profile, .softhsm = !getenv(P11_CLIENT), .paths = &store, .path_count = 1};
    return sandbox_enter(&settings);
}

static ERRFN sign_once(struct hsm_key *key)
{
    uint8_t digest[HSM_DIGEST_BYTES];
    random_bytes(digest, sizeof(digest));
    AUTO(buf) signature = NULL;
    TRY(buf_new(HSM_SIGNATURE_MAX_BYTES, &signature));
    return hsm_sign_p384(key, digest, signature);
}

static ERRFN seal_and_open(struct hsm_key *vault, size_t size)
{
    AUTO(buf) plain = NULL;
    AUTO(buf) sealed = NULL;
    AUTO(secret) opened = NULL;
    uint8_t *bytes = NULL;
    TRY(buf_new(size, &plain));
    TRY(buf_extend(plain, size, &bytes));
    TRY(buf_new(size + HSM_SEAL_OVERHEAD_BYTES, &sealed));
    TRY(hsm_seal(vault, view_text("what"), buf_view(plain), sealed));
    TRY(hsm_open_sealed(vault, view_text("what"), buf_view(sealed), &opened));
    ENSURE(view_equal(buf_view(plain), secret_view(opened)), BUG);
    return OK;
}

struct token {
    struct hsm *hsm;
    struct hsm_key *audit;
    struct hsm_key *vault;
    struct hsm_provider *provider;
    EVP_PKEY *ca;
};

static ERRFN sign_certificate(struct token *token)
{
    X509 *certificate = X509_new();
    ENSURE(certificate, NO_MEMORY);
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, token->ca);
    err_t result = hsm_provider_sign_certificate(token->provider, token->ca, certificate);
    X509_free(certificate);
    return result;
}

static ERRFN token_open(struct token *out_token)
{
    struct hsm_settings settings = token_settings();
    TRY(hsm_open(&settings, &out_token->hsm));
    TRY(hsm_key_find(out_token->hsm, HSM_ROLE_AUDIT, &out_token->audit));
    TRY(hsm_key_find(out_token->hsm, HSM_ROLE_VAULT, &out_token->vault));
    TRY(hsm_provider_open(&settings, &out_token->provider));
    TRY(hsm_provider_key(out_token->provider, HSM_ROLE_ENROLLMENT_CA, &out_token->ca));
    TRY(sign_once(out_token->audit));
    TRY(seal_and_open(out_token->vault, 100));
    return sign_certificate(out_token);
}

static ERRFN token_work(struct token *token)
{
    for (int i = 0; i < SIGNATURES; i++) {
        TRY(sign_once(token->audit));
        TRY(sign_certificate(token));
        TRY(seal_and_open(token->vault, 100));
        TRY(hsm_ready(token->hsm));
    }
    TRY(seal_and_open(token->vault, HSM_SEAL_MAX_BYTES));
    uint8_t bytes[64];
    ENSURE(RAND_bytes(bytes, sizeof(bytes)) == 1, CRYPTO);
    return OK;
}

static ERRFN append(struct db *db, int rows)
{
    for (int i = 0; i < rows; i++) {
        const struct audit_row row = {
            .action = "sealed", .actor = "test", .time_ms = clock_utc_ms()};
        TRY(db_savepoint(db));
        TRY(audit_append(db, &row));
        TRY(i % 7 == 6 ? db_rollback_to(db) : db_release(db));
    }
    return OK;
}

static ERRFN database_work(struct db *db)
{
    for (int i = 0; i < BATCHES; i++) {
        TRY(db_begin(db));
        TRY(append(db, 7));
        TRY(db_commit(db));
    }
    TRY(db_begin(db));
    TRY(append(db, ROWS_OF_LARGE_BATCH));
    TRY(db_commit(db));
    TRY(db_begin(db));
    TRY(append(db, 7));
    db_rollback(db);
    TRY(db_ready(db));
    return db_checkpoint(db);
}

static ERRFN signer_start(struct token *token, struct db **out_db)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/database", getenv("ITL_TEST_STORE"));
    TRY(give_up_as(SANDBOX_SIGNER));
    TRY(token_open(token));
    AUTO(secret) key = NULL;
    TRY(secret_random(DB_KEY_BYTES, &key));
    TRY(db_open(path, key, clock_utc_ms(), out_db));
    TRY(db_exercise(*out_db));
    return enter_as(SANDBOX_SIGNER);
}

static int signer_main(void)
{
    static struct token token;
    struct db *db = NULL;
    int failed = report("signer start", signer_start(&token, &db));
    failed = failed ? failed : report("token", token_work(&token));
    failed = failed ? failed : report("database", database_work(db));
    return failed ? failed : WORKED;
}

static int keyholder_main(void)
{
    struct hsm_settings settings = token_settings();
    struct hsm *hsm = NULL;
    struct hsm_key *key = NULL;
    int failed = report("give up", give_up_as(SANDBOX_KEYHOLDER));
    failed = failed ? failed : report("open", hsm_open(&settings, &hsm));
    failed = failed ? failed : report("key", hsm_key_find(hsm, HSM_ROLE_TLS, &key));
    failed = failed ? failed : report("enter", enter_as(SANDBOX_KEYHOLDER));
    for (int i = 0; !failed && i < SIGNATURES; i++) {
        failed = report("sign", sign_once(key));
        failed = failed ? failed : report("ready", hsm_ready(hsm));
    }
    if (failed || !getenv("ITL_TEST_SERVER_PID")) {
        return failed ? failed : WORKED;
    }
    /* Its module's process ends at the parent's hand: an error, not a refused call. */
    raise(SIGSTOP);
    return IS_E(sign_once(key), TOKEN_REMOVED) && !IS_OK(hsm_ready(hsm)) ? TOKEN_GONE : 1;
}

/* The supervisor's side, already sealed. */
static pid_t spawn(const char *part)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "sealed-part", part, (char *)NULL);
        _exit(3);
    }
    return pid;
}

static int run_part(const void *argument)
{
    const char *part = argument;
    int status = 0;
    pid_t pid = spawn(part);
    bool ended = pid > 0 && waitpid(pid, &status, 0) == pid;
    if (ended && WIFSIGNALED(status)) {
        dprintf(STDERR_FILENO, "%s ended with signal %d\n", part, WTERMSIG(status));
    }
    return ended && WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}

/* p11-kit tells its variables on standard output once it listens. */
static pid_t start_module_server(const char *socket_path, const int *told)
{
    pid_t pid = fork();
    if (pid != 0) {
        return pid;
    }
    const struct sandbox_account account = {
        .change = is_root(), .uid = SEALED_UID, .gid = SEALED_UID};
    if (!IS_OK(sandbox_drop(&account)) || setpgid(0, 0) != 0 ||
        dup2(told[1], STDOUT_FILENO) != STDOUT_FILENO) {
        _exit(126);
    }
    execl("/usr/bin/p11-kit", "p11-kit", "server", "--foreground", "--provider", fixture_module(),
          "-n", socket_path, "pkcs11:token=itl%20test%20token", (char *)NULL);
    _exit(127);
}

static pid_t serve_module(void)
{
    char path[PATH_MAX];
    char address[PATH_MAX + 16];
    char text[PATH_MAX];
    int told[2];
    snprintf(path, sizeof(path), "%s/p11", getenv("ITL_TEST_STORE"));
    snprintf(address, sizeof(address), "unix:path=%s", path);
    if (pipe2(told, O_CLOEXEC) != 0) {
        return -1;
    }
    pid_t server = start_module_server(path, told);
    close(told[1]);
    ssize_t length = read(told[0], text, sizeof(text)); /* stays open: the server may tell more */
    setenv("P11_KIT_SERVER_ADDRESS", address, 1);
    setenv(P11_CLIENT, ITL_P11_KIT_CLIENT, 1);
    return length > 0 ? server : -1;
}

static int run_part_remotely(const void *argument)
{
    pid_t server = serve_module();
    int result = run_part(argument);
    kill(-server, SIGKILL);
    waitpid(server, NULL, 0);
    return result;
}

static int run_keyholder_without_its_module(const void *argument)
{
    (void)argument;
    pid_t server = serve_module();
    setenv("ITL_TEST_SERVER_PID", "1", 1);
    int status = 0;
    pid_t pid = spawn("keyholder");
    bool stopped = waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status);
    kill(-server, SIGKILL);
    waitpid(server, NULL, 0);
    kill(pid, SIGCONT);
    waitpid(pid, &status, 0);
    return stopped && WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}

static char program_folder[PATH_MAX];

/* What a configuration would name. */
static struct ending run_supervisor(act_fn *act, const void *argument)
{
    const struct sandbox_path paths[] = {
        {"/usr", false, true},      {"/etc", false, false},        {"/proc", false, false},
        {"/dev/null", true, false}, {program_folder, false, true}, {fixture_store(), true, false},
    };
    const struct sandbox_settings settings = {.profile = SANDBOX_SUPERVISOR,
                                              .paths = paths,
                                              .path_count = sizeof(paths) / sizeof(paths[0])};
    return run_sealed(&settings, act, argument);
}

static void expect_part(act_fn *act, const char *part, int exit_code)
{
    struct ending ending = run_supervisor(act, part);
    assert_int_equal(ending.signal, 0);
    assert_int_equal(ending.exit_code, exit_code);
}

static void signer_with_softhsm_works_sealed(void **state)
{
    (void)state;
    expect_part(run_part, "signer", WORKED);
}

static void signer_with_a_module_process_works_sealed(void **state)
{
    (void)state;
    expect_part(run_part_remotely, "signer", WORKED);
}

static void keyholder_with_softhsm_works_sealed(void **state)
{
    (void)state;
    expect_part(run_part, "keyholder", WORKED);
}

static void keyholder_with_a_module_process_works_sealed(void **state)
{
    (void)state;
    expect_part(run_part_remotely, "keyholder", WORKED);
}

static void keyholder_survives_the_end_of_its_module(void **state)
{
    (void)state;
    expect_part(run_keyholder_without_its_module, "keyholder", TOKEN_GONE);
}

static int remove_database(void **state)
{
    (void)state;
    char command[PATH_MAX];
    snprintf(command, sizeof(command), "rm -f -- '%s'/database*", fixture_store());
    return system(command);
}

static int set_up(void **state)
{
    char program[PATH_MAX] = "";
    assert_true(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0);
    snprintf(program_folder, sizeof(program_folder), "%s", program);
    *strrchr(program_folder, '/') = '\0';
    fixture_store_new();
    fixture_token_new(FIXTURE_TOKEN);
    const enum hsm_role roles[] = {HSM_ROLE_ENROLLMENT_CA, HSM_ROLE_AUDIT, HSM_ROLE_VAULT,
                                   HSM_ROLE_TLS};
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        fixture_key_new(roles[i]);
    }
    setenv("ITL_TEST_STORE", fixture_store(), 1);
    if (is_root()) {
        char command[PATH_MAX];
        snprintf(command, sizeof(command), "chown -R %d:%d '%s'", SEALED_UID, SEALED_UID,
                 fixture_store());
        assert_int_equal(system(command), 0);
    }
    return require_kernel(state);
}

static int tear_down(void **state)
{
    (void)state;
    fixture_store_remove();
    return 0;
}

int main(int argument_count, char **arguments)
{
    if (argument_count == 2 && strcmp(arguments[0], "sealed-part") == 0) {
        _exit(strcmp(arguments[1], "signer") == 0 ? signer_main() : keyholder_main());
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(signer_with_softhsm_works_sealed, remove_database),
        cmocka_unit_test_setup(signer_with_a_module_process_works_sealed, remove_database),
        cmocka_unit_test(keyholder_with_softhsm_works_sealed),
        cmocka_unit_test(keyholder_with_a_module_process_works_sealed),
        cmocka_unit_test(keyholder_survives_the_end_of_its_module),
    };
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    _exit(failed); /* past SoftHSM's destructors */
}
