#include "sandbox/rule.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/* <fcntl.h>'s O_TMPFILE includes O_DIRECTORY, which is harmless by itself. */
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

#define NAMESPACES                                                                                \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET | CLONE_NEWTIME)

/* The kernel reads these arguments as 32 bits, so that is what is compared. */
#define IS(argument, value) {argument, SCMP_CMP_MASKED_EQ, 0xffffffffU, (uint32_t)(value)}
#define NONE_OF(argument, bits) {argument, SCMP_CMP_MASKED_EQ, (uint32_t)(bits), 0}
#define ALL_OF(argument, bits) {argument, SCMP_CMP_MASKED_EQ, (uint32_t)(bits), (uint32_t)(bits)}

/* A call is accepted when one of its rule's rows matches. */
static const struct alternative {
    enum row_rule rule;
    unsigned count;
    struct scmp_arg_cmp arguments[2];
} ALTERNATIVES[] = {
    {RULE_ANY, 0, {{0}}},
    {RULE_NO_EXEC, 1, {NONE_OF(2, PROT_EXEC)}},
    {RULE_NO_WRITE_EXEC, 1, {NONE_OF(2, PROT_EXEC)}},
    {RULE_NO_WRITE_EXEC, 1, {NONE_OF(2, PROT_WRITE)}},
    {RULE_RDONLY, 1, {NONE_OF(2, O_ACCMODE | O_CREAT | O_TRUNC | TMPFILE_BIT)}},
    {RULE_BY_FD, 1, {ALL_OF(3, AT_EMPTY_PATH)}},
    {RULE_FD_FLAGS, 1, {IS(1, F_GETFD)}},
    {RULE_FD_FLAGS, 1, {IS(1, F_SETFD)}},
    {RULE_FD_FLAGS, 1, {IS(1, F_GETFL)}},
    {RULE_FD_FLAGS, 1, {IS(1, F_SETFL)}},
    {RULE_FD_LOCKS, 1, {IS(1, F_GETFD)}},
    {RULE_FD_LOCKS, 1, {IS(1, F_SETFD)}},
    {RULE_FD_LOCKS, 1, {IS(1, F_GETFL)}},
    {RULE_FD_LOCKS, 1, {IS(1, F_SETFL)}},
    {RULE_FD_LOCKS, 1, {IS(1, F_GETLK)}},
    {RULE_FD_LOCKS, 1, {IS(1, F_SETLK)}},
    {RULE_FD_LOCKS, 1, {IS(1, F_SETLKW)}},
    {RULE_THREAD_NAME, 1, {IS(0, PR_SET_NAME)}},
    {RULE_START_PRCTL, 1, {IS(0, PR_SET_NAME)}},
    {RULE_START_PRCTL, 1, {IS(0, PR_SET_NO_NEW_PRIVS)}},
    {RULE_START_PRCTL, 1, {IS(0, PR_GET_NO_NEW_PRIVS)}},
    {RULE_START_PRCTL, 1, {IS(0, PR_GET_DUMPABLE)}},
    {RULE_START_PRCTL, 2, {IS(0, PR_SET_DUMPABLE), IS(1, 0)}},
    {RULE_START_PRCTL, 1, {IS(0, PR_SET_PDEATHSIG)}},
    {RULE_START_PRCTL, 1, {IS(0, PR_CAPBSET_READ)}},
    {RULE_START_PRCTL, 1, {IS(0, PR_CAPBSET_DROP)}},
    {RULE_START_PRCTL, 1, {IS(0, PR_SET_SECUREBITS)}},
    {RULE_START_PRCTL, 1, {IS(0, PR_GET_SECCOMP)}},
    {RULE_START_PRCTL, 2, {IS(0, PR_CAP_AMBIENT), IS(1, PR_CAP_AMBIENT_CLEAR_ALL)}},
    {RULE_STREAM_OPTIONS, 2, {IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY)}},
    {RULE_STREAM_OPTIONS, 2, {IS(1, SOL_SOCKET), IS(2, SO_LINGER)}},
    {RULE_STREAM_OPTIONS, 2, {IS(1, SOL_SOCKET), IS(2, SO_KEEPALIVE)}},
    {RULE_STREAM_OPTIONS, 2, {IS(1, SOL_SOCKET), IS(2, SO_RCVTIMEO)}},
    {RULE_STREAM_OPTIONS, 2, {IS(1, SOL_SOCKET), IS(2, SO_SNDTIMEO)}},
    {RULE_SOCKET_ERROR, 2, {IS(1, SOL_SOCKET), IS(2, SO_ERROR)}},
    {RULE_SOCKET_FAMILY, 1, {IS(0, AF_UNIX)}},
    {RULE_SOCKET_FAMILY, 1, {IS(0, AF_INET)}},
    {RULE_SOCKET_FAMILY, 1, {IS(0, AF_INET6)}},
    {RULE_UNIX, 1, {IS(0, AF_UNIX)}},
    {RULE_NO_NAMESPACE, 1, {NONE_OF(0, NAMESPACES)}},
    {RULE_TTY_OR_QUEUE, 1, {IS(1, TCGETS)}},
    {RULE_TTY_OR_QUEUE, 1, {IS(1, FIONREAD)}},
    {RULE_TTY_OR_QUEUE, 1, {IS(1, FIONBIO)}},
    {RULE_QUERY, 1, {IS(0, 0xffffffffU)}},
};

static ERRFN add(scmp_filter_ctx filter, uint32_t action, const struct row *row, unsigned count,
                 const struct scmp_arg_cmp *arguments)
{
    int result = seccomp_rule_add_array(filter, action, row->number, count, arguments);
    ENSURE(result == 0, SANDBOX_SECCOMP);
    return OK;
}

ERRFN rule_add(scmp_filter_ctx filter, uint32_t action, const struct row *row)
{
    if (row->rule == RULE_OWN_PID) {
        const struct scmp_arg_cmp own = IS(0, getpid());
        return add(filter, action, row, 1, &own);
    }
    size_t added = 0;
    for (size_t i = 0; i < sizeof(ALTERNATIVES) / sizeof(ALTERNATIVES[0]); i++) {
        const struct alternative *alternative = &ALTERNATIVES[i];
        if (alternative->rule == row->rule) {
            TRY(add(filter, action, row, alternative->count, alternative->arguments));
            added++;
        }
    }
    ENSURE(added > 0, SANDBOX_SECCOMP);
    return OK;
}
