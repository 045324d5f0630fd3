/* Layer 5: the supervisor's look at a running process. A sealed one passes; one that left out a
 * single step is found out, with the right reason. */
#include "sealed.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/filter.h"

/* A child that prepares itself in one of several ways, says so, and waits to be looked at. */
typedef err_t prepare_fn(void);

static const struct sandbox_path PROC = {"/proc", false, false};

static pid_t start(prepare_fn *prepare)
{
    int ready[2];
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(SEALED_SECONDS);
        char answer = IS_OK(prepare()) ? 'y' : 'n';
        ssize_t written = write(ready[1], &answer, 1);
        (void)written;
        poll(NULL, 0, -1);
        _exit(0);
    }
    close(ready[1]); /* so that a child that dies is noticed */
    char answer = 0;
    assert_int_equal(read(ready[0], &answer, 1), 1);
    close(ready[0]);
    assert_int_equal(answer, 'y');
    return pid;
}

static void stop(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* What a child of give_up() looks like when everything is right. */
static struct sandbox_expectation expected(void)
{
    return (struct sandbox_expectation){.uid = is_root() ? SEALED_UID : getuid(),
                                        .gid = is_root() ? SEALED_UID : getgid(),
                                        .started_privileged = is_root()};
}

static void passes(prepare_fn *prepare, struct sandbox_expectation wanted)
{
    pid_t pid = start(prepare);
    char why[SANDBOX_WHY_SIZE] = "";
    err_t result = sandbox_inspect(pid, &wanted, why, sizeof(why));
    stop(pid);
    if (!IS_OK(result)) {
        fail_msg("refused: %s", why);
    }
}

static void refused(prepare_fn *prepare, struct sandbox_expectation wanted, const char *because)
{
    pid_t pid = start(prepare);
    char why[SANDBOX_WHY_SIZE] = "";
    err_t result = sandbox_inspect(pid, &wanted, why, sizeof(why));
    stop(pid);
    assert_true(IS_E(result, SANDBOX_CHECK));
    if (!strstr(why, because)) {
        fail_msg("refused because \"%s\", not because of \"%s\"", why, because);
    }
}

static ERRFN do_nothing(void)
{
    return OK;
}

static ERRFN seal(enum sandbox_profile profile)
{
    const struct sandbox_settings settings = {.profile = profile, .paths = &PROC, .path_count = 1};
    TRY(give_up(profile));
    return sandbox_enter(&settings);
}

static ERRFN seal_signer(void)
{
    return seal(SANDBOX_SIGNER);
}

static ERRFN seal_front(void)
{
    return seal(SANDBOX_FRONT);
}

static ERRFN seal_supervisor(void)
{
    return seal(SANDBOX_SUPERVISOR);
}

static ERRFN confine_only(void)
{
    const struct sandbox_settings settings = {.profile = SANDBOX_SIGNER};
    TRY(give_up(SANDBOX_SIGNER));
    return sandbox_confine(&settings);
}

static ERRFN filter_without_drop(void)
{
    TRY(sandbox_limits(SANDBOX_SIGNER));
    return filter_load(SANDBOX_SIGNER, false);
}

static ERRFN everything_but_limits(void)
{
    const struct sandbox_account account = {
        .change = is_root(), .uid = SEALED_UID, .gid = SEALED_UID};
    TRY(sandbox_drop(&account));
    return filter_load(SANDBOX_SIGNER, false);
}

static void sealed_children_pass(void **state)
{
    (void)state;
    passes(seal_signer, expected());
    passes(seal_front, expected());
}

static void sealed_supervisor_passes_as_one(void **state)
{
    (void)state;
    struct sandbox_expectation wanted = {
        .uid = getuid(), .gid = getgid(), .started_privileged = is_root(), .supervisor = true};
    passes(seal_supervisor, wanted);
}

static void supervisors_capabilities_are_too_many_for_a_child(void **state)
{
    (void)state;
    struct sandbox_expectation wanted = {
        .uid = getuid(), .gid = getgid(), .started_privileged = is_root()};
    if (is_root()) {
        refused(seal_supervisor, wanted, "CapEff");
    } else {
        passes(seal_supervisor, wanted); /* it never had any */
    }
}

static void an_unconfined_process_is_refused(void **state)
{
    (void)state;
    struct sandbox_expectation wanted = {.uid = getuid(), .gid = getgid()};
#ifdef ITL_SANITIZED
    refused(do_nothing, wanted, "NoNewPrivs");
#else
    refused(do_nothing, wanted, "Seccomp");
#endif
}

static void a_process_without_a_filter_is_refused(void **state)
{
    (void)state;
#ifdef ITL_SANITIZED
    passes(confine_only, expected());
#else
    refused(confine_only, expected(), "Seccomp is 0, must be 2");
#endif
}

static void wrong_accounts_are_refused(void **state)
{
    (void)state;
    struct sandbox_expectation wrong_uid = expected();
    wrong_uid.uid++;
    refused(seal_signer, wrong_uid, "Uid");
    struct sandbox_expectation wrong_gid = expected();
    wrong_gid.gid++;
    refused(seal_signer, wrong_gid, "Gid");
}

static void capabilities_left_are_refused(void **state)
{
    (void)state;
    struct sandbox_expectation wanted = {
        .uid = getuid(), .gid = getgid(), .started_privileged = true};
    /* As root the effective set gives it away; anybody else never emptied the bounding set. */
    refused(filter_without_drop, wanted, is_root() ? "CapEff" : "CapBnd");
}

static void core_files_are_refused(void **state)
{
    (void)state;
    const struct rlimit core = {1 << 20, 1 << 20};
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_CORE, &before), 0);
    struct rlimit raised = before;
    raised.rlim_cur = before.rlim_max < core.rlim_cur ? before.rlim_max : core.rlim_cur;
    assert_true(before.rlim_max > 0); /* set "ulimit -H -c unlimited" where these tests run */
    assert_int_equal(setrlimit(RLIMIT_CORE, &raised), 0);
    refused(everything_but_limits, expected(), "core files");
    assert_int_equal(setrlimit(RLIMIT_CORE, &before), 0);
}

static void a_process_that_is_gone_is_refused(void **state)
{
    (void)state;
    pid_t pid = start(do_nothing);
    stop(pid);
    char why[SANDBOX_WHY_SIZE] = "";
    struct sandbox_expectation wanted = {.uid = getuid(), .gid = getgid()};
    assert_true(IS_E(sandbox_inspect(pid, &wanted, why, sizeof(why)), SANDBOX_CHECK));
    assert_non_null(strstr(why, "gone"));
}

static void a_short_answer_buffer_is_respected(void **state)
{
    (void)state;
    char why[8];
    memset(why, 'x', sizeof(why));
    struct sandbox_expectation wanted = {.uid = getuid(), .gid = getgid()};
    assert_true(IS_E(sandbox_inspect(getpid(), &wanted, why, 4), SANDBOX_CHECK));
    assert_int_equal(why[3], '\0');
    assert_int_equal(why[4], 'x');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed_children_pass),
        cmocka_unit_test(sealed_supervisor_passes_as_one),
        cmocka_unit_test(supervisors_capabilities_are_too_many_for_a_child),
        cmocka_unit_test(an_unconfined_process_is_refused),
        cmocka_unit_test(a_process_without_a_filter_is_refused),
        cmocka_unit_test(wrong_accounts_are_refused),
        cmocka_unit_test(capabilities_left_are_refused),
        cmocka_unit_test(core_files_are_refused),
        cmocka_unit_test(a_process_that_is_gone_is_refused),
        cmocka_unit_test(a_short_answer_buffer_is_respected),
    };
    return cmocka_run_group_tests(tests, require_kernel, NULL);
}
