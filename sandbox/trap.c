#include "sandbox/trap.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* Runs inside the refused call's thread: nothing but write(2), and no stdio, which would be refused
 * in turn. */
static void sandbox_sigsys(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number;
    (void)context;
    char line[] = "sandbox_sigsys: refused system call number      0\n";
    size_t at = sizeof(line) - 3;
    for (unsigned number = (unsigned)info->si_syscall; number > 0; number /= 10) {
        line[at--] = (char)('0' + number % 10);
    }
    ssize_t written = write(STDERR_FILENO, line, sizeof(line) - 1);
    (void)written;
    _exit(128 + SIGSYS);
}

ERRFN trap_install(void)
{
    struct sigaction action = {.sa_sigaction = sandbox_sigsys, .sa_flags = SA_SIGINFO};
    ENSURE(sigaction(SIGSYS, &action, NULL) == 0, SANDBOX);
    return OK;
}
