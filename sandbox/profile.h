/* The tables of sandbox/profiles as data. */
#ifndef ITL_SANDBOX_PROFILE_H
#define ITL_SANDBOX_PROFILE_H

#include "sandbox/sandbox.h"

/* What the arguments of a call must look like; the alternatives of each rule are in rule.c. */
enum row_rule {
    RULE_ANY = 0,
    RULE_NO_EXEC,        /* mmap, mprotect: without PROT_EXEC */
    RULE_NO_WRITE_EXEC,  /* mmap, mprotect: not writable and executable at once */
    RULE_RDONLY,         /* openat: for reading, creating and cutting nothing */
    RULE_BY_FD,          /* newfstatat: AT_EMPTY_PATH, which is how libc does fstat */
    RULE_OWN_PID,        /* tgkill: only the calling process */
    RULE_FD_FLAGS,       /* fcntl: descriptor and status flags */
    RULE_FD_LOCKS,       /* fcntl: flags and record locks */
    RULE_THREAD_NAME,    /* prctl: PR_SET_NAME */
    RULE_START_PRCTL,    /* prctl: what a process needs to give up privileges */
    RULE_STREAM_OPTIONS, /* setsockopt: options of a TCP connection, no packet filters */
    RULE_SOCKET_ERROR,   /* getsockopt: SO_ERROR */
    RULE_SOCKET_FAMILY,  /* socket: Unix, IPv4, IPv6 */
    RULE_UNIX,           /* socketpair: Unix */
    RULE_NO_NAMESPACE,   /* clone: no new namespaces */
    RULE_TTY_OR_QUEUE,   /* ioctl: is it a terminal, how much is waiting, non-blocking */
    RULE_QUERY,          /* personality: ask, not set */
    RULE_COUNT
};

enum row_action { ROW_NONE = 0, ROW_ALLOW, ROW_DENY };

struct row {
    int number; /* libseccomp's: negative when this architecture lacks the call */
    const char *name;
    enum row_action action;
    uint16_t error; /* DENY: the errno that the caller sees */
    enum row_rule rule;
    const char *why;
};

struct row_set {
    const struct row *rows;
    size_t count;
};

enum { PROFILE_SETS_MAX = 3 };

/* The sets that make up the profile; returns how many, 0 for SANDBOX_NONE. No call is in two of
 * them. */
size_t profile_sets(enum sandbox_profile profile, bool softhsm,
                    struct row_set out_sets[static PROFILE_SETS_MAX]);

#endif
