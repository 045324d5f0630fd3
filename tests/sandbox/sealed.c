#include "sealed.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/landlock.h"

const struct variant VARIANTS[VARIANT_COUNT] = {
    {"supervisor", SANDBOX_SUPERVISOR, false}, {"front", SANDBOX_FRONT, false},
    {"keyholder", SANDBOX_KEYHOLDER, false},   {"keyholder-softhsm", SANDBOX_KEYHOLDER, true},
    {"signer", SANDBOX_SIGNER, false},         {"signer-softhsm", SANDBOX_SIGNER, true},
    {"courier", SANDBOX_COURIER, false},
};

bool is_root(void)
{
    return geteuid() == 0;
}

int report(const char *step, err_t error)
{
    if (IS_OK(error)) {
        return 0;
    }
    dprintf(STDERR_FILENO, "%s: %s\n", step, err_reason(error));
    return NOT_SEALED;
}

static struct ending wait_for(pid_t pid)
{
    assert_true(pid > 0);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        return (struct ending){-1, WTERMSIG(status)};
    }
    return (struct ending){WEXITSTATUS(status), 0};
}

ERRFN give_up(enum sandbox_profile profile)
{
    TRY(sandbox_limits(profile));
    if (profile == SANDBOX_SUPERVISOR) {
        return sandbox_drop_supervisor();
    }
    const struct sandbox_account account = {
        .change = is_root(), .uid = SEALED_UID, .gid = SEALED_UID, .die_with_parent = true};
    return sandbox_drop(&account);
}

/* cmocka catches these in order to go on with the next test; here they kill. */
static void let_signals_kill(void)
{
    const int caught[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS};
    for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
        signal(caught[i], SIG_DFL);
    }
}

typedef err_t step_fn(const struct sandbox_settings *settings);

static struct ending run(step_fn *step, const struct sandbox_settings *settings, act_fn *act,
                         const void *argument)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0) {
        return wait_for(pid);
    }
    let_signals_kill();
    alarm(SEALED_SECONDS);
    if (step) {
        int failed = report("give_up", give_up(settings->profile));
        failed = failed ? failed : report("seal", step(settings));
        if (failed) {
            _exit(failed);
        }
    }
    _exit(act(argument));
}

struct ending run_plain(act_fn *act, const void *argument)
{
    return run(NULL, NULL, act, argument);
}

struct ending run_confined(const struct sandbox_settings *settings, act_fn *act,
                           const void *argument)
{
    return run(sandbox_confine, settings, act, argument);
}

struct ending run_sealed(const struct sandbox_settings *settings, act_fn *act, const void *argument)
{
    return run(sandbox_enter, settings, act, argument);
}

int require_kernel(void **state)
{
    (void)state;
    int abi = 0;
    if (!IS_OK(landlock_abi(&abi))) {
        print_error("This kernel has no Landlock of ABI %d or later: these tests need one, they "
                    "are not skipped.\n",
                    SANDBOX_ABI_LEAST);
        return -1;
    }
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
        print_error("This kernel has no seccomp: these tests need it, they are not skipped.\n");
        return -1;
    }
    return 0;
}
