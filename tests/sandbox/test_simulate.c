/* Layer 1: the generated filter, interpreted for every number and architecture, says what the table
 * says. */
#include "sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf.h"
#include "sandbox/profile.h"

enum { NUMBERS = 1024, ARGUMENTS = 6, X32_BIT = 0x40000000 };

static struct bpf_program program;

static void build(const struct variant *variant)
{
    assert_true(IS_OK(bpf_of_profile(variant->profile, variant->softhsm, &program)));
}

static const struct row *row_of(const struct variant *variant, int number)
{
    struct row_set sets[PROFILE_SETS_MAX];
    size_t count = profile_sets(variant->profile, variant->softhsm, sets);
    for (size_t s = 0; s < count; s++) {
        for (size_t i = 0; i < sets[s].count; i++) {
            if (sets[s].rows[i].number == number) {
                return &sets[s].rows[i];
            }
        }
    }
    return NULL;
}

static uint32_t verdict(uint32_t arch, int number, const uint64_t *arguments)
{
    struct seccomp_data data = {.nr = number, .arch = arch};
    for (size_t i = 0; i < ARGUMENTS; i++) {
        data.args[i] = arguments ? arguments[i] : 0;
    }
    return bpf_run(&program, &data);
}

static void every_number_gets_what_the_table_says(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIANT_COUNT; v++) {
        build(&VARIANTS[v]);
        for (int number = 0; number < NUMBERS; number++) {
            const struct row *row = row_of(&VARIANTS[v], number);
            uint32_t found = verdict(AUDIT_ARCH_X86_64, number, NULL);
            if (!row) {
                assert_int_equal(found, SECCOMP_RET_KILL_PROCESS);
            } else if (row->action == ROW_DENY) {
                assert_int_equal(found, SECCOMP_RET_ERRNO | row->error);
            } else if (row->rule == RULE_ANY) {
                assert_int_equal(found, SECCOMP_RET_ALLOW);
            }
        }
    }
}

static void foreign_architectures_are_killed(void **state)
{
    (void)state;
    const uint32_t foreign[] = {AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, 0};
    for (size_t v = 0; v < VARIANT_COUNT; v++) {
        build(&VARIANTS[v]);
        for (int number = 0; number < NUMBERS; number++) {
            for (size_t a = 0; a < sizeof(foreign) / sizeof(foreign[0]); a++) {
                assert_int_equal(verdict(foreign[a], number, NULL), SECCOMP_RET_KILL_PROCESS);
            }
            assert_int_equal(verdict(AUDIT_ARCH_X86_64, number | X32_BIT, NULL),
                             SECCOMP_RET_KILL_PROCESS);
        }
    }
}

#define HIGH (UINT64_C(1) << 32) /* above what the kernel reads of a 32-bit argument */

/* Written by hand, not from rule.c: arguments that must pass and arguments that must not. */
static const struct {
    enum row_rule rule;
    bool passes;
    uint64_t arguments[ARGUMENTS];
} CALLS[] = {
    {RULE_NO_EXEC, true, {0, 4096, PROT_READ | PROT_WRITE}},
    {RULE_NO_EXEC, true, {0, 4096, PROT_NONE}},
    {RULE_NO_EXEC, false, {0, 4096, PROT_EXEC}},
    {RULE_NO_EXEC, false, {0, 4096, PROT_READ | PROT_EXEC}},
    {RULE_NO_EXEC, false, {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC}},
    {RULE_NO_EXEC, false, {0, 4096, HIGH | PROT_EXEC}},
    {RULE_NO_WRITE_EXEC, true, {0, 4096, PROT_READ | PROT_EXEC}},
    {RULE_NO_WRITE_EXEC, true, {0, 4096, PROT_READ | PROT_WRITE}},
    {RULE_NO_WRITE_EXEC, false, {0, 4096, PROT_WRITE | PROT_EXEC}},
    {RULE_NO_WRITE_EXEC, false, {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC}},
    {RULE_RDONLY, true, {0, 0, O_RDONLY | O_CLOEXEC | O_NOCTTY}},
    {RULE_RDONLY, true, {0, 0, O_RDONLY | O_DIRECTORY | O_NONBLOCK}},
    {RULE_RDONLY, false, {0, 0, O_WRONLY}},
    {RULE_RDONLY, false, {0, 0, O_RDWR | O_CLOEXEC}},
    {RULE_RDONLY, false, {0, 0, O_RDONLY | O_CREAT}},
    {RULE_RDONLY, false, {0, 0, O_RDONLY | O_TRUNC}},
    {RULE_RDONLY, false, {0, 0, O_RDONLY | O_TMPFILE}},
    {RULE_RDONLY, false, {0, 0, HIGH | O_WRONLY}},
    {RULE_BY_FD, true, {3, 0, 0, AT_EMPTY_PATH}},
    {RULE_BY_FD, false, {3, 0, 0, 0}},
    {RULE_BY_FD, false, {3, 0, 0, AT_SYMLINK_NOFOLLOW}},
    {RULE_FD_FLAGS, true, {3, F_GETFD}},
    {RULE_FD_FLAGS, true, {3, F_SETFD}},
    {RULE_FD_FLAGS, true, {3, F_GETFL}},
    {RULE_FD_FLAGS, true, {3, F_SETFL}},
    {RULE_FD_FLAGS, false, {3, F_SETLK}},
    {RULE_FD_FLAGS, false, {3, F_SETOWN}},
    {RULE_FD_FLAGS, false, {3, F_SETPIPE_SZ}},
    {RULE_FD_LOCKS, true, {3, F_GETLK}},
    {RULE_FD_LOCKS, true, {3, F_SETLK}},
    {RULE_FD_LOCKS, true, {3, F_SETLKW}},
    {RULE_FD_LOCKS, true, {3, F_SETFL}},
    {RULE_FD_LOCKS, false, {3, F_SETOWN}},
    {RULE_FD_LOCKS, false, {3, F_SETLEASE}},
    {RULE_FD_LOCKS, false, {3, F_ADD_SEALS}},
    {RULE_THREAD_NAME, true, {PR_SET_NAME}},
    {RULE_THREAD_NAME, false, {PR_SET_DUMPABLE, 1}},
    {RULE_THREAD_NAME, false, {PR_SET_PTRACER}},
    {RULE_START_PRCTL, true, {PR_SET_NO_NEW_PRIVS, 1}},
    {RULE_START_PRCTL, true, {PR_SET_DUMPABLE, 0}},
    {RULE_START_PRCTL, true, {PR_CAPBSET_DROP, 3}},
    {RULE_START_PRCTL, true, {PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL}},
    {RULE_START_PRCTL, false, {PR_SET_DUMPABLE, 1}},
    {RULE_START_PRCTL, false, {PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE}},
    {RULE_START_PRCTL, false, {PR_SET_SECCOMP, 2}},
    {RULE_START_PRCTL, false, {PR_SET_MM}},
    {RULE_START_PRCTL, false, {PR_SET_KEEPCAPS, 1}},
    {RULE_STREAM_OPTIONS, true, {3, IPPROTO_TCP, TCP_NODELAY}},
    {RULE_STREAM_OPTIONS, true, {3, SOL_SOCKET, SO_LINGER}},
    {RULE_STREAM_OPTIONS, true, {3, SOL_SOCKET, SO_KEEPALIVE}},
    {RULE_STREAM_OPTIONS, false, {3, SOL_SOCKET, SO_ATTACH_FILTER}},
    {RULE_STREAM_OPTIONS, false, {3, SOL_SOCKET, SO_ATTACH_BPF}},
    {RULE_STREAM_OPTIONS, false, {3, SOL_SOCKET, TCP_NODELAY}},
    {RULE_STREAM_OPTIONS, false, {3, IPPROTO_TCP, SO_LINGER}},
    {RULE_STREAM_OPTIONS, false, {3, IPPROTO_IP, IP_OPTIONS}},
    {RULE_SOCKET_ERROR, true, {3, SOL_SOCKET, SO_ERROR}},
    {RULE_SOCKET_ERROR, false, {3, SOL_SOCKET, SO_PEERCRED}},
    {RULE_SOCKET_ERROR, false, {3, IPPROTO_TCP, SO_ERROR}},
    {RULE_SOCKET_FAMILY, true, {AF_UNIX, SOCK_STREAM}},
    {RULE_SOCKET_FAMILY, true, {AF_INET, SOCK_STREAM}},
    {RULE_SOCKET_FAMILY, true, {AF_INET6, SOCK_STREAM}},
    {RULE_SOCKET_FAMILY, false, {AF_PACKET, SOCK_RAW}},
    {RULE_SOCKET_FAMILY, false, {AF_NETLINK, SOCK_RAW}},
    {RULE_SOCKET_FAMILY, false, {AF_VSOCK, SOCK_STREAM}},
    {RULE_SOCKET_FAMILY, false, {AF_ALG, SOCK_SEQPACKET}},
    {RULE_UNIX, true, {AF_UNIX, SOCK_SEQPACKET}},
    {RULE_UNIX, false, {AF_INET, SOCK_STREAM}},
    {RULE_NO_NAMESPACE, true, {CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | 17}},
    {RULE_NO_NAMESPACE,
     true,
     {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM}},
    {RULE_NO_NAMESPACE, false, {CLONE_NEWUSER | 17}},
    {RULE_NO_NAMESPACE, false, {CLONE_NEWNS | 17}},
    {RULE_NO_NAMESPACE, false, {CLONE_NEWNET | 17}},
    {RULE_NO_NAMESPACE, false, {CLONE_NEWPID | 17}},
    {RULE_NO_NAMESPACE, false, {CLONE_NEWIPC | 17}},
    {RULE_NO_NAMESPACE, false, {CLONE_NEWUTS | 17}},
    {RULE_NO_NAMESPACE, false, {CLONE_NEWCGROUP | 17}},
    {RULE_NO_NAMESPACE, false, {0x80 | 17}}, /* CLONE_NEWTIME */
    {RULE_TTY_OR_QUEUE, true, {0, TCGETS}},
    {RULE_TTY_OR_QUEUE, true, {0, FIONBIO}},
    {RULE_TTY_OR_QUEUE, false, {0, TIOCSTI}},
    {RULE_TTY_OR_QUEUE, false, {0, TIOCLINUX}},
    {RULE_TTY_OR_QUEUE, false, {0, TCSETS}},
    {RULE_QUERY, true, {0xffffffff}},
    {RULE_QUERY, false, {0}},
    {RULE_QUERY, false, {0x0040000}}, /* ADDR_NO_RANDOMIZE */
};
enum { CALL_COUNT = sizeof(CALLS) / sizeof(CALLS[0]) };

/* How many calls of the list the row's rule was tried with. */
static size_t try_rule(const struct row *row)
{
    size_t tried = 0;
    for (size_t i = 0; i < CALL_COUNT; i++) {
        if (CALLS[i].rule != row->rule) {
            continue;
        }
        uint32_t wanted = CALLS[i].passes ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS;
        uint32_t found = verdict(AUDIT_ARCH_X86_64, row->number, CALLS[i].arguments);
        if (found != wanted) {
            fail_msg("%s, argument set %zu: %#x instead of %#x", row->name, i, found, wanted);
        }
        tried++;
    }
    return tried;
}

static void try_own_pid(const struct row *row)
{
    const uint64_t own[ARGUMENTS] = {(uint64_t)getpid(), 1, 6};
    const uint64_t parent[ARGUMENTS] = {(uint64_t)getppid(), 1, 6};
    const uint64_t everybody[ARGUMENTS] = {(uint64_t)-1, 1, 6};
    assert_int_equal(verdict(AUDIT_ARCH_X86_64, row->number, own), SECCOMP_RET_ALLOW);
    assert_int_equal(verdict(AUDIT_ARCH_X86_64, row->number, parent), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(verdict(AUDIT_ARCH_X86_64, row->number, everybody), SECCOMP_RET_KILL_PROCESS);
}

static void every_argument_rule_passes_and_refuses(void **state)
{
    (void)state;
    bool seen[RULE_COUNT] = {false};
    for (size_t v = 0; v < VARIANT_COUNT; v++) {
        build(&VARIANTS[v]);
        for (int number = 0; number < NUMBERS; number++) {
            const struct row *row = row_of(&VARIANTS[v], number);
            if (!row || row->rule == RULE_ANY) {
                continue;
            }
            seen[row->rule] = true;
            if (row->rule == RULE_OWN_PID) {
                try_own_pid(row);
            } else {
                assert_true(try_rule(row) >= 2);
            }
        }
    }
    for (int rule = RULE_ANY + 1; rule < RULE_COUNT; rule++) {
        assert_true(seen[rule]); /* a rule that no row uses is dead */
    }
}

/* The kernel caps a program at 4,096 instructions and runs it for each call that its cache does not
 * know. */
static void filters_are_small(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIANT_COUNT; v++) {
        build(&VARIANTS[v]);
        assert_in_range(program.length, 20, 700);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_gets_what_the_table_says),
        cmocka_unit_test(foreign_architectures_are_killed),
        cmocka_unit_test(every_argument_rule_passes_and_refuses),
        cmocka_unit_test(filters_are_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
