/* itl-attestd: opens sockets, reads configuration and PINs, starts, watches and replaces the others. Parses no request, holds no key,
 * opens no database. */
#ifndef ITL_SUPERVISOR_SUPERVISOR_H
#define ITL_SUPERVISOR_SUPERVISOR_H

#include "config/config.h"
#include "supervisor/child.h"

#include <limits.h>

enum { EVENTS_MAX = 64 };

/* Something for the audit log, kept until the signer can take it. */
struct audit_note {
    char action[64];
    char detail[256];
};

struct supervisor {
    const struct config *config;
    char binaries[PATH_MAX]; /* folder of the programs */
    char ca_token_directory[CONFIG_PATH_SIZE]; /* where SoftHSM keeps the token, "" for other modules */
    char tls_token_directory[CONFIG_PATH_SIZE];
    bool privileged;         /* started as root: children change to their accounts */
    bool ready;              /* every child was running at once */
    bool stopping;
    bool failed;             /* stop with an error */
    uint64_t stop_by_ms;     /* monotonic */
    int listen_fd;
    int console_fd;
    int signal_fd;
    struct child children[CHILD_COUNT];
    struct link links[LINK_COUNT];
    struct audit_note notes[EVENTS_MAX];
    size_t note_count;
    struct config_violation downgrades[CONFIG_VIOLATIONS_MAX];
    size_t downgrade_count;
};

/* Runs the appliance until it is told to stop. Returns the exit status. Prints what to do when it can't start. */
int supervisor_run(const struct config *config);

/* Puts a note into the audit log, now or when the signer is back. Drops it, with a log line, past EVENTS_MAX. */
void supervisor_note(struct supervisor *s, const char *action, const char *detail);

/* Sends the notes that wait. */
void supervisor_flush_notes(struct supervisor *s);

#endif
