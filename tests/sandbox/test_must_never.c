/* Layer 3: a list written by hand, so that a wrong table cannot bless itself. Arguments are such
 * that the call would work, or would fail for another reason than a filter, if let through. */
#include "sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One bit per process. */
enum {
    FRONT = 1 << SANDBOX_FRONT,
    KEYHOLDER = 1 << SANDBOX_KEYHOLDER,
    SIGNER = 1 << SANDBOX_SIGNER,
    COURIER = 1 << SANDBOX_COURIER,
    SUPERVISOR = 1 << SANDBOX_SUPERVISOR,
    CHILDREN = FRONT | KEYHOLDER | SIGNER | COURIER,
    ALL = CHILDREN | SUPERVISOR
};

#define TEXT(text) ((long)(intptr_t)(text))

static const struct forbidden {
    const char *what;
    int whose;
    long number;
    long arguments[6];
} FORBIDDEN[] = {
    /* becoming something else */
    {"execve", CHILDREN, SYS_execve, {TEXT("/bin/true")}},
    {"execveat", ALL, SYS_execveat, {AT_FDCWD, TEXT("/bin/true")}},
    {"fork", CHILDREN, SYS_fork, {0}},
    {"vfork", CHILDREN, SYS_vfork, {0}},
    {"clone as fork", CHILDREN, SYS_clone, {SIGCHLD}},
    {"clone as thread",
     CHILDREN,
     SYS_clone,
     {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD}},
    {"clone3", CHILDREN, SYS_clone3, {0}},
    {"clone into a new user namespace", ALL, SYS_clone, {CLONE_NEWUSER | SIGCHLD}},
    {"unshare", ALL, SYS_unshare, {CLONE_NEWUSER}},
    {"setns", ALL, SYS_setns, {0}},
    {"setuid to root", CHILDREN, SYS_setuid, {0}},
    {"setresuid to root", CHILDREN, SYS_setresuid, {0}},
    {"setgroups", CHILDREN, SYS_setgroups, {0}},
    {"capset", CHILDREN, SYS_capset, {0}},
    {"personality without address randomisation", ALL, SYS_personality, {ADDR_NO_RANDOMIZE}},
    {"chroot", ALL, SYS_chroot, {TEXT("/")}},
    {"pivot_root", ALL, SYS_pivot_root, {0}},
    /* new executable memory */
    {"mmap executable",
     CHILDREN,
     SYS_mmap,
     {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
    {"mmap writable and executable",
     ALL,
     SYS_mmap,
     {0, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1}},
    {"mprotect executable", CHILDREN, SYS_mprotect, {0, 4096, PROT_READ | PROT_EXEC}},
    {"mprotect writable and executable", ALL, SYS_mprotect, {0, 4096, PROT_WRITE | PROT_EXEC}},
    {"pkey_mprotect", ALL, SYS_pkey_mprotect, {0, 4096, PROT_EXEC, -1}},
    {"memfd_create", CHILDREN, SYS_memfd_create, {TEXT("x")}},
    {"remap_file_pages", ALL, SYS_remap_file_pages, {0}},
    /* network and channels */
    {"socket over IPv4", FRONT | KEYHOLDER | SIGNER | COURIER, SYS_socket, {AF_INET, SOCK_STREAM}},
    {"socket to the kernel's crypto", ALL, SYS_socket, {AF_ALG, SOCK_SEQPACKET}},
    {"socket to the network configuration", ALL, SYS_socket, {AF_NETLINK, SOCK_RAW}},
    {"raw packets", ALL, SYS_socket, {AF_PACKET, SOCK_RAW}},
    {"a Unix socket", CHILDREN, SYS_socket, {AF_UNIX, SOCK_STREAM}},
    {"socketpair", CHILDREN, SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}},
    {"connect", CHILDREN, SYS_connect, {0}},
    {"bind", CHILDREN, SYS_bind, {0}},
    {"listen", CHILDREN, SYS_listen, {0}},
    {"accept", KEYHOLDER | SIGNER | COURIER, SYS_accept, {0}},
    {"accept4", KEYHOLDER | SIGNER | COURIER, SYS_accept4, {0}},
    {"recvmmsg", ALL, SYS_recvmmsg, {0}},
    {"sendmsg, which gives descriptors", CHILDREN, SYS_sendmsg, {0}},
    {"setsockopt with a packet filter", FRONT, SYS_setsockopt, {0, SOL_SOCKET, SO_ATTACH_FILTER}},
    /* files */
    {"openat for writing", KEYHOLDER | SIGNER, SYS_openat, {AT_FDCWD, TEXT("/tmp"), O_WRONLY}},
    {"openat creating",
     KEYHOLDER | SIGNER,
     SYS_openat,
     {AT_FDCWD, TEXT("/tmp/x"), O_RDONLY | O_CREAT, 0600}},
    {"openat cutting",
     KEYHOLDER | SIGNER,
     SYS_openat,
     {AT_FDCWD, TEXT("/dev/null"), O_RDONLY | O_TRUNC}},
    {"openat at all", COURIER, SYS_openat, {AT_FDCWD, TEXT("/etc/passwd"), O_RDONLY}},
    {"open", CHILDREN, SYS_open, {TEXT("/dev/null"), O_RDWR}},
    {"creat", ALL, SYS_creat, {TEXT("/dev/null"), 0600}},
    {"openat2", CHILDREN, SYS_openat2, {AT_FDCWD, TEXT("/dev/null")}},
    {"open_by_handle_at", ALL, SYS_open_by_handle_at, {0}},
    {"name_to_handle_at", ALL, SYS_name_to_handle_at, {0}},
    {"unlink", CHILDREN, SYS_unlink, {TEXT("/nonexistent")}},
    {"rename", CHILDREN, SYS_rename, {TEXT("/nonexistent"), TEXT("/nonexistent")}},
    {"link", ALL, SYS_link, {TEXT("/nonexistent"), TEXT("/nonexistent")}},
    {"symlink", ALL, SYS_symlink, {TEXT("/nonexistent"), TEXT("/nonexistent/x")}},
    {"mknod", ALL, SYS_mknod, {TEXT("/nonexistent/x")}},
    {"mkdir", CHILDREN, SYS_mkdir, {TEXT("/nonexistent/x")}},
    {"chmod", CHILDREN, SYS_chmod, {TEXT("/nonexistent")}},
    {"chown", ALL, SYS_chown, {TEXT("/nonexistent")}},
    {"setxattr", ALL, SYS_setxattr, {TEXT("/nonexistent")}},
    {"ftruncate", FRONT | KEYHOLDER | COURIER, SYS_ftruncate, {-1}},
    {"fcntl asking for signals", CHILDREN, SYS_fcntl, {0, F_SETOWN, 1}},
    {"sendfile", ALL, SYS_sendfile, {-1, -1}},
    {"splice", ALL, SYS_splice, {-1, 0, -1}},
    {"inotify_init1", ALL, SYS_inotify_init1, {0}},
    {"fanotify_init", ALL, SYS_fanotify_init, {0}},
    /* other processes */
    {"ptrace", ALL, SYS_ptrace, {PTRACE_TRACEME}},
    {"process_vm_readv", ALL, SYS_process_vm_readv, {1}},
    {"process_vm_writev", ALL, SYS_process_vm_writev, {1}},
    {"process_madvise", ALL, SYS_process_madvise, {-1}},
    {"pidfd_getfd", ALL, SYS_pidfd_getfd, {-1}},
    {"kcmp", ALL, SYS_kcmp, {1, 1}},
    {"kill", CHILDREN, SYS_kill, {1, 0}},
    {"tkill", ALL, SYS_tkill, {1, 0}},
    {"tgkill of another process", CHILDREN, SYS_tgkill, {1, 1, 0}},
    {"rt_sigqueueinfo", ALL, SYS_rt_sigqueueinfo, {1, 0}},
    {"pidfd_send_signal", CHILDREN, SYS_pidfd_send_signal, {-1}},
    {"prlimit64", CHILDREN, SYS_prlimit64, {1}},
    {"shmget", CHILDREN, SYS_shmget, {0, 4096, 01600}},
    {"shmat", ALL, SYS_shmat, {-1}},
    {"msgget", ALL, SYS_msgget, {0}},
    {"mq_open", ALL, SYS_mq_open, {TEXT("x")}},
    /* the sandbox itself */
    {"prctl making the process dumpable", ALL, SYS_prctl, {PR_SET_DUMPABLE, 1}},
    {"prctl naming a tracer", ALL, SYS_prctl, {PR_SET_PTRACER, -1}},
    {"prctl keeping capabilities", ALL, SYS_prctl, {PR_SET_KEEPCAPS, 1}},
    {"prctl moving memory descriptors", ALL, SYS_prctl, {PR_SET_MM}},
    {"seccomp", CHILDREN, SYS_seccomp, {1}},
    {"arch_prctl", CHILDREN, SYS_arch_prctl, {0x1003}},
    /* the kernel */
    {"bpf", ALL, SYS_bpf, {0}},
    {"io_uring_setup", CHILDREN, SYS_io_uring_setup, {1}},
    {"io_uring_enter", ALL, SYS_io_uring_enter, {-1}},
    {"io_uring_register", ALL, SYS_io_uring_register, {-1}},
    {"userfaultfd", ALL, SYS_userfaultfd, {0}},
    {"perf_event_open", ALL, SYS_perf_event_open, {0}},
    {"keyctl", ALL, SYS_keyctl, {KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING}},
    {"add_key",
     ALL,
     SYS_add_key,
     {TEXT("user"), TEXT("x"), TEXT("x"), 1, KEY_SPEC_PROCESS_KEYRING}},
    {"request_key", ALL, SYS_request_key, {TEXT("user"), TEXT("x")}},
    {"init_module", ALL, SYS_init_module, {0}},
    {"finit_module", ALL, SYS_finit_module, {-1}},
    {"delete_module", ALL, SYS_delete_module, {TEXT("nonexistent")}},
    {"kexec_load", ALL, SYS_kexec_load, {0}},
    {"kexec_file_load", ALL, SYS_kexec_file_load, {-1}},
    {"mount", ALL, SYS_mount, {0}},
    {"umount2", ALL, SYS_umount2, {TEXT("/nonexistent")}},
    {"open_tree", ALL, SYS_open_tree, {-1}},
    {"move_mount", ALL, SYS_move_mount, {-1}},
    {"fsopen", ALL, SYS_fsopen, {TEXT("tmpfs")}},
    {"mount_setattr", ALL, SYS_mount_setattr, {-1}},
    {"swapon", ALL, SYS_swapon, {TEXT("/nonexistent")}},
    {"swapoff", ALL, SYS_swapoff, {TEXT("/nonexistent")}},
    {"reboot", ALL, SYS_reboot, {0}},
    {"iopl", ALL, SYS_iopl, {3}},
    {"ioperm", ALL, SYS_ioperm, {0x80, 1, 1}},
    {"acct", ALL, SYS_acct, {TEXT("/nonexistent")}},
    {"quotactl", ALL, SYS_quotactl, {-1}},
    {"syslog", ALL, SYS_syslog, {10}},
    {"sethostname", ALL, SYS_sethostname, {0}},
    {"settimeofday", ALL, SYS_settimeofday, {0}},
    {"clock_settime", ALL, SYS_clock_settime, {0}},
    {"adjtimex", ALL, SYS_adjtimex, {0}},
    {"vhangup", ALL, SYS_vhangup, {0}},
    {"modify_ldt", ALL, SYS_modify_ldt, {0}},
    {"lookup_dcookie", ALL, SYS_lookup_dcookie, {0}},
    {"vmsplice", ALL, SYS_vmsplice, {-1}},
    {"migrate_pages", ALL, SYS_migrate_pages, {0}},
    {"move_pages", ALL, SYS_move_pages, {0}},
};
enum { FORBIDDEN_COUNT = sizeof(FORBIDDEN) / sizeof(FORBIDDEN[0]) };

/* Refused with an error, not death: a library copes. */
static const struct denied {
    const char *what;
    int whose;
    int error;
    long number;
    long arguments[6];
} DENIED[] = {
    {"terminal input injection", CHILDREN, ENOTTY, SYS_ioctl, {0, TIOCSTI, TEXT("x")}},
    {"openat in the front", FRONT, EACCES, SYS_openat, {AT_FDCWD, TEXT("/etc/passwd"), O_RDONLY}},
    {"openat for writing in the front",
     FRONT,
     EACCES,
     SYS_openat,
     {AT_FDCWD, TEXT("/tmp/x"), O_RDWR | O_CREAT, 0600}},
    {"clone3 with flags in memory", SUPERVISOR, ENOSYS, SYS_clone3, {0}},
    {"openat2 with flags in memory",
     SUPERVISOR,
     ENOSYS,
     SYS_openat2,
     {AT_FDCWD, TEXT("/dev/null")}},
    {"io_uring_setup", SUPERVISOR, ENOSYS, SYS_io_uring_setup, {1}},
    {"shmget", SUPERVISOR, EACCES, SYS_shmget, {0, 4096, 01600}},
};
enum { DENIED_COUNT = sizeof(DENIED) / sizeof(DENIED[0]) };

static long make(long number, const long *a)
{
    errno = 0;
    return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static int call(const void *argument)
{
    const struct forbidden *forbidden = argument;
    make(forbidden->number, forbidden->arguments);
    return ALLOWED;
}

static int call_and_compare(const void *argument)
{
    const struct denied *denied = argument;
    long result = make(denied->number, denied->arguments);
    return result == -1 && errno == denied->error ? REFUSED_BY_ERRNO : ALLOWED;
}

static struct ending run_variant(const struct variant *variant, act_fn *act, const void *argument)
{
    const struct sandbox_path root = {"/", true, true}; /* so that Landlock refuses nothing here */
    const struct sandbox_settings settings = {
        .profile = variant->profile, .softhsm = variant->softhsm, .paths = &root, .path_count = 1};
    return run_sealed(&settings, act, argument);
}

static void no_process_survives_what_it_must_never_do(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIANT_COUNT; v++) {
        for (size_t i = 0; i < FORBIDDEN_COUNT; i++) {
            if ((FORBIDDEN[i].whose & 1 << VARIANTS[v].profile) == 0) {
                continue;
            }
            struct ending ending = run_variant(&VARIANTS[v], call, &FORBIDDEN[i]);
            if (ending.signal != SIGSYS) {
                fail_msg("%s, %s: ended with signal %d, exit code %d", VARIANTS[v].name,
                         FORBIDDEN[i].what, ending.signal, ending.exit_code);
            }
        }
    }
}

static void refused_calls_fail_with_the_error_that_libraries_expect(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIANT_COUNT; v++) {
        for (size_t i = 0; i < DENIED_COUNT; i++) {
            if ((DENIED[i].whose & 1 << VARIANTS[v].profile) == 0) {
                continue;
            }
            struct ending ending = run_variant(&VARIANTS[v], call_and_compare, &DENIED[i]);
            if (ending.exit_code != REFUSED_BY_ERRNO) {
                fail_msg("%s, %s: ended with signal %d, exit code %d", VARIANTS[v].name,
                         DENIED[i].what, ending.signal, ending.exit_code);
            }
        }
    }
}

/* The kernel's 32-bit entry has other numbers; 20 is getpid there and writev here. */
static int call_through_int80(const void *argument)
{
    (void)argument;
    long result = 20;
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    return ALLOWED;
}

static void the_32_bit_entry_kills(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIANT_COUNT; v++) {
        struct ending ending = run_variant(&VARIANTS[v], call_through_int80, NULL);
        assert_int_equal(ending.signal, SIGSYS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_process_survives_what_it_must_never_do),
        cmocka_unit_test(refused_calls_fail_with_the_error_that_libraries_expect),
        cmocka_unit_test(the_32_bit_entry_kills),
    };
    return cmocka_run_group_tests(tests, require_kernel, NULL);
}
