/* deny_syscall landlock|seccomp COMMAND...: runs a command as a kernel without that facility would: its system calls answer ENOSYS
 * (Landlock) or EINVAL (seccomp filters, as with CONFIG_SECCOMP_FILTER off). */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int deny(scmp_filter_ctx filter, int error, int call)
{
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)error), call, 0);
}

static int deny_landlock(scmp_filter_ctx filter)
{
    return deny(filter, ENOSYS, SCMP_SYS(landlock_create_ruleset)) | deny(filter, ENOSYS, SCMP_SYS(landlock_add_rule)) |
           deny(filter, ENOSYS, SCMP_SYS(landlock_restrict_self));
}

static int deny_seccomp(scmp_filter_ctx filter)
{
    return deny(filter, EINVAL, SCMP_SYS(seccomp)) |
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP));
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: deny_syscall landlock|seccomp COMMAND...\n");
        return EXIT_FAILURE;
    }
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    /* As root without no_new_privs, so that the command's own privileges stay as they are. */
    int wrong = !filter || (geteuid() == 0 && seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) != 0) ||
                (strcmp(argv[1], "landlock") == 0 ? deny_landlock(filter) : deny_seccomp(filter)) != 0 ||
                seccomp_load(filter) != 0;
    if (wrong) {
        fprintf(stderr, "deny_syscall: cannot install the filter\n");
        return EXIT_FAILURE;
    }
    execvp(argv[2], argv + 2);
    fprintf(stderr, "deny_syscall: %s: %s\n", argv[2], strerror(errno));
    return EXIT_FAILURE;
}
