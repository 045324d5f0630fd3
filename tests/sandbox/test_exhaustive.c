/* Layer 2: on the running kernel, each number that the filter kills really kills. */
#include "sealed.h"

#include <linux/audit.h>
#include <signal.h>
#include <unistd.h>

#include "bpf.h"

enum { NUMBERS = 600 /* past the last call of Linux 6.18; layer 1 goes on to 1023 */ };

/* Calls that the kernel answers without asking a filter (syscall_64.tbl: uretprobe, uprobe). They
 * work only from the trampoline that the kernel itself maps for a probe and raise SIGILL or fail
 * anywhere else. */
static bool is_unfiltered(int number)
{
    return number == 335 || number == 336;
}

static int call_with_nonsense(const void *argument)
{
    const int *number = argument;
    syscall(*number, -1L, -1L, -1L, -1L, -1L, -1L);
    return ALLOWED;
}

static bool filter_kills(const struct bpf_program *program, int number)
{
    struct seccomp_data data = {.nr = number, .arch = AUDIT_ARCH_X86_64};
    for (size_t i = 0; i < 6; i++) {
        data.args[i] = UINT64_MAX;
    }
    return bpf_run(program, &data) == SECCOMP_RET_KILL_PROCESS;
}

static void each_killed_call_dies(const struct variant *variant)
{
    static struct bpf_program program;
    assert_true(IS_OK(bpf_of_profile(variant->profile, variant->softhsm, &program)));
    const struct sandbox_path proc = {"/proc", false, false};
    const struct sandbox_settings settings = {
        .profile = variant->profile, .softhsm = variant->softhsm, .paths = &proc, .path_count = 1};
    size_t killed = 0;
    for (int number = 0; number < NUMBERS; number++) {
        if (!filter_kills(&program, number)) {
            continue;
        }
        struct ending ending = run_sealed(&settings, call_with_nonsense, &number);
        if (is_unfiltered(number)) {
            assert_true(ending.signal == SIGILL || ending.signal == SIGSYS ||
                        ending.exit_code == ALLOWED);
            continue;
        }
        if (ending.signal != SIGSYS) {
            fail_msg("%s: call %d ended with signal %d, exit code %d", variant->name, number,
                     ending.signal, ending.exit_code);
        }
        killed++;
    }
    assert_true(killed > NUMBERS / 2); /* an allow-list, not a deny-list */
}

static void supervisor_dies_of_what_it_may_not_do(void **state)
{
    (void)state;
    each_killed_call_dies(&VARIANTS[0]);
}

static void front_dies_of_what_it_may_not_do(void **state)
{
    (void)state;
    each_killed_call_dies(&VARIANTS[1]);
}

static void keyholder_dies_of_what_it_may_not_do(void **state)
{
    (void)state;
    each_killed_call_dies(&VARIANTS[2]);
    each_killed_call_dies(&VARIANTS[3]);
}

static void signer_dies_of_what_it_may_not_do(void **state)
{
    (void)state;
    each_killed_call_dies(&VARIANTS[4]);
    each_killed_call_dies(&VARIANTS[5]);
}

static void courier_dies_of_what_it_may_not_do(void **state)
{
    (void)state;
    each_killed_call_dies(&VARIANTS[6]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(supervisor_dies_of_what_it_may_not_do),
        cmocka_unit_test(front_dies_of_what_it_may_not_do),
        cmocka_unit_test(keyholder_dies_of_what_it_may_not_do),
        cmocka_unit_test(signer_dies_of_what_it_may_not_do),
        cmocka_unit_test(courier_dies_of_what_it_may_not_do),
    };
    return cmocka_run_group_tests(tests, require_kernel, NULL);
}
