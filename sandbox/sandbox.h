/* What each process may still do once it runs: credentials, limits, Landlock and seccomp, entered
 * by the process itself and checked from outside by the supervisor. Everything fails closed: on any
 * error the caller must exit.
 *
 * The order in every process:
 *
 *     sandbox_limits(profile)      first thing in main
 *     sandbox_drop(&account)       then open and exercise everything once, as that account
 *     sandbox_confine(&settings)   only where threads are made before the seal: Landlock binds the
 *                                  calling thread and those it makes later, no others
 *     sandbox_enter(&settings)     last step: from here on a call that is not in the profile's
 *                                  table kills the process
 *
 * and in the supervisor: limits, drop_supervisor, enter, then spawn. It seals before it spawns,
 * because the children's sandboxes nest in its own: Landlock's signal scope lets it signal only
 * processes that were made under it, and whatever a child needs while it starts (files, ports,
 * system calls) must be allowed to the supervisor too.
 *
 * The tables are sandbox/profiles/<name>.def, one row and one reason per system call. With the
 * definition ITL_SANITIZED the seccomp filter is not installed, because sanitizers make calls of
 * their own; everything else is as in a release. */
#ifndef ITL_SANDBOX_SANDBOX_H
#define ITL_SANDBOX_SANDBOX_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum sandbox_profile {
    SANDBOX_NONE = 0, /* never valid */
    SANDBOX_SUPERVISOR,
    SANDBOX_FRONT,
    SANDBOX_KEYHOLDER,
    SANDBOX_SIGNER,
    SANDBOX_COURIER
};

enum {
    SANDBOX_PATHS_MAX = 64, /* a dozen system folders and what a configuration names */
    SANDBOX_PORTS_MAX = 64, /* ports, not destinations: nearly all are 443 */
    SANDBOX_ABI_LEAST = 2,  /* Debian 12's kernel 6.1; before ABI 3 truncation is left to seccomp, which lets nothing be opened
                               for writing */
    SANDBOX_WHY_SIZE = 128
};

/* One folder or file that stays reachable through open(). Everything below a folder is meant.
 * Reading is always included. */
struct sandbox_path {
    const char *path; /* must exist; symbolic links are followed once, now */
    bool write;       /* change, truncate, create, rename within a folder and remove regular files;
                         the supervisor's write covers folders and sockets too, which modules make
                         when they start */
    bool execute;     /* execve; mapping a library needs reading only */
};

struct sandbox_settings {
    enum sandbox_profile profile;
    bool softhsm; /* signer, keyholder: the module is SoftHSM in this process, which reads its files
                     as it works */
    const struct sandbox_path *paths; /* none: no file at all can be opened */
    size_t path_count;
    const uint16_t *connect_ports; /* TCP ports that connect() may go to; none: it may go nowhere */
    size_t connect_port_count;
    const uint16_t *bind_ports; /* TCP ports that bind() may take; none is the rule, the supervisor
                                   binds before its seal */
    size_t bind_port_count;
};

/* umask 077, no core files, not dumpable or traceable, and bounds on files, descriptors and, where
 * a process makes neither threads nor children, on processes (setrlimit(2)). The supervisor raises
 * the memory lock limit as far as it may, for its children's guarded memory. Errors: SANDBOX. */
ERRFN sandbox_limits(enum sandbox_profile profile);

/* Which account a process runs as. */
struct sandbox_account {
    bool change; /* false: keep the account, as on a developer's machine */
    uid_t uid;
    gid_t gid;
    bool die_with_parent; /* SIGKILL when the process that made this one ends */
};

/* Looks an account up by name, or by number, whose group is then its own, or the number itself
 * where the system has no such account. Reads the account database. Errors: SANDBOX_ACCOUNT when
 * there is none, or when it is root. */
ERRFN sandbox_account_find(const char *name_or_number, struct sandbox_account *out_account);

/* Gives up, for good: supplementary groups, group, user (when account->change), every capability in
 * every set, and, through no_new_privs, whatever execve could give back. Then tries to come back
 * and fails if that works. Without CAP_SETPCAP the bounding set cannot be emptied; no_new_privs
 * makes it void. Errors: SANDBOX_ACCOUNT when told to change to root, SANDBOX_PRIVILEGES. */
ERRFN sandbox_drop(const struct sandbox_account *account);

/* The supervisor's drop: keeps CAP_SETUID, CAP_SETGID and CAP_SETPCAP (its children's sandbox_drop)
 * and CAP_KILL (signals to their accounts), as far as it had them. Without CAP_DAC_OVERRIDE even
 * root reads only what its permissions say. Errors: SANDBOX_PRIVILEGES. */
ERRFN sandbox_drop_supervisor(void);

/* Landlock: all rights that the running kernel knows are refused except those in `settings`; from
 * ABI 4 TCP as well, from ABI 6 signals and abstract sockets to processes outside. The calling
 * process must be single-threaded. Errors: SANDBOX_LANDLOCK (none, or older than
 * SANDBOX_ABI_LEAST), SANDBOX_PATH (a path does not exist), SANDBOX_CHECK (threads), SANDBOX. */
ERRFN sandbox_confine(const struct sandbox_settings *settings);

/* no_new_privs, Landlock unless sandbox_confine did it, the profile's seccomp filter for all
 * threads; then reads back from /proc/self/status that it holds. Errors: those of sandbox_confine,
 * SANDBOX_SECCOMP, SANDBOX_CHECK (limits or drop were not done, or the kernel reports something
 * else). */
ERRFN sandbox_enter(const struct sandbox_settings *settings);

/* Names the rows of the profile: equal for equal tables, reported by each process when it is ready.
 * Not a cryptographic hash: it finds mixed releases, not forgeries. */
uint64_t sandbox_profile_hash(const struct sandbox_settings *settings);

/* What a process must look like from outside. */
struct sandbox_expectation {
    uid_t uid;
    gid_t gid;
    bool started_privileged; /* sandbox_drop ran with CAP_SETGID and CAP_SETPCAP: no groups, empty
                                bounding set */
    bool supervisor;         /* the capabilities that sandbox_drop_supervisor keeps may be there */
};

/* Reads /proc/<pid>/status and /proc/<pid>/limits: filter active, no_new_privs, all four user and
 * group ids, no groups, no capabilities, no core files. Needs /proc in the caller's own paths.
 * Errors: SANDBOX_CHECK with a sentence in out_why (SANDBOX_WHY_SIZE is enough), also when the
 * process is gone. */
ERRFN sandbox_inspect(pid_t pid, const struct sandbox_expectation *expected, char *out_why,
                      size_t why_size);

#endif
